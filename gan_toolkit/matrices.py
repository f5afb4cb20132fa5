"""Matrices that belong to a score: numbers in rows and columns that have names. Light: no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Style = Literal["heat", "hinton"]
"""How to draw: a tone for each number, or a square whose area it is (a Hinton diagram)."""


@dataclass(frozen=True)
class Matrix:
    """R rows by C columns of numbers; NaN where there is none."""

    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]
    """(R, C)."""
    what: str
    """What a number says, and what rows and columns are, for a caption."""
    style: Style = "heat"
    ceiling: float | None = None
    """The most a number can be, where the scale ends; None: the largest there is."""

    def __post_init__(self) -> None:
        if not self.rows or not self.columns:
            raise ValueError("a matrix needs at least one row and one column")
        shape = len(self.rows), len(self.columns)
        if len(self.values) != shape[0] or any(len(row) != shape[1] for row in self.values):
            found = f"{len(self.values)} rows of {sorted({len(row) for row in self.values})}"
            raise ValueError(f"a matrix with {shape[0]} x {shape[1]} names holds {found} numbers")
        if self.style not in ("heat", "hinton"):
            raise ValueError(f'style = {self.style!r}: "heat" or "hinton"')

    @property
    def top(self) -> float:
        """Where the scale ends: above 0, whatever the numbers are."""
        if self.ceiling is not None and 0 < self.ceiling < math.inf:
            return self.ceiling
        return max((abs(v) for row in self.values for v in row if math.isfinite(v)), default=0) or 1

    @classmethod
    def read(cls, value: object) -> Matrix | None:
        """Return the matrix that a JSON record describes; None when it describes none."""
        if not isinstance(value, Mapping):
            return None
        ceiling = value.get("ceiling")
        try:
            return cls(
                tuple(map(str, value["rows"])),
                tuple(map(str, value["columns"])),
                tuple(tuple(map(_number, row)) for row in value["values"]),
                str(value.get("what", "")),
                value.get("style", "heat"),
                None if ceiling is None else _number(ceiling),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return None


def matrices_of(record: Mapping[str, Any]) -> dict[str, Matrix]:
    """Return the matrices of a score's record by name; what can't be read as one is passed over."""
    listed = record.get("matrices")
    if not isinstance(listed, Mapping):
        return {}
    found = {str(name): Matrix.read(value) for name, value in listed.items()}
    return {name: matrix for name, matrix in found.items() if matrix is not None}


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r:.20} is no number")
    return float(value)
