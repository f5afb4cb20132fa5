"""CelebA's text files: attributes, landmarks and the partition, a line a picture."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, Factor
from gantk_data.archives.trees import shown

ATTRIBUTES = "list_attr_celeba.txt"
LANDMARKS = "list_landmarks_align_celeba.txt"
PARTITION = "list_eval_partition.txt"
PARTS = ("train", "valid", "test")
CLAIMED = (
    "Bald",
    "Bangs",
    "Eyeglasses",
    "Receding_Hairline",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
)
"""Attributes for what the InfoGAN paper says its codes found: glasses, hair, emotion."""
_POINTS = ("lefteye", "righteye", "nose", "leftmouth", "rightmouth")
_LARGEST = 1 << 28
_COLUMN = re.compile(r"\w+", re.ASCII)
_FARTHEST = 2.0


@dataclass(frozen=True)
class Table:
    """What a file says of each picture."""

    path: Path
    pictures: list[str]
    """Names of files, in the order of the lines."""
    columns: tuple[str, ...]
    values: NDArray[np.int64]
    """(N, columns)."""

    def of(self, pictures: Collection[str]) -> NDArray[np.int64]:
        """Return the lines of these pictures; DataError unless all pictures are listed, no more."""
        lines = {picture: line for line, picture in enumerate(self.pictures)}
        lacking = lines.keys() - set(pictures)
        unlisted = [picture for picture in pictures if picture not in lines]
        for which, what in ((unlisted, "are not listed in it"), (lacking, "are not there")):
            if which:
                example = f"{len(which):,} pictures {what}, such as {min(which)}"
                raise DataError(f"{shown(str(self.path))}: {example}; get the set again")
        return self.values[[lines[picture] for picture in pictures]]


def read_attributes(path: Path) -> Table:
    """Read `list_attr_celeba.txt`; values are 0 and 1."""
    table = _read(path, headed=True)
    _check(table, np.isin(table.values, (-1, 1)), "an attribute is -1 or 1")
    return Table(path, table.pictures, table.columns, (table.values + 1) // 2)


def read_landmarks(path: Path) -> Table:
    """Read `list_landmarks_align_celeba.txt`; values are pixels of the aligned picture."""
    table = _read(path, headed=True)
    expected = tuple(f"{point}_{axis}" for point in _POINTS for axis in "xy")
    if table.columns != expected:
        found = " ".join(table.columns)
        raise DataError(f"{shown(str(path))}: its columns are {found}, not {' '.join(expected)}")
    return table


def read_partition(path: Path) -> Table:
    """Read `list_eval_partition.txt`; values are indices of `PARTS`."""
    table = _read(path, headed=False)
    _check(table, np.isin(table.values, range(len(PARTS))), "a part is 0, 1 or 2")
    return table


def attribute_factors(columns: tuple[str, ...], scored: str) -> list[Factor]:
    """Describe the attributes; `scored` is "claimed" or "all"."""
    return [
        Factor(name, "discrete", ("no", "yes"), scored=scored == "all" or name in CLAIMED)
        for name in columns
    ]


def landmark_factors(width: int, height: int) -> list[Factor]:
    """Describe what `with_azimuth` returns."""
    azimuth = Factor("azimuth_proxy", "continuous", low=-_FARTHEST, high=_FARTHEST)
    return [
        azimuth,
        *(
            Factor(f"{point}_{axis}", "continuous", high=side, unit="px", scored=False)
            for point in _POINTS
            for axis, side in (("x", width), ("y", height))
        ),
    ]


def with_azimuth(landmarks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return (N, 11): a stand-in for the azimuth, then the ten landmarks.

    CelebA knows no azimuth, but its pictures are turned and scaled by the eyes, so that the nose
    moves between them as a head turns: -1 is below the eye at the left of the picture, 1 below
    the other, 0 midway. It is cut at -2 and 2; eyes less than a pixel apart count as one apart.
    """
    left, right, nose = landmarks[:, 0], landmarks[:, 2], landmarks[:, 4]
    turned = 2 * (nose - left) / np.maximum(right - left, 1) - 1
    azimuth = np.clip(turned, -_FARTHEST, _FARTHEST)
    return np.column_stack([azimuth, landmarks]).astype(np.float32)


def _read(path: Path, headed: bool) -> Table:
    """Read lines of a name and integers; `headed` by their number and the columns' names."""
    lines = _lines(path)
    columns: tuple[str, ...] = ("part",)
    first = 0
    if headed:
        first, columns = 2, tuple(lines[1].split()) if len(lines) > 1 else ()
        if not columns or not all(map(_COLUMN.fullmatch, columns)):
            raise DataError(f"{shown(str(path))}: line 2 does not name the columns")
        if lines[0].strip() != str(len(lines) - first):
            said = f"line 1 promises {lines[0].strip()[:20]!r} pictures"
            raise DataError(f"{shown(str(path))}: {said}, {len(lines) - first:,} are listed")
    pictures = [(line.split(None, 1) or [""])[0] for line in islice(lines, first, None)]
    values = _numbers(path, lines[first:], len(columns), first)
    if len(set(pictures)) < len(pictures):
        raise DataError(f"{shown(str(path))}: a picture is listed twice")
    return Table(path, pictures, columns, values)


def _lines(path: Path) -> list[str]:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise DataError(f"{shown(str(path))}: {size:,} bytes, the limit is {_LARGEST:,}")
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{shown(str(path))}: it can't be read: {error}") from error
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{shown(str(path))}: it is empty")
    return lines


def _numbers(path: Path, lines: list[str], columns: int, first: int) -> NDArray[np.int64]:
    try:
        values = np.empty((len(lines), columns), dtype=np.int64)
        for number, line in enumerate(lines):
            values[number] = np.array(line.split()[1:], dtype=np.int16).reshape(columns)
    except (ValueError, OverflowError) as error:
        where = f"line {first + number + 1}"
        expected = f"a file's name and {columns} whole numbers"
        raise DataError(f"{shown(str(path))}: {where} is not {expected}: {line[:60]!r}") from error
    return values


def _check(table: Table, good: NDArray[Any], rule: str) -> None:
    bad = np.argwhere(~good)
    if len(bad):
        row, column = bad[0]
        picture, value = table.pictures[row], table.values[row, column]
        raise DataError(f"{shown(str(table.path))}: {picture} has {value}; {rule}")
