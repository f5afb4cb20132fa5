"""The matrices of scores as pictures: heat maps, and Hinton diagrams."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from gan_toolkit import Matrix, Panel, Picture, View, matrices_of, newest_scores
from gantk_panels.plots import SERIES, figure, render

CELL = 0.52
"""Inches of a side."""
MOST_NUMBERS = 900
"""Cells up to which the numbers are written into a picture."""


class MatrixPanel(Panel):
    """The newest matrices that the measures `of`, or all of them, came with."""

    def __init__(self, of: list[str]) -> None:
        self._of = of

    def draw(self, view: View) -> list[Picture]:
        """Return a picture for each matrix, in `matrices/<measure>.<matrix>`; none before."""
        evaluations = [
            (record["step"], record["scores"])
            for record in view.history
            if record.get("event") == "evaluation"
        ]
        return [
            self._picture(view, step, f"{record['measure']}/{name}", matrix)
            for step, record in newest_scores(evaluations)
            if not self._of or record["measure"] in self._of
            for name, matrix in matrices_of(record).items()
        ]

    def _picture(self, view: View, step: int, name: str, matrix: Matrix) -> Picture:
        rows, columns = len(matrix.rows), len(matrix.columns)
        names = 0.085 * max(map(len, matrix.rows))
        width = max(5.0, CELL * columns + names + 0.8)
        when = "" if step == view.step else f", of step {step:,}"
        subtitle = f"{name.replace('/', ': ', 1)}{when}. {matrix.what}"
        height = max(2.4, CELL * rows + 1.7 + 0.06 * max(map(len, matrix.columns)))
        made, axes = figure(width, height, view.title, subtitle, beside=names + 0.5)
        axes.set_anchor("W")
        draw = _squares if matrix.style == "hinton" else _tones
        draw(axes, matrix)
        _labels(axes, matrix)
        folder = f"matrices/{name.replace('/', '.')}"
        return Picture(folder, render(made), f"{subtitle}. {view.title}")


def _tones(axes: Axes, matrix: Matrix) -> None:
    values, top = np.array(matrix.values, dtype=float), matrix.top
    low = -top if (values < 0).any() else 0.0
    scale = colormaps["PuOr_r" if low else "Blues"].with_extremes(bad="#e6e6e6")
    axes.imshow(values, scale, vmin=low, vmax=top, aspect="equal")
    if values.size <= MOST_NUMBERS:
        for (row, column), value in _each(values):
            _write(axes, column, row, value, "white" if abs(value) > 0.68 * top else "#181818")


def _squares(axes: Axes, matrix: Matrix) -> None:
    """Draw squares whose area is the number: blue above zero, hollow and orange below."""
    values, top = np.array(matrix.values, dtype=float), matrix.top
    axes.set_facecolor("#f1f2f4")
    height, width = values.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal")
    for (row, column), value in _each(values):
        if values.size <= MOST_NUMBERS:
            _write(axes, column, row + 0.36, value, "#181818")
        if not math.isfinite(value):
            continue
        side = 0.62 * math.sqrt(min(abs(value) / top, 1.0))
        corner = column - side / 2, row - 0.12 - side / 2
        colour = SERIES[0] if value >= 0 else SERIES[1]
        face = colour if value >= 0 else "none"
        axes.add_patch(Rectangle(corner, side, side, facecolor=face, edgecolor=colour))


def _each(values: npt.NDArray[Any]) -> Iterator[tuple[tuple[int, int], float]]:
    """Return the place and the number of each cell."""
    for row, numbers in enumerate(values.tolist()):
        for column, value in enumerate(numbers):
            yield (row, column), value


def _write(axes: Axes, x: float, y: float, value: float, ink: str) -> None:
    text = "–" if not math.isfinite(value) else f"{value:.2f}" if value else "0"  # noqa: RUF001
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color=ink)


def _labels(axes: Axes, matrix: Matrix) -> None:
    axes.set_xticks(range(len(matrix.columns)), labels=list(matrix.columns))
    axes.set_yticks(range(len(matrix.rows)), labels=list(matrix.rows))
    axes.tick_params(length=0, labelsize=8)
    if max(map(len, matrix.columns)) > 6:
        axes.tick_params("x", rotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(matrix.columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(matrix.rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=1.5)
    axes.tick_params(which="minor", length=0)
