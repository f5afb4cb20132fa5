from __future__ import annotations

import os
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import HuggingfaceOptions
from gantk_data.readers.huggingface import huggingface


@pytest.fixture
def library() -> Any:
    """The package `datasets`, whatever it and those it needs warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("somebody reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = HuggingfaceOptions(**{"root": str(root), "size": 4, "channels": 1, **options})
    return huggingface(**{name: getattr(checked, name) for name in type(checked).model_fields})


def table(library: Any, levels: list[int], **more: Any) -> Any:
    """Rows of an image of each level; odd ones are dogs, and no one is a bird."""
    kinds = {
        "picture": library.Image(),
        "kind": library.ClassLabel(names=["dog", "cat", "bird"]),
        "age": library.Value("float32"),
        "id": library.Value("string"),
    }
    rows = {
        "picture": [Image.new("L", (4, 4), level) for level in levels],
        "kind": [1 - level % 2 for level in levels],
        "age": [level / 2 for level in levels],
        "id": [f"#{level}" for level in levels],
        **more,
    }
    kinds = {name: kinds.get(name, library.Image()) for name in rows}
    return library.Dataset.from_dict(rows, features=library.Features(kinds))


def save(data: Any, folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.save_to_disk(str(folder))
    return folder


def levels(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


def test_one_table_with_its_class_names(tmp_path: Path, library: Any) -> None:
    path = save(table(library, [4, 9, 2]), tmp_path / "pets")

    data = read(path)

    labels = data.batch(torch.arange(3)).labels
    assert levels(data) == [4, 9, 2]
    assert data.classes == ("dog", "cat", "bird")
    assert labels is not None
    assert labels.tolist() == [1, 0, 1]
    assert data.name == "pets"
    assert data.source == "real"
    assert data.factors == ()


def test_columns_become_classes_and_factors(tmp_path: Path, library: Any) -> None:
    path = save(table(library, [4, 9, 2]), tmp_path / "pets")

    data = read(path, label="id", factors={"age": "continuous", "kind": "discrete"})

    factors = data.batch(torch.arange(3)).factors
    assert data.classes == ("#2", "#4", "#9")
    assert [(f.name, f.kind, f.values) for f in data.factors] == [
        ("age", "continuous", ()),
        ("kind", "discrete", ("cat", "dog")),
    ]
    assert factors is not None
    assert factors.tolist() == [[2.0, 0.0], [4.5, 1.0], [1.0, 0.0]]


def test_a_split_is_chosen_and_another_held_out(tmp_path: Path, library: Any) -> None:
    both = library.DatasetDict(train=table(library, [1, 2]), test=table(library, [7]))
    path = save(both, tmp_path / "pets")

    data = read(path, held_out="test")

    kept = data.held_out()
    assert isinstance(kept, ArrayDataset)
    assert levels(data) == [1, 2]
    assert levels(kept) == [7]
    assert (data.name, kept.name) == ("pets train", "pets test")
    assert levels(read(path, split="test")) == [7]


def test_pictures_are_decoded_once_and_the_environment_is_left_alone(
    tmp_path: Path, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(table(library, [1, 2]), tmp_path / "pets")
    before = dict(os.environ)
    first = read(path)
    monkeypatch.setattr("gantk_data.collection.decode", None)

    again = read(path)

    assert first.fingerprint() == again.fingerprint()
    assert dict(os.environ) == before


@pytest.mark.parametrize("split", [None, "train"])
def test_what_is_trained_on_is_not_held_out(
    tmp_path: Path, library: Any, split: str | None
) -> None:
    both = library.DatasetDict(train=table(library, [1, 2]), test=table(library, [3]))
    path = save(both, tmp_path / "pets")

    with pytest.raises(DataError, match=r"held_out = 'train' is the split that is trained on"):
        read(path, split=split, held_out="train")


def test_bad_pictures_are_named_by_their_row(tmp_path: Path, library: Any) -> None:
    pictures = [{"bytes": b"nothing", "path": None}, Image.new("L", (4, 4), 5), None]
    path = save(table(library, [1, 2, 3], picture=pictures), tmp_path / "pets")

    with pytest.raises(DataError) as caught:
        read(path)
    data = read(path, skip_bad=True)

    labels = data.batch(torch.arange(1)).labels
    assert "2 of 3 images in" in str(caught.value)
    assert "row 0: not a picture of a known format" in str(caught.value)
    assert "row 2: it can't be read: it holds no picture" in str(caught.value)
    assert levels(data) == [5]
    assert labels is not None
    assert data.classes[labels[0]] == "cat"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"split": "tset"}, r"data\.split = 'tset'; its splits: test, valid; did you mean 'test'"),
        ({}, r"data\.split = None; its splits: test, valid"),
        ({"split": "test", "held_out": "x"}, r"data\.held_out = 'x'; its splits"),
        ({"split": "test", "image": "kind"}, r"kind Image: picture; data\.image = 'kind' is none"),
        ({"split": "test", "label": "knid"}, "no column is named 'knid'; .*did you mean 'kind'"),
        ({"split": "test", "factors": {"z": "discrete"}}, "no column is named 'z'"),
        ({"split": "test", "factors": {"id": "continuous"}}, "row 0: id is '#1', not a number"),
        ({"split": "test", "label": "picture"}, "row 0: picture is .*, expected a text or a num"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, library: Any, options: dict[str, Any], complaint: str
) -> None:
    both = library.DatasetDict(test=table(library, [1]), valid=table(library, [2]))
    path = save(both, tmp_path / "pets")

    with pytest.raises(DataError, match=complaint):
        read(path, **options)


def test_a_label_that_is_missing_is_named(tmp_path: Path, library: Any) -> None:
    path = save(table(library, [1, 2], kind=[0, None]), tmp_path / "pets")

    with pytest.raises(DataError, match="row 1: kind is None, expected a class"):
        read(path)


def test_several_columns_of_images_need_a_choice(tmp_path: Path, library: Any) -> None:
    others = [Image.new("L", (4, 4), 77)]
    path = save(table(library, [1], mask=others), tmp_path / "pets")

    with pytest.raises(DataError, match=r"picture, mask; say which in data\.image"):
        read(path)
    assert levels(read(path, image="mask")) == [77]


def test_a_table_without_rows_is_refused(tmp_path: Path, library: Any) -> None:
    path = save(table(library, []), tmp_path / "pets")

    with pytest.raises(DataError, match="pets: it can't be loaded"):
        read(path)


@pytest.mark.parametrize("name", ["state.json", "dataset_info.json", "data-00000-of-00001.arrow"])
def test_damage_is_named(tmp_path: Path, library: Any, name: str) -> None:
    path = save(table(library, [1]), tmp_path / "pets")
    (path / name).write_bytes((path / name).read_bytes()[:40])

    with pytest.raises(DataError, match="pets: it can't be loaded"):
        read(path)


@pytest.mark.parametrize("exists", [True, False])
def test_another_folder_is_refused(tmp_path: Path, exists: bool) -> None:
    root = tmp_path / "pets"
    if exists:
        root.mkdir()

    with pytest.raises(DataError, match="holds no data set saved by save_to_disk"):
        read(root)


def test_without_the_package_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dataset_info.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(DataError, match=r"pip install 'gan-toolkit\[huggingface\]'"):
        read(tmp_path)


class TestConformance(DatasetConformance):
    of = "dataset huggingface"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path, library: Any) -> None:
        self.root = tmp_path / "data"
        save(table(library, [4, 9, 2]), self.root)

    def make(self) -> Dataset:
        return read(self.root)
