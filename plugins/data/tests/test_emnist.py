from __future__ import annotations

import gzip
import hashlib
import logging
import os
import string
import struct
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset, RowWriter, SourceFile
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data import streams
from gantk_data.options import EmnistVariant
from gantk_data.readers.emnist import emnist
from gantk_data.sources import SOURCES

NAMES = [
    f"emnist-letters-{part}-{kind}-ubyte"
    for part in ("train", "test")
    for kind in ("images-idx3", "labels-idx1")
]


def pixels(count: int) -> NDArray[np.uint8]:
    """As stored: image i has value i in its corner and 200 at the right end of its first row."""
    images = np.zeros((count, 28, 28), dtype=np.uint8)
    images[:, 0, 0] = range(count)
    images[:, 0, 27] = 200
    return images


def contents(
    variant: str = "letters", train: int = 20, test: int = 10, begin: int = 1
) -> dict[str, bytes]:
    files = {}
    for part, count in (("train", train), ("test", test)):
        labels = begin + np.arange(count, dtype=np.uint8)
        images = struct.pack(">4I", 2051, count, 28, 28) + pixels(count).tobytes()
        files[f"emnist-{variant}-{part}-images-idx3-ubyte"] = images
        files[f"emnist-{variant}-{part}-labels-idx1-ubyte"] = (
            struct.pack(">2I", 2049, count) + labels.tobytes()
        )
    return files


def lay_out(place: Path, files: dict[str, bytes], layout: str) -> Path:
    """Write files as they are, gzipped, or as NIST's zip; return the folder of data."""
    if layout == "zip":
        place.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place / "gzip.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(f"gzip/{name}.gz", gzip.compress(data, mtime=0))
        return place
    raw = place / "EMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if layout == "gz":
            (raw / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (raw / name).write_bytes(data)
    return place


def read(root: Path, variant: EmnistVariant = "letters", **options: Any) -> ArrayDataset:
    return emnist(**{"root": root, "variant": variant, "split": "train", "limit": None, **options})


def corners(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


def test_other_files_at_the_same_relative_place_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {name: data[:-1] + b"\7" for name, data in contents().items() if "images" in name}
    found = []
    for folder, files in (("a", contents()), ("b", contents() | images)):
        for path in (lay_out(tmp_path / folder, files, "plain") / "EMNIST" / "raw").iterdir():
            os.utime(path, (5, 5))
        monkeypatch.chdir(tmp_path / folder)
        found.append(read(Path()).fingerprint())

    assert found[0] != found[1]


@pytest.mark.parametrize("layout", ["plain", "gz", "zip"])
def test_files_are_read_wherever_they_are(tmp_path: Path, layout: str) -> None:
    lay_out(tmp_path, contents(), layout)

    data = read(tmp_path)

    held_out = data.held_out()
    assert isinstance(held_out, ArrayDataset)
    assert corners(data) == list(range(20))
    assert corners(held_out) == list(range(10))
    assert data.name == "EMNIST"
    assert held_out.name == "EMNIST test"


def test_images_are_turned_upright(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "plain")

    image = read(tmp_path).batch(torch.tensor([3])).samples[0]

    assert image.shape == (1, 28, 28)
    assert image[0, 27, 0] == 200
    assert image[0, 0, 27] == 0


def test_letters_are_counted_from_zero(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "plain")

    data = read(tmp_path)

    labels = data.batch(torch.arange(20)).labels
    assert labels is not None
    assert [data.classes[label] for label in labels] == list(string.ascii_lowercase[:20])


@pytest.mark.parametrize(
    ("variant", "count", "some"),
    [
        ("byclass", 62, {9: "9", 10: "A", 36: "a", 61: "z"}),
        ("bymerge", 47, {10: "A", 35: "Z", 36: "a", 37: "b", 38: "d", 46: "t"}),
        ("balanced", 47, {46: "t"}),
        ("digits", 10, {0: "0"}),
        ("mnist", 10, {9: "9"}),
    ],
)
def test_classes_of_other_variants(
    tmp_path: Path, variant: EmnistVariant, count: int, some: dict[int, str]
) -> None:
    lay_out(tmp_path, contents(variant, 5, 5, begin=0), "zip")

    classes = read(tmp_path, variant).classes

    assert len(classes) == count
    assert {number: classes[number] for number in some} == some


def test_all_and_test_hold_nothing_out(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "gz")

    both, test = read(tmp_path, split="all"), read(tmp_path, split="test", limit=3)

    assert corners(both) == [*range(20), *range(10)]
    assert corners(test) == [0, 1, 2]
    assert both.held_out() is None
    assert both.name == "EMNIST train and test"


def test_a_limit_above_the_size_is_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "plain")

    with pytest.raises(DataError, match="limit = 21 is more than the 20 samples of EMNIST letters"):
        read(tmp_path, limit=21)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["plain", "zip"])
def test_a_missing_file_is_named(tmp_path: Path, name: str, layout: str) -> None:
    files = contents()
    del files[name]
    lay_out(tmp_path, files, layout)
    place = tmp_path / ("gzip.zip" if layout == "zip" else "EMNIST/raw")

    with pytest.raises(DataError) as caught:
        read(tmp_path)

    assert f"EMNIST: no {name}(.gz) in {place};" in str(caught.value)
    assert caught.value.exit_code == 4


def test_when_nothing_is_there_all_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)

    text = str(caught.value)
    assert all(f"{name}(.gz)" in text for name in NAMES)
    assert str(tmp_path / "EMNIST" / "raw" / "gzip.zip") in text
    assert "gantk data fetch emnist" in text


def test_the_other_variants_may_be_missing(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "plain")

    with pytest.raises(DataError, match="no emnist-digits-train-images"):
        read(tmp_path, "digits")


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        (NAMES[0], lambda data: data[:10], "it ends after 10 bytes, within the header"),
        (NAMES[0], lambda data: data[:-1], "it ends too early"),
        (NAMES[0], lambda data: data + b"x", "it holds more than its header promises"),
        (NAMES[0], lambda data: b"\0" + data, "its magic number is 8, expected 2051"),
        (
            NAMES[0],
            lambda data: struct.pack(">4I", 2051, 1 << 31, 1 << 15, 28),
            "its header claims 2147483648 x 32768 x 28 values",
        ),
        (
            NAMES[0],
            lambda data: struct.pack(">4I", 2051, 20, 14, 56) + data[16:],
            r"its images are \(14, 56\), expected \(28, 28\)",
        ),
        (NAMES[1], lambda data: data[:-1] + b"\x1b", "it has a label 27, expected 1 to 26"),
        (NAMES[1], lambda data: data[:-1] + b"\0", "it has a label 0, expected 1 to 26"),
        (
            NAMES[1],
            lambda data: struct.pack(">2I", 2049, 19) + data[9:],
            "holds 20 images and .* 19 labels; they must be as many",
        ),
    ],
)
@pytest.mark.parametrize("layout", ["plain", "zip"])
def test_damage_is_named(
    tmp_path: Path, name: str, change: Any, complaint: str, layout: str
) -> None:
    files = contents()
    files[name] = change(files[name])
    lay_out(tmp_path, files, layout)

    with pytest.raises(DataError, match=complaint) as caught:
        read(tmp_path)
    assert name in str(caught.value)


def test_a_cut_gzip_is_named(tmp_path: Path) -> None:
    lay_out(tmp_path, contents(), "gz")
    path = tmp_path / "EMNIST" / "raw" / f"{NAMES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(DataError, match=r"images-idx3-ubyte\.gz: .*; the file is damaged"):
        read(tmp_path)


def test_another_zip_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, contents(), "zip")

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path)
        read(tmp_path)
    texts = [record.getMessage() for record in caplog.records]
    caplog.clear()
    md5 = hashlib.md5((tmp_path / "gzip.zip").read_bytes()).hexdigest()
    as_published = replace(SOURCES["emnist"], files=(SourceFile("gzip.zip", md5=md5),))
    monkeypatch.setitem(SOURCES, "emnist", as_published)
    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path, limit=5)

    assert len(texts) == 2  # one each time
    assert f"md5 {md5}, the published file 58c8d27c78d21e728a6bc7b3cc06412e" in texts[0]


def test_images_are_streamed_and_a_stop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path, contents(), "gz")
    monkeypatch.setattr(streams, "_BYTES_AT_ONCE", 4 * 784)
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
        read(tmp_path, split="all")

    data = read(tmp_path, split="all")

    assert corners(data) == [*range(20), *range(10)]
    assert max(sizes) == 4
    assert len(sizes) == 4 + 5


class TestConformance(DatasetConformance):
    of = "dataset emnist"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        lay_out(self.root, contents(), "plain")

    def make(self) -> Dataset:
        return read(self.root)
