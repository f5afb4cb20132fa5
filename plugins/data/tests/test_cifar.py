from __future__ import annotations

import io
import logging
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import Split
from gantk_data.readers.cifar import cifar10, cifar100

TEN = "cifar-10-batches-bin"
HUNDRED = "cifar-100-binary"


def records(*values: int, labels: Callable[[int], list[int]]) -> bytes:
    """A record for each value: red has it, green one more, blue's last pixel two more."""
    found = b""
    for value in values:
        planes = np.zeros((3, 32, 32), dtype=np.uint8)
        planes[0], planes[1], planes[2, 31, 31] = value, value + 1, value + 2
        found += bytes(labels(value)) + planes.tobytes()
    return found


def ten() -> dict[str, bytes]:
    """Values 0 … 9 in five files to train, 20 and 21 to test; the label is the last digit."""
    files = {
        f"data_batch_{number + 1}.bin": records(
            2 * number, 2 * number + 1, labels=lambda value: [value % 10]
        )
        for number in range(5)
    }
    return {**files, "test_batch.bin": records(20, 21, labels=lambda value: [value % 10])}


def hundred() -> dict[str, bytes]:
    return {
        "train.bin": records(40, 99, labels=lambda value: [value // 5, value]),
        "test.bin": records(7, labels=lambda value: [value // 5, value]),
    }


def lay_out(root: Path, folder: str, files: dict[str, bytes], layout: str = "folder") -> Path:
    if layout == "tar":
        name = {TEN: "cifar-10-binary.tar.gz", HUNDRED: "cifar-100-binary.tar.gz"}[folder]
        root.mkdir(parents=True, exist_ok=True)
        with tarfile.open(root / name, "w:gz") as tar:
            for file, data in {"readme.html": b"", **files}.items():
                member = tarfile.TarInfo(f"{folder}/{file}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return root
    place = root / folder if layout == "folder" else root
    place.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (place / file).write_bytes(data)
    return root


def reds(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 5, 7].tolist()


@pytest.mark.parametrize("layout", ["folder", "root", "tar"])
def test_cifar10_is_read_wherever_it_is(tmp_path: Path, layout: str) -> None:
    lay_out(tmp_path, TEN, ten(), layout)

    data = cifar10(tmp_path, "train", None)

    batch = data.batch(torch.tensor([3]))
    held_out = data.held_out()
    assert isinstance(held_out, ArrayDataset)
    assert reds(data) == list(range(10))
    assert reds(held_out) == [20, 21]
    assert batch.samples.shape == (1, 3, 32, 32)
    assert batch.samples[0, :, 31, 31].tolist() == [3, 4, 5]
    assert batch.samples[0, :, 0, 0].tolist() == [3, 4, 0]
    assert batch.labels is not None
    assert [data.classes[label] for label in batch.labels] == ["cat"]
    assert (data.name, held_out.name) == ("CIFAR-10", "CIFAR-10 test")


@pytest.mark.parametrize("layout", ["folder", "tar"])
def test_cifar100_has_two_kinds_of_labels(tmp_path: Path, layout: str) -> None:
    lay_out(tmp_path, HUNDRED, hundred(), layout)

    fine, coarse = (cifar100(tmp_path, "train", kind, None) for kind in ("fine", "coarse"))

    assert (len(fine.classes), len(coarse.classes)) == (100, 20)
    assert _names(fine) == ["lamp", "worm"]
    assert _names(coarse) == ["large_carnivores", "vehicles_2"]
    assert reds(fine) == reds(coarse) == [40, 99]
    assert fine.classes == tuple(sorted(fine.classes))
    assert coarse.classes == tuple(sorted(coarse.classes))


def _names(data: ArrayDataset) -> list[str]:
    labels = data.batch(torch.arange(len(data))).labels
    assert labels is not None
    return [data.classes[label] for label in labels]


@pytest.mark.parametrize(
    ("split", "limit", "expected"),
    [("test", None, [20, 21]), ("all", None, [*range(10), 20, 21]), ("train", 3, [0, 1, 2])],
)
def test_splits_and_limits(
    tmp_path: Path, split: Split, limit: int | None, expected: list[int]
) -> None:
    lay_out(tmp_path, TEN, ten())

    data = cifar10(tmp_path, split, limit)

    assert reds(data) == expected
    assert (data.held_out() is None) == (split != "train")


@pytest.mark.parametrize("name", sorted(ten()))
@pytest.mark.parametrize("layout", ["folder", "tar"])
def test_a_missing_file_is_named(tmp_path: Path, name: str, layout: str) -> None:
    files = ten()
    del files[name]
    lay_out(tmp_path, TEN, files, layout)

    with pytest.raises(DataError, match=f"CIFAR-10: no {name} in {tmp_path}/cifar-10-b") as caught:
        cifar10(tmp_path, "train", None)

    assert caught.value.exit_code == 4


def test_when_nothing_is_there_all_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        cifar100(tmp_path, "train", "fine", None)

    text = str(caught.value)
    assert f"no cifar-100-binary/, cifar-100-binary.tar.gz, train.bin in {tmp_path}" in text
    assert "gantk data fetch cifar100" in text


@pytest.mark.parametrize("name", ["cifar-10-batches-py", "cifar-10-python.tar.gz"])
def test_pickles_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(DataError, match=f"{name} holds pickles, which are never read: get the bin"):
        cifar10(tmp_path, "train", None)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data[:-1], r"it has 6,145 bytes, no multiple of the 3,073 of an image"),
        (lambda data: b"", r"it has 0 bytes"),
        (lambda data: b"\x0a" + data[1:], "it has a label 10, expected 0 to 9"),
    ],
)
@pytest.mark.parametrize("layout", ["folder", "tar"])
def test_damage_is_named(
    tmp_path: Path, change: Callable[[bytes], bytes], complaint: str, layout: str
) -> None:
    files = ten()
    files["data_batch_3.bin"] = change(files["data_batch_3.bin"])
    lay_out(tmp_path, TEN, files, layout)

    with pytest.raises(DataError, match=f"data_batch_3.bin: {complaint}"):
        cifar10(tmp_path, "train", None)


def test_a_cut_archive_is_named(tmp_path: Path) -> None:
    path = lay_out(tmp_path, TEN, ten(), "tar") / "cifar-10-binary.tar.gz"
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz"):
        cifar10(tmp_path, "train", None)


def test_another_archive_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lay_out(tmp_path, TEN, ten(), "tar")

    with caplog.at_level(logging.WARNING, logger="gantk"):
        cifar10(tmp_path, "train", None)

    (record,) = caplog.records
    assert "the published file c32a1d4ab5d03f1284b67883e8d87530" in record.getMessage()


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    lay_out(tmp_path, TEN, ten())
    before = cifar10(tmp_path, "test", None)
    files = {"test_batch.bin": records(5, 6, 7, labels=lambda value: [value])}

    lay_out(tmp_path, TEN, files)

    assert reds(cifar10(tmp_path, "test", None)) == [5, 6, 7]
    assert reds(before) == [20, 21]


class TestCifar10(DatasetConformance):
    of = "dataset cifar10"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root, TEN, ten())

    def make(self) -> Dataset:
        return cifar10(self.root, "train", None)


class TestCifar100(DatasetConformance):
    of = "dataset cifar100"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root, HUNDRED, hundred())

    def make(self) -> Dataset:
        return cifar100(self.root, "train", "fine", None)
