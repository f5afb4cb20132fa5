"""Matrices as the page shows them: tables of numbers, each on a tone or under a square.

They are tables, so that somebody who can't see them can read them cell by cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan_toolkit.matrices import Matrix, matrices_of
from gan_toolkit.wording import figure

TONES = 20
"""Steps of the scale, as the style sheet has them."""
MOST_CELLS, MOST_IN_ALL = 1_600, 8_000
"""Of a table, and of all on a page: 8,000 take 0.4 MB."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """One number."""

    text: str
    tone: int
    """Its share of the top of the scale, in steps."""
    negative: bool = False


@dataclass(frozen=True)
class Plate:
    """One matrix."""

    title: str
    caption: str
    hinton: bool
    """Whether the area of a square says what else a tone says."""
    columns: Sequence[str]
    rows: list[tuple[str, list[Cell]]]
    void: str
    """Why it must not be used."""
    left_out: str = ""
    """Why there are no rows."""


class Plates:
    """What draws the matrices of a page, while there is room."""

    def __init__(self) -> None:
        self._left = MOST_IN_ALL

    def of(self, records: Sequence[Record]) -> list[Plate]:
        """Return the matrices of some scores."""
        return [
            self._plate(name, matrix, record)
            for record in records
            for name, matrix in matrices_of(record).items()
        ]

    def _plate(self, name: str, matrix: Matrix, record: Record) -> Plate:
        count = len(matrix.rows) * len(matrix.columns)
        fits = count <= min(MOST_CELLS, self._left)
        self._left -= count if fits else 0
        shape = f"{len(matrix.rows)} rows of {len(matrix.columns)}"
        return Plate(
            name,
            _caption(matrix, record),
            matrix.style == "hinton",
            matrix.columns if fits else (),
            [(row, _cells(matrix, at)) for at, row in enumerate(matrix.rows)] if fits else [],
            str(record.get("void") or ""),
            "" if fits else f"{shape}: too large for this page",
        )


def _caption(matrix: Matrix, record: Record) -> str:
    count, split = record.get("count"), record.get("split")
    samples = f"{count:,} samples" if isinstance(count, int) and count > 0 else ""
    which = f"{split} samples" if split and not samples else f"{samples}, {split}"
    return "; ".join(filter(None, (matrix.what, which if split else samples)))


def _cells(matrix: Matrix, row: int) -> list[Cell]:
    top = matrix.top
    return [_cell(value, top) for value in matrix.values[row]]


def _cell(value: float, top: float) -> Cell:
    if not math.isfinite(value):
        return Cell("–", 0)  # noqa: RUF001 - a dash: there is no number
    share = min(abs(value) / top, 1.0)
    text = f"{value:.2f}" if top <= 1 and value else figure(value)
    return Cell(text, round(share * TONES), negative=value < 0)
