from __future__ import annotations

import io
import json
import logging
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.formats import shards
from gantk_data.formats.shards import ShardTree
from gantk_data.options import WebdatasetOptions
from gantk_data.readers.webdataset import webdataset


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = WebdatasetOptions(**{"root": str(root), "size": 4, "channels": 1, **options})
    return webdataset(**{name: getattr(checked, name) for name in type(checked).model_fields})


def picture(value: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, kind)
    return file.getvalue()


def pack(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:" if path.suffix == ".tar" else "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def sample(number: int, **table: Any) -> dict[str, bytes]:
    """An image of that value, whose class is its last digit."""
    said = {"age": number / 2, "hat": "yes" if number % 2 else "no", **table}
    return {
        f"{number:04}.png": picture(number),
        f"{number:04}.cls": b"%d\n" % (number % 10),
        f"{number:04}.json": json.dumps(said).encode(),
    }


def three(folder: Path, end: str = ".tar") -> Path:
    """Three shards of two samples each."""
    for shard in range(3):
        files = {**sample(2 * shard), **sample(2 * shard + 1)}
        pack(folder / f"train-{shard:03}{end}", files)
    return folder


def levels(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("end", [".tar", ".tar.gz", ".tgz"])
def test_a_folder_of_shards_is_read_in_order_with_its_classes(tmp_path: Path, end: str) -> None:
    data = read(three(tmp_path, end))

    labels = data.batch(torch.arange(6)).labels
    assert levels(data) == [0, 1, 2, 3, 4, 5]
    assert data.classes == ("0", "1", "2", "3", "4", "5")
    assert labels is not None
    assert labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert data.factors == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train-{000..001}.tar", [0, 1, 2, 3]), ("train-{1..2}.tar", None), ("train-002.tar", [4, 5])],
)
def test_a_pattern_counts_shards(tmp_path: Path, name: str, expected: list[int] | None) -> None:
    three(tmp_path)

    if expected is None:
        with pytest.raises(DataError, match=r"2 of 2 shards of .* are missing: train-1\.tar"):
            read(tmp_path / name)
    else:
        assert levels(read(tmp_path / name)) == expected


def test_keys_of_the_json_are_classes_and_factors(tmp_path: Path) -> None:
    options = {"factors": {"age": "continuous"}, "label": "hat"}

    data = read(three(tmp_path), **options)
    again = read(tmp_path, **options)

    for found in (data, again):
        batch = found.batch(torch.arange(6))
        assert found.classes == ("no", "yes")
        assert batch.labels is not None
        assert batch.labels.tolist() == [0, 1, 0, 1, 0, 1]
        assert batch.factors is not None
        assert batch.factors[:, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
        assert [(f.name, f.kind, f.high) for f in found.factors] == [("age", "continuous", 2.5)]
    assert data.fingerprint() == again.fingerprint()


def test_shards_are_gone_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(three(tmp_path, ".tgz"))
    monkeypatch.setattr(shards, "open_tree", None)

    again = read(tmp_path)

    assert levels(again) == levels(first)
    assert again.classes == first.classes


def test_another_choice_of_labels_decodes_nothing_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(three(tmp_path))
    monkeypatch.setattr("gantk_data.collection.decode", None)

    assert read(tmp_path, label="hat").classes == ("no", "yes")


def test_a_shard_that_changes_is_read_anew(tmp_path: Path) -> None:
    read(three(tmp_path))
    pack(tmp_path / "train-001.tar", sample(7))

    assert levels(read(tmp_path)) == [0, 1, 7, 4, 5]


def test_samples_without_labels_are_images_alone(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"a.jpg": picture(9, "JPEG"), "b.webp": picture(9, "WEBP")})

    data = read(path)

    assert len(data) == 2
    assert data.classes == ()


def test_a_key_is_what_stands_before_the_first_dot_of_a_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"v1.0/a.jpg": picture(5, "JPEG"), "v1.0/a.seg.png": b"", "v1.0/a.cls": b"cat"}

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = read(pack(tmp_path / "a.tar", files))

    assert data.classes == ("cat",)
    assert not caplog.records


def test_samples_without_an_image_are_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = {**sample(1), "lonely.cls": b"3"}

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = read(pack(tmp_path / "a.tar", files))

    assert levels(data) == [1]
    (record,) = caplog.records
    assert "1 of 2 samples have no image, such as a.tar/lonely" in record.getMessage()


@pytest.mark.parametrize(
    ("files", "options", "complaint"),
    [
        ({"a.txt": b""}, {}, r"0 images in .*a\.tar; saw 1 other files"),
        ({"a.png": b"", "a.jpg": b""}, {}, r"a\.jpg and a\.tar/a\.png are of one sample"),
        ({**sample(1), "x.png": picture(1)}, {}, r"x\.cls: there is no such file, but other"),
        (sample(1), {"label": "hut"}, r"0001\.json: no key is named 'hut'; known: age, hat"),
        (sample(1, age=[1]), {"label": "age"}, r"0001\.json: age is neither a text nor a number"),
        (
            {**sample(1), "0001.json": b"{"},
            {"label": "age"},
            r"0001\.json: Expecting property name",
        ),
        (
            {**sample(1), "0001.json": b"[1]"},
            {"label": "age"},
            "no key is named 'age'; known: none",
        ),
        ({"a.png": picture(1)}, {"label": "age"}, r"no sample has a \.json, for 'age'"),
        ({**sample(1), "0001.cls": b""}, {}, "cls is empty"),
        ({**sample(1), "0001.cls": b"\xff"}, {}, r"0001\.cls: 'utf-8' codec"),
        ({**sample(1), "0001.cls": bytes(9)}, {}, "9 bytes, the limit is 8"),
        (
            {**sample(1), **sample(2, age="old")},
            {"factors": {"age": "continuous"}},
            r"0002\.png: age is 'old', not a number",
        ),
        ({"../a.png": picture(1)}, {}, "its name leads out of the archive"),
        ({**sample(1), "0001.png": b"nothing"}, {}, "1 of 1 images in .* are bad"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path,
    files: dict[str, bytes],
    options: dict[str, Any],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 8 if files.get("0001.cls") == bytes(9) else 100
    monkeypatch.setattr(shards, "_LONGEST_TEXT", limit)

    with pytest.raises(DataError, match=complaint):
        read(pack(tmp_path / "a.tar", files), **options)


def test_bad_images_can_be_skipped_with_their_labels(tmp_path: Path) -> None:
    files = {**sample(1), **sample(2), **sample(3), "0002.png": b"nothing"}

    data = read(pack(tmp_path / "a.tar", files), skip_bad=True)

    labels = data.batch(torch.arange(2)).labels
    assert levels(data) == [1, 3]
    assert labels is not None
    assert [data.classes[label] for label in labels] == ["1", "3"]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere.tar", r"1 of 1 shards of .* are missing: nowhere\.tar"),
        ("", r"0 shards in .*; a shard ends in \.tar"),
        ("a-{5..2}.tar", r"\{5\.\.2\} counts no shards"),
        ("a-{0..99999999999}.tar", "counts no shards"),
    ],
)
def test_shards_that_are_not_there_are_named(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read(tmp_path / name)


def test_a_cut_shard_is_named(tmp_path: Path) -> None:
    path = three(tmp_path) / "train-001.tar"
    path.write_bytes(path.read_bytes()[:700])

    with pytest.raises(DataError, match=r"train-001\.tar"):
        read(tmp_path)


def test_files_can_be_read_by_name(tmp_path: Path) -> None:
    path = three(tmp_path)
    tree = ShardTree(path, shards.shards_of(path), {"cls"})

    assert tree.read("train-002.tar/0004.cls") == b"4\n"
    with pytest.raises(KeyError):
        tree.read("train-002.tar/9999.cls")


class TestConformance(DatasetConformance):
    of = "dataset webdataset"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        three(self.root)

    def make(self) -> Dataset:
        return read(self.root)
