"""Data sets of Hugging Face's `datasets` that were saved to disk. No network is ever reached.

The library reads Arrow tables and JSON here, no code of the set. Pictures come out as the files
they were made of, and are decoded by our own guarded decoder.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gan_toolkit import ArrayDataset, DataError, did_you_mean
from gantk_data.archives import open_tree
from gantk_data.archives.trees import Tree, shown
from gantk_data.collection import Look, collect
from gantk_data.formats.tables import Cell
from gantk_data.meanings import Meaning, meaning_of
from gantk_data.options import Background, FactorKind, Resize
from gantk_data.sources import SOURCES

_MARKS = ("dataset_dict.json", "dataset_info.json")
_OFFLINE = {
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
}
_ROW = "row "


class TableTree(Tree):
    """The pictures of a column, as files named `row 0`, `row 1` …."""

    def __init__(self, path: Path, table: Any, column: str, stamp: str) -> None:
        self.path = path
        self._pictures = table.select_columns([column])
        self._column = column
        self._stamp = stamp

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:  # noqa: ARG002
        """Return a text for the files, the split and the column."""
        return self._stamp

    def names(self) -> list[str]:
        """Return the names of all rows."""
        return [f"{_ROW}{number}" for number in range(len(self._pictures))]

    def read(self, name: str) -> bytes:
        """Return the file in a row; DataError if it holds none."""
        try:
            held = self._pictures[int(name.removeprefix(_ROW))][self._column]
        except Exception as error:  # whatever a damaged table makes its library raise
            raise DataError(f"{type(error).__name__}: {error}") from error
        data = (held or {}).get("bytes")
        if not isinstance(data, bytes):
            raise DataError("it holds no picture, but at most the path of one")
        return data


def huggingface(
    root: str | Path,
    split: str | None,
    held_out: str | None,
    image: str | None,
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
    size: int,
    channels: int,
    resize: Resize,
    background: Background,
    skip_bad: bool,
    max_pixels: int,
) -> ArrayDataset:
    """Return the pictures of a split, in the order of its rows."""
    root = Path(root)
    look = Look(size, channels, resize, background, max_pixels)
    splits = _load(root)
    own = _chosen(splits, split, "split", root)

    def part(name: str, kept: ArrayDataset | None = None) -> ArrayDataset:
        return _part(root, name, splits[name], (image, label, factors), look, skip_bad, kept)

    if held_out is None:
        return part(own)
    other = _chosen(splits, held_out, "held_out", root)
    if other == own:
        raise DataError(
            f"{shown(str(root))}: data.held_out = {held_out!r} is the split that is trained on; "
            "name another, or leave it out"
        )
    return part(own, part(other))


def _load(root: Path) -> dict[str, Any]:
    """Return the tables of a folder by split; the name of an only one may be empty."""
    where = shown(str(root))
    if not any((root / mark).is_file() for mark in _MARKS):
        raise DataError(
            f"data.root: {where} holds no data set saved by save_to_disk (no "
            f"{', no '.join(_MARKS)})"
        )
    with _offline():
        library = _library()
        try:
            found = library.load_from_disk(str(root.resolve()), keep_in_memory=False)
            tables = dict(found) if isinstance(found, dict) else {"": found}
            return {name: _undecoded(library, table) for name, table in tables.items()}
        except Exception as error:  # whatever damage makes the library raise
            what = f"{type(error).__name__}: {error}"
            raise DataError(f"{where}: it can't be loaded: {what}") from error


def _library() -> Any:
    try:
        # Not imported above: it comes with an extra, and all other readers do without it.
        return importlib.import_module("datasets")
    except ImportError as error:
        raise DataError(
            "huggingface reads with the package datasets, which is not installed: "
            "pip install 'gan-toolkit[huggingface]'"
        ) from error


@contextmanager
def _offline() -> Iterator[None]:
    """Let the library load without network, reports and progress, whatever it warns of."""
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(_OFFLINE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _undecoded(library: Any, table: Any) -> Any:
    """Return a table whose pictures come as files."""
    for name, feature in table.features.items():
        if isinstance(feature, library.Image):
            table = table.cast_column(name, library.Image(decode=False))
    return table


def _chosen(splits: Mapping[str, Any], name: str | None, option: str, root: Path) -> str:
    if name is None and ("train" in splits or len(splits) == 1):
        return "train" if "train" in splits else next(iter(splits))
    if name is None or name not in splits:
        known = ", ".join(map(shown, splits)) if "" not in splits else "none, it is one table"
        close = did_you_mean(name or "", splits)
        raise DataError(f"{shown(str(root))}: data.{option} = {name!r}; its splits: {known}{close}")
    return name


def _part(
    root: Path,
    split: str,
    table: Any,
    columns: tuple[str | None, str | None, Mapping[str, FactorKind] | None],
    look: Look,
    skip_bad: bool,
    held_out: ArrayDataset | None,
) -> ArrayDataset:
    image, label, factors = columns
    where = f"{shown(str(root))}: {split}".removesuffix(": ")
    image = _column(table, image, "Image", "image", where)
    with open_tree(root) as files:
        stamp = f"{files.stamp()} {split} {image}"
    tree = TableTree(root, table, image, stamp)
    found = collect("huggingface", tree, lambda rows: rows.names(), look, skip_bad)
    meaning = _meaning(table, label, factors, where).of(found.good)
    return ArrayDataset(
        " ".join(filter(None, (shown(root.resolve().name), split))),
        "real",
        found.images,
        meaning.labels,
        meaning.factors,
        classes=meaning.classes,
        descriptions=meaning.descriptions,
        notice=SOURCES["huggingface"].licence,
        held_out=held_out,
        fingerprint=meaning.fingerprint(found.fingerprint),
    )


def _column(table: Any, name: str | None, kind: str, option: str, where: str) -> str:
    """Return the column of a kind; DataError unless it is the only one, or named."""
    fitting = [key for key, feature in table.features.items() if type(feature).__name__ == kind]
    if name is None and len(fitting) == 1:
        return fitting[0]
    if name is None or name not in fitting:
        asked = f"data.{option} = {name!r} is none" if name else f"say which in data.{option}"
        known = ", ".join(map(shown, fitting)) or "none"
        raise DataError(f"{where}: its columns of kind {kind}: {known}; {asked}")
    return name


def _meaning(
    table: Any, label: str | None, factors: Mapping[str, FactorKind] | None, where: str
) -> Meaning:
    """Return classes, by themselves if one column alone names some, and factors."""
    named = {key: f.names for key, f in table.features.items() if type(f).__name__ == "ClassLabel"}
    own = next(iter(named)) if label is None and len(named) == 1 else label
    wanted = [*filter(None, [own]), *(factors or {})]
    for name in wanted:
        if name not in table.features:
            known = ", ".join(map(shown, table.features))
            close = did_you_mean(name, table.features)
            raise DataError(f"{where}: no column is named {name!r}; known: {known}{close}")
    if not wanted:
        return Meaning()
    columns = {name: _cells(table, name, named.get(name), where) for name in wanted}
    places = [f"{where}: {_ROW}{number}" for number in range(len(table))]
    meaning = meaning_of(columns, places, own, factors or {}, where)
    if own in named:  # its names keep their order, and those that no row has count too
        labels = np.array(table[own][:], dtype=np.int64)
        return meaning._replace(labels=labels, classes=tuple(map(shown, named[own])))
    return meaning


def _cells(table: Any, name: str, names: list[str] | None, where: str) -> list[Cell]:
    found: list[Any] = list(table[name][:])
    cells: list[Cell] = []
    for number, value in enumerate(found):
        if names is not None and isinstance(value, int) and 0 <= value < len(names):
            cells.append(names[value])
        elif names is None and isinstance(value, str | int | float):
            cells.append(value)
        else:
            what = f"{shown(name)} is {value!r}"[:80]
            expected = "a class" if names is not None else "a text or a number"
            raise DataError(f"{where}: {_ROW}{number}: {what}, expected {expected}")
    return cells
