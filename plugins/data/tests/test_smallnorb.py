from __future__ import annotations

import gzip
import logging
import struct
from itertools import product
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import SmallnorbOptions
from gantk_data.readers.smallnorb import smallnorb

STEMS = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
U1, I4, F4 = 0x1E3D4C55, 0x1E3D4C54, 0x1E3D4C51
INSTANCES = {"train": (4, 6), "test": (0, 1)}
COUNT = 24  # pairs


def matrix(array: NDArray[Any], magic: int) -> bytes:
    sizes = [*array.shape, 1, 1][: max(3, array.ndim)]
    return struct.pack(f"<Ii{len(sizes)}i", magic, array.ndim, *sizes) + array.tobytes()


def labels(split: str) -> NDArray[np.int32]:
    """Category, instance, elevation, azimuth, lighting of each pair, in the order of no sorting."""
    rows = list(product((0, 2, 4), INSTANCES[split], (0, 8), (0, 34), (5,)))
    order = np.random.default_rng(0).permutation(len(rows))
    return np.array(rows, dtype=np.int32)[order]


def level(split: str, pair: int, camera: int) -> int:
    return 100 * (split == "test") + 4 * pair + camera


def contents(split: str) -> dict[str, bytes]:
    levels = [[level(split, pair, camera) for camera in (0, 1)] for pair in range(COUNT)]
    pictures = np.broadcast_to(
        np.array(levels, dtype=np.uint8)[:, :, None, None], (COUNT, 2, 96, 96)
    )
    table = labels(split)
    return {
        f"{STEMS[split]}-dat.mat": matrix(pictures, U1),
        f"{STEMS[split]}-cat.mat": matrix(table[:, 0], I4),
        f"{STEMS[split]}-info.mat": matrix(table[:, 1:], I4),
    }


FILES = contents("train") | contents("test")


def write(folder: Path, files: dict[str, bytes], packed: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, 1))
        else:
            (folder / name).write_bytes(data)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = SmallnorbOptions(root=str(root), **options)
    return smallnorb(**{name: getattr(checked, name) for name in type(checked).model_fields})


def levels(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 9, 9].tolist()


def expected(split: str, *cameras: int) -> list[int]:
    return [level(split, pair, camera) for pair in range(COUNT) for camera in cameras]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["", "smallnorb"])
def test_pictures_labels_and_factors_are_read(tmp_path: Path, place: str, packed: bool) -> None:
    write(tmp_path / place, FILES, packed)

    data = read(tmp_path)

    batch = data.batch(torch.arange(COUNT))
    rows = labels("train")
    assert levels(data) == expected("train", 0)
    assert data.name == "smallNORB"
    assert data.sample_shape == (1, 64, 64)
    assert data.classes == ("animal", "human", "airplane", "truck", "car")
    assert [(f.name, f.scored) for f in data.factors] == [
        ("category", True),
        ("elevation", True),
        ("azimuth", True),
        ("lighting", True),
        ("instance", False),
    ]
    assert batch.labels is not None
    assert batch.factors is not None
    assert batch.labels.tolist() == rows[:, 0].tolist()
    category, instance, elevation, azimuth, lighting = rows.T
    wanted = np.stack([category, 30 + 5 * elevation, azimuth * tau / 36, lighting, instance], 1)
    torch.testing.assert_close(batch.factors, torch.tensor(wanted, dtype=torch.float32))


def test_the_test_toys_are_held_out(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    held_out = read(tmp_path).held_out()

    assert isinstance(held_out, ArrayDataset)
    assert held_out.name == "smallNORB test"
    assert levels(held_out) == expected("test", 0)
    assert levels(read(tmp_path, split="test")) == expected("test", 0)
    assert levels(read(tmp_path, split="all")) == expected("train", 0) + expected("test", 0)


def test_either_camera_or_both_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gantk_data.streams._BYTES_AT_ONCE", 5 * 96 * 96)
    write(tmp_path, FILES)

    right, both = read(tmp_path, camera="right"), read(tmp_path, camera="both", split="all")

    factors = both.batch(torch.tensor([0, 1, 2])).factors
    assert levels(right) == expected("train", 1)
    assert levels(both) == expected("train", 0, 1) + expected("test", 0, 1)
    assert both.factors[-1].name == "camera"
    assert not both.factors[-1].scored
    assert factors is not None
    assert factors[:, -1].tolist() == [0, 1, 0]
    assert factors[0, :5].tolist() == factors[1, :5].tolist()


def test_pictures_stand_upright(tmp_path: Path) -> None:
    start = len(WHOLE) - COUNT * 2 * 96 * 96
    pictures = np.frombuffer(WHOLE[start:], np.uint8).reshape(COUNT, 2, 96, 96).copy()
    pictures[:, :, 0] = 255
    write(tmp_path, FILES | {PICTURES: matrix(pictures, U1)})

    samples = read(tmp_path, size=96).batch(torch.tensor([5])).samples

    assert samples[0, 0, 0].unique().tolist() == [255]
    assert samples[0, 0, 1:].unique().tolist() == [level("train", 5, 0)]


def test_limit_and_size_are_kept(tmp_path: Path) -> None:
    write(tmp_path, FILES)

    data = read(tmp_path, size=96, limit=3, camera="both")

    assert data.sample_shape == (1, 96, 96)
    assert levels(data) == expected("train", 0, 1)[:3]
    with pytest.raises(DataError, match="limit = 25 is more than the 24"):
        read(tmp_path, limit=25)


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_missing_file_is_named(tmp_path: Path, name: str) -> None:
    write(tmp_path, {other: data for other, data in FILES.items() if other != name})

    with pytest.raises(DataError) as caught:
        read(tmp_path)

    assert caught.value.exit_code == 4
    assert f"no {name}(.gz) in {tmp_path};" in str(caught.value)


def test_no_file_at_all_names_all_places(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"smallnorb-5x46789.*-dat\.mat\(\.gz\), .* or .*smallnorb;"
    ):
        read(tmp_path)


def test_what_is_not_as_published_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, FILES, packed=True)

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path)

    (record,) = caplog.records
    assert record.getMessage().count("has md5") == 6
    assert "the published file 8138a0902307b32dfa0025a36dfa45ec" in record.getMessage()
    assert "there are 24 pairs, not 24,300" in record.getMessage()


def table(**changes: tuple[int, int]) -> bytes:
    """An info file of which the first line was changed: name of a column = (column, value)."""
    rows = labels("train")[:, 1:].copy()
    for column, value in changes.values():
        rows[0, column] = value
    return matrix(rows, I4)


PICTURES, CATEGORIES, INFO = (f"{STEMS['train']}-{kind}.mat" for kind in ("dat", "cat", "info"))
WHOLE = FILES[PICTURES]


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        (PICTURES, b"", "it ends too early"),
        (PICTURES, WHOLE[:20], "it ends too early"),
        (PICTURES, WHOLE[:-1], "it ends too early"),
        (PICTURES, WHOLE + b"x", "it holds more than its header promises"),
        (PICTURES, b"MATLAB 5.0 MAT-file" + WHOLE, "its magic number is 0x4c54414d, expected 0x1e"),
        (PICTURES, struct.pack("<Ii", U1, 2_000_000_000), "it claims 2000000000 dimensions"),
        (PICTURES, struct.pack("<Ii3i", U1, 3, 9, -96, 96), "it claims the sizes"),
        (PICTURES, struct.pack("<Ii4i", U1, 4, 9, 2, 96, 48), r"its sizes are \(9, 2, 96, 48\)"),
        (PICTURES, struct.pack("<Ii4i", U1, 4, 9, 2, 96, 96), "there are 18 pictures, and two for"),
        (CATEGORIES, matrix(np.zeros(24, "<f4"), F4), "its magic number is 0x1e3d4c51"),
        (CATEGORIES, matrix(np.zeros(23, "<i4"), I4), "holds 23 labels, .*info.mat 24"),
        (CATEGORIES, matrix(np.full(24, 5, "<i4"), I4), "category is 5, expected 0 to 4"),
        (CATEGORIES, struct.pack("<Ii3i", I4, 1, 2_000_000_000, 1, 1), "it claims the sizes"),
        (CATEGORIES, matrix(np.zeros(24, "<i4"), I4), "24 samples, yet its factors take 1 x 2"),
        (INFO, matrix(np.zeros((24, 3), "<i4"), I4), r"its sizes are \(24, 3\), not \(N, 4\)"),
        (INFO, table(instance=(0, 10)), "instance is 10, expected 0 to 9"),
        (INFO, table(elevation=(1, 9)), "elevation is 9, expected 0 to 8"),
        (INFO, table(azimuth=(2, 3)), "azimuth is 3, expected 0 to 34"),
        (INFO, table(lighting=(3, -1)), "lighting is -1, expected 0 to 5"),
    ],
)
def test_damage_is_named(tmp_path: Path, name: str, data: bytes, complaint: str) -> None:
    write(tmp_path, FILES | {name: data})

    with pytest.raises(DataError, match=complaint) as caught:
        read(tmp_path)

    assert "smallnorb-5x46789" in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("keep", [5, 50, -4])
def test_a_cut_gzip_is_named(tmp_path: Path, keep: int) -> None:
    write(tmp_path, FILES, packed=True)
    path = tmp_path / f"{PICTURES}.gz"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(DataError, match=r"training-dat\.mat\.gz: "):
        read(tmp_path)


class TestConformance(DatasetConformance):
    of = "dataset smallnorb"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        write(self.root, FILES)

    def make(self) -> Dataset:
        return read(self.root)
