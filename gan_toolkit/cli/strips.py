"""All values that seeds make of one score, as the places of a drawing: nobody shows only the best.

A dot is a run; dots that would hide each other stand one above the other. The bar reaches from the
first quartile to the third, the thick line is the median. The axis holds chance and the most a
value can be, where they are known, so that a small difference does not look large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gan_toolkit.charts import Tick, scale, tick_label, ticks
from gan_toolkit.comparison import Family, Spread
from gan_toolkit.wording import figure

WIDTH, RADIUS, MARGIN = 420, 5, 24
BASE = 34
"""From the axis to the middle of the lowest dots, upwards; the axis has room below it."""
BELOW = 26


@dataclass(frozen=True)
class Dot:
    """One run."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Strip:
    """One drawing, all places in its own coordinates."""

    title: str
    height: float
    axis: float
    dots: list[Dot]
    median: float
    box: tuple[float, float] | None
    """Left end and width; None when quartiles would say more than is known."""
    levels: list[Tick]
    across: list[Tick]
    summary: str
    """What somebody who can't see it should know: every value."""


def strips(family: Family) -> list[Strip]:
    """Return a drawing for each score that at least two runs have."""
    names = [f"seed {side.seed}" for side in family.sides]
    return [_strip(spread, names) for spread in family.spreads if spread.count > 1]


def _strip(spread: Spread, names: Sequence[str]) -> Strip:
    known = [(v, name) for v, name in zip(spread.values, names, strict=True) if v is not None]
    levels = [
        (value, f"{what} {figure(value)}")
        for value, what in ((spread.chance, "chance"), (spread.ceiling, "at most"))
        if value is not None
    ]
    ends = scale([*(value for value, _ in known), *(value for value, _ in levels)])
    marks = ticks(ends, 5)
    dots = list(_stacked([(_x(value, ends), f"{name}: {figure(value)}") for value, name in known]))
    top = min(dot.y for dot in dots) - 2 * RADIUS - 12
    moved = [Dot(dot.x, dot.y - top, dot.label) for dot in dots]
    assert spread.median is not None, "there are two values"
    quartiles = None if spread.low is None or spread.high is None else (spread.low, spread.high)
    box = quartiles and (
        _x(quartiles[0], ends),
        max(round(_x(quartiles[1], ends) - _x(quartiles[0], ends), 1), 1.0),
    )
    return Strip(
        f"{spread.measure} {spread.name}" + (f", {spread.unit}" if spread.unit else ""),
        BELOW - top,
        -top,
        moved,
        _x(spread.median, ends),
        box,
        [Tick(_x(value, ends), label) for value, label in levels],
        [Tick(_x(value, ends), tick_label(value, marks)) for value in marks],
        _summary(spread, [dot.label for dot in dots], [label for _, label in levels]),
    )


def _stacked(dots: Sequence[tuple[float, str]]) -> Iterator[Dot]:
    """Yield dots from left to right, each above those it would hide; the axis is at y = 0."""
    last: list[float] = []
    for x, label in sorted(dots, key=lambda dot: dot[0]):
        free = (row for row, end in enumerate(last) if x - end >= 2 * RADIUS + 1)
        row = next(free, len(last))
        last[row : row + 1] = [x]
        yield Dot(x, -BASE + RADIUS - row * (2 * RADIUS + 2), label)


def _summary(spread: Spread, values: Sequence[str], levels: Sequence[str]) -> str:
    assert spread.median is not None, "there are two values"
    parts = [*values, f"median {figure(spread.median)}"]
    if spread.low is not None and spread.high is not None:
        parts.append(f"quartiles {figure(spread.low)} to {figure(spread.high)}")
    return f"{spread.measure} {spread.name}: {'; '.join([*parts, *levels])}"


def _x(value: float, ends: tuple[float, float]) -> float:
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)
