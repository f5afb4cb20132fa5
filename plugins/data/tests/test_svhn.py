from __future__ import annotations

import logging
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.io import savemat

from gan_toolkit import ArrayDataset, DataError, Dataset, RowWriter
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data import streams
from gantk_data.options import SvhnSplit
from gantk_data.readers.svhn import svhn


def pictures(count: int, first: int = 0) -> NDArray[np.uint8]:
    """(32, 32, 3, N): corner i + first, 50 at the end of the first row, 60 in green's corner."""
    x = np.zeros((32, 32, 3, count), dtype=np.uint8)
    x[0, 0, 0] = np.arange(first, first + count)
    x[0, 31, 0] = 50
    x[0, 0, 1] = 60
    return x


def digits(count: int) -> NDArray[np.uint8]:
    """(N, 1): 1 … 10, over and over."""
    return (np.arange(count, dtype=np.uint8) % 10 + 1)[:, None]


def put(folder: Path, part: str, count: int, first: int = 0, **options: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{part}_32x32.mat"
    savemat(
        path,
        {"X": pictures(count, first), "y": digits(count)},
        do_compression=options.pop("do_compression", True),
        **options,
    )
    return path


def read(root: Path, split: SvhnSplit = "train", limit: int | None = None) -> ArrayDataset:
    return svhn(root, split, limit)


def corners(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("folder", ["", "SVHN"])
def test_images_stand_upright_and_ten_is_zero(tmp_path: Path, packed: bool, folder: str) -> None:
    put(tmp_path / folder, "train", 12, do_compression=packed)

    data = read(tmp_path)

    batch = data.batch(torch.arange(12))
    assert data.sample_shape == (3, 32, 32)
    assert corners(data) == list(range(12))
    assert batch.samples[5, :, 0, 0].tolist() == [5, 60, 0]
    assert batch.samples[5, 0, 0, 31] == 50
    assert batch.samples[5, 0, 31, 0] == 0
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert data.classes == tuple("0123456789")
    assert data.held_out() is None


@pytest.mark.parametrize("split", ["train", "train+extra"])
def test_the_test_images_are_held_out_if_they_are_there(tmp_path: Path, split: SvhnSplit) -> None:
    for part, count, first in (("train", 4, 0), ("test", 3, 100), ("extra", 5, 200)):
        put(tmp_path, part, count, first)

    data = read(tmp_path, split)

    held_out = data.held_out()
    assert isinstance(held_out, ArrayDataset)
    assert corners(held_out) == [100, 101, 102]
    extra = list(range(200, 205)) if split == "train+extra" else []
    assert corners(data) == [0, 1, 2, 3, *extra]
    assert data.name == ("SVHN" if split == "train" else "SVHN train+extra")


@pytest.mark.parametrize("split", ["test", "extra"])
def test_other_splits_need_their_file_only(tmp_path: Path, split: SvhnSplit) -> None:
    put(tmp_path, split, 6)

    assert corners(read(tmp_path, split, 2)) == [0, 1]


@pytest.mark.parametrize(("split", "name"), [("extra", "extra"), ("train+extra", "extra")])
def test_a_missing_file_is_named(tmp_path: Path, split: SvhnSplit, name: str) -> None:
    put(tmp_path, "train", 2)

    with pytest.raises(DataError, match=f"SVHN: no {name}_32x32.mat in {tmp_path};") as caught:
        read(tmp_path, split)

    assert caught.value.exit_code == 4


def test_when_nothing_is_there_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)

    text = str(caught.value)
    assert "no train_32x32.mat, test_32x32.mat, extra_32x32.mat in" in text
    assert str(tmp_path / "SVHN") in text


def test_another_sum_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "extra", 2)

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path, "extra")

    (record,) = caplog.records
    assert "the published file a93ce644f1a588dc4d68dda5feec44a7" in record.getMessage()


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"X": pictures(3), "z": digits(3)}, "it holds no matrix 'y', but X, z"),
        ({"y": digits(3)}, "it holds no matrix 'X', but y"),
        ({"X": pictures(3)[:, :, :, 0], "y": digits(1)}, r"X is uint8 \(32, 32, 3\), expected"),
        ({"X": pictures(3).astype(float), "y": digits(3)}, r"X is float64 \(32, 32, 3, 3\)"),
        ({"X": pictures(3)[:16], "y": digits(3)}, r"X is uint8 \(16, 32, 3, 3\)"),
        ({"X": pictures(3), "y": digits(2)}, "X holds 3 images and y 2 labels"),
        ({"X": pictures(1), "y": digits(1) - 1}, "y: it has a label 0, expected 1 to 10"),
        ({"X": pictures(1), "y": digits(1) + 10}, "y: it has a label 11, expected 1 to 10"),
        ({"X": {"a": 1}, "y": digits(1)}, "X is no matrix of plain numbers"),
        ({"X": np.array(["text"]), "y": digits(1)}, "X is no matrix of plain numbers"),
        ({"X": np.array([1j]), "y": digits(1)}, "X is no matrix of plain numbers"),
    ],
)
def test_other_contents_are_refused(
    tmp_path: Path, variables: dict[str, Any], complaint: str
) -> None:
    savemat(tmp_path / "train_32x32.mat", variables, do_compression=True)

    with pytest.raises(DataError, match=rf"train_32x32\.mat: .*{complaint}"):
        read(tmp_path)


@pytest.mark.parametrize("kind", ["double", "uint8", "int32"])
def test_labels_of_any_kind_of_number_are_read(tmp_path: Path, kind: str) -> None:
    labels = digits(12).astype(kind)
    variables = {"note": np.array(["text"]), "y": labels, "X": pictures(12)}
    savemat(tmp_path / "train_32x32.mat", variables)

    found = read(tmp_path).batch(torch.arange(12)).labels

    assert found is not None
    assert found.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, packed: bool) -> None:
    path = put(tmp_path, "train", 4, do_compression=packed)
    data = path.read_bytes()
    lengths = [*range(0, len(data) - 9, 11 if packed else 397), *range(len(data) - 9, len(data))]

    for length in lengths:
        path.write_bytes(data[:length])
        with pytest.raises(DataError, match=r"train_32x32\.mat"):
            read(tmp_path)


@pytest.mark.parametrize("packed", [True, False])
def test_changed_bytes_are_refused_or_change_values_only(tmp_path: Path, packed: bool) -> None:
    path = put(tmp_path, "train", 2, do_compression=packed)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    places = [*range(124, 230, 2), *rng.integers(230, len(data), 20).tolist()]

    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            found = read(tmp_path)
        except DataError:
            continue
        assert found.sample_shape == (3, 32, 32)
        assert len(found) == 2


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "of another level"),
        (b"\x00" * 128, "it is no MAT file of level 5"),
        (b"", "it is no MAT file of level 5"),
    ],
)
def test_other_levels_are_refused(tmp_path: Path, header: bytes, complaint: str) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(header)

    with pytest.raises(DataError, match=complaint):
        read(tmp_path)


def test_a_header_may_claim_anything(tmp_path: Path) -> None:
    """A matrix of 4 TB in a few bytes: refused when it ends, with no memory taken for it."""
    flags = struct.pack("<IIII", 6, 8, 9, 0)
    shape = struct.pack("<IIiiii", 5, 16, 32, 32, 3, 1 << 30)
    name = struct.pack("<HH4s", 1, 1, b"X")
    data = struct.pack("<II", 2, (3072 << 30) & 0xFFFFFFFF)
    inner = flags + shape + name + data
    matrix = struct.pack("<II", 14, len(inner)) + inner
    packed = zlib.compress(matrix)
    element = struct.pack("<II", 15, len(packed)) + packed
    path = put(tmp_path, "train", 1)
    path.write_bytes(path.read_bytes()[:128] + element)

    with pytest.raises(DataError, match=r"X promises \(32, 32, 3, 1073741824\)"):
        read(tmp_path)


def test_images_are_streamed_and_a_stop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "train", 5)
    put(tmp_path, "extra", 6, 100)
    monkeypatch.setattr(streams, "_BYTES_AT_ONCE", 2 * 3072)
    monkeypatch.setattr("gan_toolkit.preparation._SYNC_BYTES", 0)
    write = RowWriter.write
    sizes: list[int] = []

    def stopping(self: RowWriter, first: int, rows: NDArray[np.uint8]) -> None:
        sizes.append(len(rows))
        if len(sizes) == 4:
            raise KeyboardInterrupt
        write(self, first, rows)

    monkeypatch.setattr(RowWriter, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path, "train+extra")

    data = read(tmp_path, "train+extra")

    assert corners(data) == [*range(5), *range(100, 106)]
    assert max(sizes) == 2
    assert len(sizes) == 4 + 3


def test_nothing_but_numbers_is_ever_loaded(tmp_path: Path) -> None:
    put(tmp_path, "train", 2)

    read(tmp_path)

    assert "pickle" not in vars(sys.modules["gantk_data.formats.mat5"])
    assert "scipy" not in vars(sys.modules["gantk_data.readers.svhn"])


class TestConformance(DatasetConformance):
    of = "dataset svhn"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        put(self.root, "train", 12)
        put(self.root, "test", 4, first=20)

    def make(self) -> Dataset:
        return read(self.root)
