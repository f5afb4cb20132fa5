"""Curves against steps as the lines of a drawing; a template draws them. Light: no torch here.

Long curves are thinned: a point is the mean of its share of the values, and a pale band behind the
line reaches from the smallest of them to the largest, so that no spike is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gan_toolkit.wording import figure, number

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 34
HALF_LETTER = 4
"""Of a label on an axis, at most."""
MOST_POINTS = 240
MOST_SERIES = 8
"""Curves in one drawing; more go into another."""

Values = list[tuple[int, float]]
"""(step, value), by step."""


@dataclass(frozen=True)
class Mark:
    """A level to compare with, such as the most a curve can reach."""

    value: float
    label: str
    ceiling: bool | None
    """Whether nothing can lie above it; None: not known."""


@dataclass(frozen=True)
class Series:
    """One curve."""

    name: str
    style: int
    """Number of its colour and dashes."""
    path: str
    band: str
    last: str


@dataclass(frozen=True)
class Tick:
    """A place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Level:
    """A mark, placed."""

    at: float
    label: str
    ceiling: bool | None


@dataclass(frozen=True)
class Chart:
    """One drawing, all places in its own coordinates."""

    title: str
    series: list[Series]
    levels: list[Level]
    across: list[Tick]
    up: list[Tick]

    @property
    def summary(self) -> str:
        """What somebody who can't see it should know."""
        ends = ", ".join(f"{one.name} ends at {one.last}" for one in self.series)
        levels = ", ".join(level.label for level in self.levels)
        return f"{self.title} against steps: {ends}" + (f"; {levels}" if levels else "")


def chart(
    title: str,
    curves: Mapping[str, Values],
    marks: Iterable[Mark] = (),
    name_of: Callable[[str], str] = str,
    styles: Mapping[str, int] | None = None,
) -> Chart:
    """Return a drawing of curves, none of them empty; the legend calls them by `name_of`.

    `styles` are numbers of colour and dashes, below `MOST_SERIES`; by order where there are none.
    """
    styles = styles or {name: place for place, name in enumerate(curves)}
    shares = {name: _thinned(values) for name, values in curves.items()}
    wanted = _merged(marks)
    steps = [share[0] for some in shares.values() for share in some]
    values = [v for some in shares.values() for share in some for v in share[2:]]
    up = scale([*values, *(mark.value for mark in wanted)])
    across = scale(steps, whole=True)
    ticks_up, ticks_across = ticks(up, 5), ticks(across, 6, whole=True)
    return Chart(
        title,
        [
            Series(
                name_of(name),
                styles[name],
                _line([(_x(s, across), _y(mean, up)) for s, mean, _, _ in some]),
                _band([(_x(s, across), _y(low, up), _y(high, up)) for s, _, low, high in some]),
                figure(curves[name][-1][1]),
            )
            for name, some in shares.items()
        ],
        [Level(_y(mark.value, up), mark.label, mark.ceiling) for mark in wanted],
        [_within(Tick(_x(value, across), f"{value:,.0f}")) for value in ticks_across],
        [Tick(_y(value, up), tick_label(value, ticks_up)) for value in ticks_up],
    )


def _within(tick: Tick) -> Tick:
    """Return a label that is written around its place, moved so far that its end is not cut off."""
    return Tick(min(tick.at, WIDTH - HALF_LETTER * len(tick.label)), tick.label)


def _merged(marks: Iterable[Mark]) -> list[Mark]:
    """Return a mark for each level, named after all who share it."""
    levels: dict[tuple[float, bool | None], list[str]] = {}
    for mark in marks:
        levels.setdefault((round(mark.value, 9), mark.ceiling), []).append(mark.label)
    return [
        Mark(value, f"H({', '.join(names)}) = {number(value)} nats", ceiling)
        for (value, ceiling), names in levels.items()
    ]


def _thinned(values: Values) -> list[tuple[float, float, float, float]]:
    """Return (step, mean, lowest, highest) of at most so many shares of the records."""
    shares = min(len(values), MOST_POINTS)
    edges = [round(i * len(values) / shares) for i in range(shares + 1)]
    found = []
    for start, stop in pairwise(edges):
        steps, numbers = zip(*values[start:stop], strict=True)
        mean = math.fsum(numbers) / len(numbers)
        found.append((sum(steps) / len(steps), mean, min(numbers), max(numbers)))
    return found


def scale(values: Sequence[float], *, whole: bool = False) -> tuple[float, float]:
    """Return the ends of an axis that holds all values, with a little room."""
    low, high = min(values), max(values)
    if high - low < 1e-12 * max(abs(low), abs(high), 1.0):
        reach = max(abs(high) * 0.1, 1.0 if whole else 0.1)
        return low - reach, high + reach
    pad = 0.0 if whole else (high - low) * 0.05
    return low - pad, high + pad


def ticks(ends: tuple[float, float], wanted: int, *, whole: bool = False) -> list[float]:
    """Return round numbers between two ends, about so many."""
    low, high = ends
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step = max(step, 1.0) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def tick_label(value: float, beside: Sequence[float]) -> str:
    """Return a label with as many places as the distance between ticks asks for."""
    largest = max(map(abs, beside))
    if largest >= 1e6 or largest < 1e-3:
        return f"{value:.3g}"
    step = beside[1] - beside[0] if len(beside) > 1 else largest
    return f"{value + 0.0:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def _x(value: float, ends: tuple[float, float]) -> float:
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, ends: tuple[float, float]) -> float:
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _line(points: Sequence[tuple[float, float]]) -> str:
    if len(points) == 1:  # a line of no length is a dot, with round ends
        points = [*points, *points]
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _band(points: Sequence[tuple[float, float, float]]) -> str:
    """Return the outline from lowest to highest; nothing where a point is a single record."""
    if all(low == high for _, low, high in points):
        return ""
    there = [f"{x:g} {high:g}" for x, _, high in points]
    back = [f"{x:g} {low:g}" for x, low, _ in reversed(points)]
    return "M" + "L".join([*there, *back]) + "Z"
