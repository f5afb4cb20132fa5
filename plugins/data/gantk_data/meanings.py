"""What columns of a table mean: the class of each sample, and its factors."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, Factor, did_you_mean
from gantk_data.archives.trees import shown
from gantk_data.formats.tables import LABEL, Cell
from gantk_data.options import FactorKind

_CLASS_COLUMNS = (LABEL, "class")
MOST_VALUES = 1000
_LARGEST = float(np.finfo(np.float32).max)


class Meaning(NamedTuple):
    """What is known of each sample; K factors of N samples."""

    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    factors: NDArray[np.float32] | None = None
    """(N, K)."""
    descriptions: tuple[Factor, ...] = ()

    def of(self, rows: NDArray[np.bool_] | Sequence[int]) -> Meaning:
        """Return the same of some samples."""
        labels = None if self.labels is None else self.labels[rows]
        factors = None if self.factors is None else self.factors[rows]
        return self._replace(labels=labels, factors=factors)

    def fingerprint(self, images: str) -> str:
        """Return the fingerprint of images of that fingerprint together with this."""
        if self.labels is None and self.factors is None:
            return images
        digest = hashlib.sha256(f"{images} {self.classes} {self.descriptions}".encode())
        for array in (self.labels, self.factors):
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()


def meaning_of(
    columns: Mapping[str, Sequence[Cell]],
    places: Sequence[str],
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
    where: str,
) -> Meaning:
    """Return what `columns` mean; `places` says where each row stands, `where` the table.

    The column `label` holds classes; without it, one of that name does. `factors` names the columns
    that are factors; without it, all others are: of numbers continuous, of texts discrete. Raises
    DataError naming the row of a value that doesn't fit.
    """
    for name in (*filter(None, [label]), *(factors or {})):
        if name not in columns:
            known = ", ".join(map(shown, columns)) or "none"
            close = did_you_mean(name, columns)
            raise DataError(f"{where}: no column is named {name!r}; known: {known}{close}")
    own = [name for name in _CLASS_COLUMNS if name in columns and name not in (factors or {})]
    label = label or next(iter(own), None)
    labels, classes = (None, ()) if label is None else _classes(columns[label], places, label)
    if factors is None:
        factors = {name: _kind(columns[name], places, name) for name in columns if name != label}
    made = [_factor(columns[name], places, name, kind) for name, kind in factors.items()]
    if labels is None and not made:
        raise DataError(f"{where}: it says nothing of the images")
    values = np.stack([column for column, _ in made], axis=1) if made else None
    return Meaning(labels, classes, values, tuple(factor for _, factor in made))


def _classes(
    cells: Sequence[Cell], places: Sequence[str], name: str
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    texts = _texts(cells, places, name)
    values = sorted(set(texts), key=_number_first)
    return _indices(texts, values), tuple(map(shown, values))


def _factor(
    cells: Sequence[Cell], places: Sequence[str], name: str, kind: FactorKind
) -> tuple[NDArray[np.float32], Factor]:
    if kind == "continuous":
        column = _numbers(cells, places, name)
        low, high = float(column.min()), float(column.max())
        return column, Factor(shown(name), kind, low=low, high=high)
    texts = _texts(cells, places, name)
    values = sorted(set(texts), key=_number_first)
    if len(values) > MOST_VALUES:
        raise DataError(
            f"{places[0]}: {shown(name)} has {len(values):,} different values, a discrete factor "
            f"has at most {MOST_VALUES:,}; name the columns that are factors in data.factors"
        )
    column = _indices(texts, values).astype(np.float32)
    return column, Factor(shown(name), kind, tuple(map(shown, values)))


def _kind(cells: Sequence[Cell], places: Sequence[str], name: str) -> FactorKind:
    """Guess what a column is; DataError if one could as well guess otherwise."""
    is_number = [_number(cell) is not None for cell in cells]
    if all(is_number):
        return "continuous"
    if any(is_number):
        number, text = is_number.index(True), is_number.index(False)
        raise DataError(
            f"{places[text]}: {shown(name)} is {_quoted(cells[text])}, but {places[number]} has "
            f"{_quoted(cells[number])}; mend it, or say what the column is: data.factors = "
            f'{{ "{shown(name)}" = "discrete" }}'
        )
    return "discrete"


def _numbers(cells: Sequence[Cell], places: Sequence[str], name: str) -> NDArray[np.float32]:
    column = np.empty(len(cells), dtype=np.float32)
    for row, cell in enumerate(cells):
        value = _number(cell)
        if value is None:
            raise DataError(f"{places[row]}: {shown(name)} is {_quoted(cell)}, not a number")
        column[row] = value
    return column


def _texts(cells: Sequence[Cell], places: Sequence[str], name: str) -> list[str]:
    texts = [str(cell) for cell in cells]
    if "" in texts:
        raise DataError(f"{places[texts.index('')]}: {shown(name)} is empty")
    return texts


def _indices(texts: Sequence[str], values: Sequence[str]) -> NDArray[np.int64]:
    index = {value: number for number, value in enumerate(values)}
    return np.array([index[text] for text in texts], dtype=np.int64)


def _number(cell: Cell) -> float | None:
    """Return the number a cell holds, of a size that float32 holds too."""
    if isinstance(cell, bool) or (isinstance(cell, str) and "_" in cell):
        return None
    try:
        value = float(cell)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) and abs(value) <= _LARGEST else None


def _number_first(text: str) -> tuple[bool, float, str]:
    """Sort 2 before 10, and numbers before words."""
    value = _number(text)
    return (value is None, value or 0.0, text)


def _quoted(cell: Cell) -> str:
    return repr(cell)[:40]
