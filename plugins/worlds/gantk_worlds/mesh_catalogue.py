"""Packs of models for Sweet Home 3D: a zip (.sh3f) with models and a catalogue of them.

The catalogue is a Java properties file in Latin-1 with numbered keys: `name#7`, `model#7`,
`width#7`. Of its models only those are listed that one sits on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gan_toolkit import DataError
from gantk_worlds.mesh_files import MeshFiles

CATALOGUE = "PluginFurnitureCatalog.properties"
_LARGEST = 1 << 22
_LENGTHS = (1e-3, 1e6)  # cm
_ENTRIES = (-1.000001, 1.000001)
"""Of a rotation; rounded."""
_LONGEST = 200
_SEAT = re.compile(r"chair|stool|seat", re.IGNORECASE)
_NO_SEAT = re.compile(r"wheelchair|sofa|seat leon", re.IGNORECASE)  # a car
_PROPERTY = re.compile(r"([^\s=:]+)\s*[=:\s]\s*(.*)")
_NUMBERED = re.compile(r"(\w+)#(\d{1,9})")
_BREAK = re.compile(r"\r\n?|\n")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")

Item = Mapping[str, str]


@dataclass(frozen=True)
class Listed:
    """A model that was found but not read yet."""

    place: Path
    """The pack or folder it is in."""
    file: str
    """Its OBJ file there."""
    name: str
    """Unlike all others: pack or folder, then the model."""
    pack: str
    creator: str
    licence: str
    rotation: tuple[float, ...] | None = None
    """Nine numbers, row by row; applied first."""
    size: tuple[float, float, float] | None = None
    """Width, height and depth in cm; applied next."""


def listed_in_pack(files: MeshFiles) -> list[Listed]:
    """Return the models of a pack one sits on; DataError naming the key that makes no sense."""
    if CATALOGUE not in files.sizes:
        raise DataError(f"{files.path}: no {CATALOGUE} in it; a .sh3f is a zip with one")
    if files.sizes[CATALOGUE] > _LARGEST:
        found = f"{files.sizes[CATALOGUE]:,} bytes"
        raise DataError(f"{files.path}: {CATALOGUE} has {found}, the limit is {_LARGEST:,}")
    head, items = _properties(files.read(CATALOGUE).decode("latin-1"))
    seats = [number for number, item in sorted(items.items()) if _is_seat(item.get("name", ""))]
    return [_Entry(files, number, items[number]).listed(head) for number in seats]


class _Entry:
    """One numbered item of a catalogue."""

    def __init__(self, files: MeshFiles, number: int, item: Item) -> None:
        self._files = files
        self._number = number
        self._item = item

    def listed(self, head: Item) -> Listed:
        pack = self._files.path.stem
        width, depth, height = (self._length(key) for key in ("width", "depth", "height"))
        return Listed(
            place=self._files.path,
            file=self._model(),
            name=f"{pack}/{printable(self._item['name'])} {self._number}",
            pack=pack,
            creator=printable(self._item.get("creator", "unknown")),
            licence=printable(head.get("license", "terms of the data: check")),
            rotation=self._rotation(),
            size=(width, height, depth),
        )

    def _model(self) -> str:
        model = self._item.get("model", "")
        found = self._files.near("", model) if model else None
        if found is None or not found.lower().endswith(".obj"):
            raise self._error("model", "an OBJ file in this pack")
        return found

    def _length(self, key: str) -> float:
        return self._numbers(key, 1, _LENGTHS, "a length in cm")[0]

    def _rotation(self) -> tuple[float, ...] | None:
        if "modelRotation" not in self._item:
            return None
        return self._numbers("modelRotation", 9, _ENTRIES, "nine numbers from -1 to 1")

    def _numbers(
        self, key: str, count: int, limits: tuple[float, float], wanted: str
    ) -> tuple[float, ...]:
        low, high = limits
        try:
            numbers = tuple(map(float, self._item.get(key, "").split()))
        except ValueError:
            numbers = ()
        # A comparison with NaN is false.
        if len(numbers) != count or not all(low <= number <= high for number in numbers):
            raise self._error(key, wanted)
        return numbers

    def _error(self, key: str, wanted: str) -> DataError:
        found = repr(printable(self._item[key])) if key in self._item else "missing"
        where = f"{self._files.path}: {CATALOGUE}: {key}#{self._number}"
        return DataError(f"{where}: {found}; expected {wanted}")


def printable(text: str) -> str:
    """Return a stranger's text in one line that can be shown anywhere."""
    words = " ".join(text[:_LONGEST].split())
    return "".join(character if character.isprintable() else "?" for character in words)


def _is_seat(name: str) -> bool:
    return bool(_SEAT.search(name)) and not _NO_SEAT.search(name)


def _properties(text: str) -> tuple[Item, dict[int, dict[str, str]]]:
    """Return the properties of the pack, and those of each item."""
    head: dict[str, str] = {}
    items: dict[int, dict[str, str]] = defaultdict(dict)
    for line in _logical_lines(text):
        if parts := _PROPERTY.fullmatch(line):
            key, value = parts[1], _ESCAPE.sub(_character, parts[2]).strip()
            if numbered := _NUMBERED.fullmatch(key):
                items[int(numbered[2])][numbered[1]] = value
            else:
                head[key] = value
    return head, items


def _logical_lines(text: str) -> Iterator[str]:
    """Yield lines that are no comments; an odd backslash at the end of one joins the next."""
    joined = ""
    for part in _BREAK.split(text):
        line = part.lstrip()
        if not joined and line.startswith(("#", "!")):
            continue
        if (len(line) - len(line.rstrip("\\"))) % 2:
            joined += line[:-1]
            continue
        yield joined + line
        joined = ""


def _character(escape: re.Match[str]) -> str:
    """Return what an escape stands for: a code, or the character itself."""
    code = escape[1]
    return chr(int(code[1:], 16)) if len(code) == 5 else {"t": "\t", "n": "\n"}.get(code, code)
