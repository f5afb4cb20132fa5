from __future__ import annotations

import gzip
import hashlib
import logging
import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_toolkit import ArrayDataset, DataError, Dataset, SourceFile
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import Split
from gantk_data.readers.mnist import fashion_mnist, kmnist, mnist
from gantk_data.sources import SOURCES
from gantk_data.sources.downloads import IDX_NAMES

REAL = Path(os.environ.get("GANTK_DATA") or "data")
BUILDERS = {"mnist": mnist, "fashion_mnist": fashion_mnist, "kmnist": kmnist}
FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}


def contents(count: int = 20) -> dict[str, bytes]:
    """Four idx files: image i is filled with i, label i is i modulo 10; half as many to test."""
    files = {}
    for kind, size in (("train", count), ("t10k", count // 2)):
        pixels = np.repeat(np.arange(size, dtype=np.uint8), 28 * 28)
        labels = np.arange(size, dtype=np.uint8) % 10
        images = struct.pack(">4I", 2051, size, 28, 28) + pixels.tobytes()
        files[f"{kind}-images-idx3-ubyte"] = images
        files[f"{kind}-labels-idx1-ubyte"] = struct.pack(">2I", 2049, size) + labels.tobytes()
    return files


def lay_out(folder: Path, files: dict[str, bytes], zipped: bool = False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / name).write_bytes(data)


def values(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_files_plain_or_gzipped_are_read(tmp_path: Path, name: str, zipped: bool) -> None:
    lay_out(tmp_path / FOLDERS[name] / "raw", contents(), zipped)

    data = BUILDERS[name](tmp_path, "train", None)

    batch = data.batch(torch.tensor([13, 2]))
    assert data.name == SOURCES[name].title
    assert data.source == "real"
    assert data.sample_shape == (1, 28, 28)
    assert len(data.classes) == 10
    assert batch.samples.dtype == torch.uint8
    assert batch.samples[:, 0, 27, 27].tolist() == [13, 2]
    assert batch.labels is not None
    assert batch.labels.tolist() == [3, 2]


def test_training_holds_out_the_test_images(tmp_path: Path) -> None:
    lay_out(tmp_path, contents())

    held_out = mnist(tmp_path, "train", None).held_out()

    assert isinstance(held_out, ArrayDataset)
    assert values(held_out) == list(range(10))
    assert held_out.name == "MNIST test"
    assert held_out.held_out() is None


@pytest.mark.parametrize(
    ("split", "expected"),
    [("test", list(range(10))), ("all", [*range(20), *range(10)])],
)
def test_other_splits_hold_nothing_out(tmp_path: Path, split: Split, expected: list[int]) -> None:
    lay_out(tmp_path, contents())

    data = mnist(tmp_path, split, None)

    assert values(data) == expected
    assert data.held_out() is None


def test_limit_takes_the_first(tmp_path: Path) -> None:
    lay_out(tmp_path, contents())

    data = mnist(tmp_path, "train", 5)

    assert values(data) == [0, 1, 2, 3, 4]
    held_out = data.held_out()
    assert held_out is not None
    assert len(held_out) == 10


def test_a_limit_above_the_size_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, contents())

    with pytest.raises(DataError, match="limit = 21 is more than the 20 samples of MNIST"):
        mnist(tmp_path, "train", 21)


def test_without_a_root_the_data_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path / "MNIST" / "raw", contents())
    monkeypatch.setenv("GANTK_DATA", str(tmp_path))

    assert len(mnist(None, "train", None)) == 20


def test_the_first_folder_wins(tmp_path: Path) -> None:
    lay_out(tmp_path / "MNIST" / "raw", contents(20))
    lay_out(tmp_path, contents(30))

    assert len(mnist(tmp_path, "train", None)) == 20


@pytest.mark.parametrize("name", IDX_NAMES)
def test_a_missing_file_is_named_with_its_folder(tmp_path: Path, name: str) -> None:
    raw = tmp_path / "MNIST" / "raw"
    lay_out(raw, contents())
    (raw / name).unlink()

    with pytest.raises(DataError) as caught:
        mnist(tmp_path, "train", None)

    text = str(caught.value)
    assert f"no {name}(.gz) in {raw};" in text
    assert all(other not in text for other in set(IDX_NAMES) - {name})
    assert "gantk data fetch mnist" in text
    assert "gantk data info mnist" in text
    assert caught.value.exit_code == 4


def test_when_nothing_is_there_every_file_and_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        fashion_mnist(tmp_path, "train", None)

    text = str(caught.value)
    assert all(f"{name}(.gz)" in text for name in IDX_NAMES)
    assert f"in {tmp_path / 'FashionMNIST' / 'raw'} or {tmp_path};" in text
    assert "gantk data fetch fashion_mnist" in text


def test_pickles_of_old_versions_are_refused(tmp_path: Path) -> None:
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir(parents=True)
    (processed / "training.pt").write_bytes(b"never read")

    with pytest.raises(DataError, match=r"training\.pt is a pickle, which is never read"):
        mnist(tmp_path, "train", None)


def test_other_sums_are_one_warning_with_both_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = contents()
    lay_out(tmp_path, files, zipped=True)
    sums = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    other = {**sums, IDX_NAMES[1]: "0" * 32}
    source = SOURCES["mnist"]
    files_with_sums = tuple(SourceFile(name, 0, other[name]) for name in IDX_NAMES)
    changed = replace(source, files=files_with_sums)
    monkeypatch.setitem(SOURCES, "mnist", changed)

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = mnist(tmp_path, "train", None)

    assert len(data) == 20
    (record,) = caplog.records
    text = record.getMessage()
    assert IDX_NAMES[1] in text
    assert sums[IDX_NAMES[1]] in text
    assert "0" * 32 in text
    assert IDX_NAMES[0] not in text


def altered(name: str, data: bytes) -> dict[str, bytes]:
    return {**contents(), name: data}


TRAIN_IMAGES, TRAIN_LABELS = IDX_NAMES[:2]
GOOD = contents()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        (TRAIN_IMAGES, b"", "ends after 0 bytes"),
        (TRAIN_IMAGES, GOOD[TRAIN_LABELS], "magic number is 2049, expected 2051"),
        (TRAIN_LABELS, GOOD[TRAIN_IMAGES], "magic number is 2051, expected 2049"),
        (TRAIN_IMAGES, GOOD[TRAIN_IMAGES][:-1], "promises 15,680 bytes, it holds 15,679"),
        (TRAIN_IMAGES, GOOD[TRAIN_IMAGES] + b"x", "promises 15,680 bytes, it holds more"),
        (TRAIN_IMAGES, struct.pack(">4I", 2051, 2**31, 28, 28), "claims 2147483648 x 28 x 28"),
        (TRAIN_IMAGES, struct.pack(">4I", 2051, 1, 3, 3) + bytes(9), r"images are \(3, 3\)"),
        (TRAIN_IMAGES, struct.pack(">4I", 2051, 1, 28, 28) + bytes(784), "1 images and .* 20 l"),
        (TRAIN_LABELS, struct.pack(">2I", 2049, 20) + b"\x0a" * 20, "a label 10"),
    ],
)
def test_damage_is_an_error_naming_the_file(
    tmp_path: Path, name: str, data: bytes, complaint: str, zipped: bool
) -> None:
    lay_out(tmp_path, altered(name, data), zipped)

    with pytest.raises(DataError, match=complaint) as caught:
        mnist(tmp_path, "train", None)

    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"PK" + data])
def test_a_damaged_gzip_is_an_error_naming_it(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    lay_out(tmp_path, contents(), zipped=True)
    path = tmp_path / f"{TRAIN_IMAGES}.gz"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: .*damaged"):
        mnist(tmp_path, "train", None)


TRAIN_COUNTS = {
    "mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "fashion_mnist": [6000] * 10,
    "kmnist": [6000] * 10,
}
TEST_COUNTS = {
    "mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    "fashion_mnist": [1000] * 10,
    "kmnist": [1000] * 10,
}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_the_real_files_have_their_counts_and_sums(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    if not (REAL / FOLDERS[name] / "raw").is_dir():
        pytest.skip(f"{SOURCES[name].title} is not in {REAL}")

    data = BUILDERS[name](REAL, "train", None)

    held_out = data.held_out()
    assert held_out is not None
    for part, counts in ((data, TRAIN_COUNTS[name]), (held_out, TEST_COUNTS[name])):
        labels = part.batch(torch.arange(len(part))).labels
        assert labels is not None
        assert torch.bincount(labels).tolist() == counts
    assert not caplog.records


class TestMnist(DatasetConformance):
    of = "dataset mnist"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root / FOLDERS["mnist"] / "raw", contents())

    def make(self) -> Dataset:
        return mnist(self.root, "train", None)


class TestFashionMnist(DatasetConformance):
    of = "dataset fashion_mnist"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root / FOLDERS["fashion_mnist"] / "raw", contents())

    def make(self) -> Dataset:
        return fashion_mnist(self.root, "train", None)


class TestKmnist(DatasetConformance):
    of = "dataset kmnist"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root / FOLDERS["kmnist"] / "raw", contents())

    def make(self) -> Dataset:
        return kmnist(self.root, "train", None)
