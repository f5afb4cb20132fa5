"""What holds for every data set that is real where there are files, and else made here."""

from __future__ import annotations

import importlib
import logging
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_toolkit import ArrayDataset, DataError, Dataset, MissingFilesError, PluginError, Registry
from gantk_worlds import gantk_register

READERS: dict[str, dict[str, Any]] = {
    "chairs": {"use": "rendered_chairs", "size": 16},
    "faces": {"use": "dcign_faces", "size": 16},
    "colour_heads": {"use": "celeba", "size": 16},
    "house_numbers": {"use": "svhn"},
    "stacked_digits": {"use": "mnist", "split": "train"},
}
"""The real set of each, and what its reader is asked for beside the folder."""
REAL_NAMES = re.compile(
    r"3D.?chairs|mnist|svhn|celeba|basel|dc-?ign|dsprites|3d.?shapes", re.IGNORECASE
)
MISSING = MissingFilesError("no files in here", "to get them: ask")


def registry() -> Registry:
    offered = Registry()
    gantk_register(offered)
    return offered


OFFERED = registry()
WITH_SOURCE = {
    component.name
    for component in OFFERED.all("dataset")
    if "source" in component.options.model_fields
}


class Reader:
    """Stands for the reader of a real set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def __call__(self, use: str, **options: Any) -> Dataset:
        self.asked.append({"use": use, **options})
        if self._error:
            raise self._error
        kept = real(10)
        return real(20, kept)


def real(count: int, kept: Dataset | None = None) -> ArrayDataset:
    digits = torch.arange(count) % 10
    images = torch.zeros(count, 1, 28, 28, dtype=torch.uint8)
    ten = tuple("0123456789")
    return ArrayDataset("the real ones", "real", images, digits, classes=ten, held_out=kept)


def build(name: str, folder: Path, reader: Reader, **options: Any) -> Dataset:
    component = OFFERED.get("dataset", name)
    small = {"size": 16, "count": 4, "held_out": 2, "cache": str(folder / "cache")}
    if name in {"house_numbers", "stacked_digits"}:
        del small["size"]
    given = small | {"root": str(folder)} | options
    made: Dataset = component.load()(**dict(component.options(**given)), sibling=reader)
    return made


@pytest.fixture(autouse=True)
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks are made of as many drawn digits as MNIST has: too many for a test."""
    stacked = importlib.import_module("gantk_worlds.stacked_digits")
    monkeypatch.setattr(stacked, "_DRAWN", (60, 20))


def test_none_is_forgotten() -> None:
    assert set(READERS) == WITH_SOURCE


@pytest.mark.parametrize("source", ["auto", "real"])
@pytest.mark.parametrize("name", READERS)
def test_the_real_set_is_taken_where_it_is(tmp_path: Path, name: str, source: str) -> None:
    reader = Reader()

    data = build(name, tmp_path, reader, source=source)

    assert data.source == "real"
    assert reader.asked == [{**READERS[name], "root": str(tmp_path)}]


@pytest.mark.parametrize("name", READERS)
def test_synthetic_asks_for_no_file_and_bears_no_real_name(tmp_path: Path, name: str) -> None:
    reader = Reader()

    data = build(name, tmp_path, reader, source="synthetic")

    assert not reader.asked
    assert data.source == "synthetic"
    assert data.name.endswith("-synthetic")
    for text in (data.name, data.notice, *(factor.name for factor in data.factors)):
        assert not REAL_NAMES.search(text)


@pytest.mark.parametrize("error", [MISSING, PluginError("offered by no plugin")])
@pytest.mark.parametrize("name", READERS)
def test_auto_says_in_one_line_what_was_missing_and_what_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, error: Exception
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    data = build(name, tmp_path, Reader(error), source="auto")

    assert data.source == "synthetic"
    line = caplog.messages[0]
    assert line.startswith(("no files in here: ", "offered by no plugin: "))
    assert line.endswith(f"using {data.name}, made here")


@pytest.mark.parametrize("source", ["auto", "real"])
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_an_error_and_no_reason_to_do_without(
    tmp_path: Path, name: str, source: str
) -> None:
    with pytest.raises(DataError, match="it is damaged"):
        build(name, tmp_path, Reader(DataError("it is damaged")), source=source)


@pytest.mark.parametrize("name", READERS)
def test_real_is_never_replaced(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="no files in here; to get them: ask"):
        build(name, tmp_path, Reader(MISSING), source="real")


@pytest.mark.parametrize("name", sorted(set(READERS) - {"stacked_digits"}))
def test_options_that_only_concern_the_other_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    build(name, tmp_path, Reader(), source="real", seed=3)

    (line,) = caplog.messages
    assert line == "the real ones is used: count, held_out, seed, cache have no effect on it"
