"""Tables people write beside their pictures: a row a picture, as CSV or JSON.

| file | rows |
|---|---|
| else | CSV: line 1 names the columns, the first column files; commas, semicolons or tabs |
| `.json` | `[{"file": "a.png", "label": "cat"}, …]`: the first key of each names the file |
| `.json` | `{"a.png": "cat", …}`, or with objects for values |
| `.json` | `{"labels": [["a.png", 3], …]}`, as StyleGAN's `dataset.json` |
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from gan_toolkit import DataError
from gantk_data.archives.trees import few, shown

Cell = str | int | float | bool
"""CSV holds texts; JSON knows numbers."""
Row = tuple[str, str, Mapping[str, Any]]
"""Where it stands, the file it names, and its other columns."""

LABEL = "label"
_LARGEST = 1 << 28
_SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Table:
    """A row for each file."""

    path: Path
    names: list[str]
    places: list[str]
    """Where each row stands, such as `labels.csv:7`."""
    columns: dict[str, list[Cell]]

    def rows_of(self, files: Sequence[str], owner: Path) -> list[int]:
        """Return the row of each of the `files` of `owner`; DataError unless they match exactly."""
        rows = {name: row for row, name in enumerate(self.names)}
        unknown = rows.keys() - set(files)
        if unknown:
            first = [f"{self.places[rows[name]]} {name}" for name in self.names if name in unknown]
            raise DataError(
                f"{len(unknown):,} of {len(rows):,} rows name no image of {shown(str(owner))}: "
                f"{few(first)}; there is {few(files)}"
            )
        lacking = [name for name in files if name not in rows]
        if lacking:
            raise DataError(
                f"{shown(str(self.path))}: {len(lacking):,} of {len(files):,} images of "
                f"{shown(str(owner))} have no row: {few(lacking)}; add rows, or remove the images"
            )
        return [rows[name] for name in files]


def read_table(path: Path) -> Table:
    """Read a table; DataError naming file and line of what is wrong with it."""
    rows = _json_rows(path) if path.suffix.lower() == ".json" else _csv_rows(path)
    return _table(path, rows)


def _table(path: Path, rows: Iterable[Row]) -> Table:
    names: dict[str, str] = {}
    columns: dict[str, list[Cell]] = {}
    for place, raw, cells in rows:
        name = raw.removeprefix("./")
        twin = names.setdefault(name, place)
        if twin is not place:
            raise DataError(f"{place}: {shown(name)} has a row already, {twin}")
        if len(names) == 1:
            columns = {column: [] for column in cells}
        if cells.keys() != columns.keys():
            found, first = few(sorted(cells)), few(sorted(columns))
            raise DataError(f"{place}: its columns are {found}; those of the first row are {first}")
        for column, cell in cells.items():
            if not isinstance(cell, str | int | float):
                found = f"{shown(column)} is {shown(json.dumps(cell))[:40]}"
                raise DataError(f"{place}: {found}; a value is a text or a number")
            columns[column].append(cell)
    if not names:
        raise DataError(f"{shown(str(path))}: it has no row")
    return Table(path, list(names), list(names.values()), columns)


def _csv_rows(path: Path) -> Iterator[Row]:
    where = shown(str(path))
    _check_size(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            separator = max(_SEPARATORS, key=head.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            try:
                yield from _rows(where, reader)
            except csv.Error as error:
                raise DataError(f"{where}:{reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: it is not UTF-8 ({error.reason}); save it as UTF-8") from error
    except OSError as error:
        raise DataError(f"{where}: {error.strerror or error}") from error


def _rows(where: str, reader: Any) -> Iterator[Row]:
    head: list[str] = []
    for cells in reader:
        place = f"{where}:{reader.line_num}"
        if not cells:
            continue
        if not head:
            head = [cell.strip() for cell in cells]
            _check_head(place, head)
        elif len(cells) != len(head):
            raise DataError(f"{place}: {len(cells)} cells, line 1 names {len(head)} columns")
        else:
            yield place, cells[0], dict(zip(head[1:], map(str.strip, cells[1:]), strict=True))


def _check_head(place: str, head: list[str]) -> None:
    if len(head) < 2:
        raise DataError(f"{place}: one column only; expected the files' names, then others")
    twins = [name for name in head if not name or head.count(name) > 1]
    if twins:
        what = f"two columns are named {twins[0]!r}" if twins[0] else "a column has no name"
        raise DataError(f"{place}: {what}; the first line names the columns")


def _json_rows(path: Path) -> Iterator[Row]:
    where = shown(str(path))
    _check_size(path)
    try:
        value = json.loads(path.read_bytes(), parse_constant=_refuse, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: it is no JSON that could be a table: {error}") from error
    except OSError as error:
        raise DataError(f"{where}: {error.strerror or error}") from error
    if isinstance(value, dict) and isinstance(value.get("labels"), list):
        value = [_pair(where, number, pair) for number, pair in enumerate(value["labels"], 1)]
    if isinstance(value, dict):
        yield from ((f"{where}: {shown(name)}", name, _cells(own)) for name, own in value.items())
        return
    if not isinstance(value, list):
        raise DataError(f"{where}: it is neither a list of objects nor an object of files' names")
    for number, entry in enumerate(value, 1):
        place = f"{where}: entry {number}"
        first = next(iter(entry.values()), None) if isinstance(entry, dict) else None
        if not isinstance(first, str):
            raise DataError(f"{place}: its first key must hold the name of a file")
        yield place, first, dict(list(entry.items())[1:])


def _pair(where: str, number: int, pair: Any) -> dict[str, Any]:
    if not (isinstance(pair, list) and len(pair) == 2):
        raise DataError(f"{where}: labels, entry {number}: expected a file's name and its label")
    return {"file": pair[0], LABEL: pair[1]}


def _cells(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {LABEL: value}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twin!r} occurs twice in an object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _check_size(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{shown(str(path))}: {error.strerror or error}") from error
    if size > _LARGEST:
        raise DataError(f"{shown(str(path))}: {size:,} bytes, the limit is {_LARGEST:,}")
