"""Curves of what a run logged, as the lines of a drawing; the page's template draws them.

Long runs are thinned: a point is the mean of its share of the records, and a pale band behind the
line reaches from the smallest of them to the largest, so that no spike is lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gan_toolkit.interfaces import Player
from gan_toolkit.wording import figure, number

WIDTH, HEIGHT = 560, 250
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 34
MOST_POINTS = 240
MOST_SERIES = 8
"""Curves in one drawing; more go into another."""
MOST_CHARTS = 40
PLAYERS: tuple[Player, ...] = ("critic", "generator")
_COUNTS = ("step", "samples_per_second")

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """A level to compare with, such as the most a curve can reach."""

    value: float
    label: str
    ceiling: bool
    """Whether nothing can lie above it."""


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
    ceiling: bool


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


def charts(records: Sequence[Record], marks: Mapping[str, Mark]) -> list[Chart]:
    """Return the curves of a journal in groups; `marks` are levels by the name of a code."""
    logs = [record for record in records if record.get("event") == "log" and _step(record)]
    names = [n for n in dict.fromkeys(n for log in logs for n in log) if _is_curve(n, logs)]
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=_rank):
        groups.setdefault(_title(name), []).append(name)
    found = []
    for title, members in groups.items():
        for start in range(0, len(members), MOST_SERIES):
            part = members[start : start + MOST_SERIES]
            found.append(_chart(title, {name: _values(logs, name) for name in part}, marks))
    return found[:MOST_CHARTS]


def _step(record: Record) -> bool:
    return isinstance(record.get("step"), int)


def _is_curve(name: str, logs: Sequence[Record]) -> bool:
    return name not in ("event", "step") and any(map(_number, (log.get(name) for log in logs)))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rank(name: str) -> tuple[int, str]:
    """Losses first, then what terms say of themselves, then all else."""
    player, _, what = name.partition("/")
    if player in PLAYERS:
        return (0 if what == "loss" else 2), what
    return (3 if name in _COUNTS else 1), ""


def _title(name: str) -> str:
    """Return the drawing a curve belongs to."""
    first, _, what = name.partition("/")
    if name in _COUNTS:
        return name.replace("_", " ")
    if first in PLAYERS:
        return "loss" if what == "loss" else f"{what.replace('_', ' ')} of each player"
    return first


def _values(logs: Sequence[Record], name: str) -> list[tuple[int, float]]:
    return [(log["step"], float(log[name])) for log in logs if _number(log.get(name))]


# --- one drawing ----------------------------------------------------------------------------


def _chart(
    title: str, curves: Mapping[str, list[tuple[int, float]]], marks: Mapping[str, Mark]
) -> Chart:
    shares = {name: _thinned(values) for name, values in curves.items()}
    codes = {name.partition("/")[2]: name for name in curves if title == name.partition("/")[0]}
    wanted = _merged(mark for code, mark in marks.items() if code in codes)
    steps = [share[0] for some in shares.values() for share in some]
    values = [v for some in shares.values() for share in some for v in share[2:]]
    up = _scale([*values, *(mark.value for mark in wanted)])
    across = _scale(steps, whole=True)
    ticks_up, ticks_across = _ticks(up, 5), _ticks(across, 6, whole=True)
    return Chart(
        title,
        [
            Series(
                _short(name, title),
                style,
                _line([(_x(s, across), _y(mean, up)) for s, mean, _, _ in some]),
                _band([(_x(s, across), _y(low, up), _y(high, up)) for s, _, low, high in some]),
                figure(curves[name][-1][1]),
            )
            for style, (name, some) in enumerate(shares.items())
        ],
        [Level(_y(mark.value, up), mark.label, mark.ceiling) for mark in wanted],
        [Tick(_x(value, across), f"{value:,.0f}") for value in ticks_across],
        [Tick(_y(value, up), _tick_label(value, ticks_up)) for value in ticks_up],
    )


def _short(name: str, title: str) -> str:
    first, _, what = name.partition("/")
    if first in PLAYERS:
        return first
    return what.replace("_", " ") if first == title and what else name.replace("_", " ")


def _merged(marks: Iterable[Mark]) -> list[Mark]:
    """Return a mark for each level, named after all who share it."""
    levels: dict[tuple[float, bool], list[str]] = {}
    for mark in marks:
        levels.setdefault((round(mark.value, 9), mark.ceiling), []).append(mark.label)
    return [
        Mark(value, f"H({', '.join(names)}) = {number(value)} nats", ceiling)
        for (value, ceiling), names in levels.items()
    ]


def _thinned(values: list[tuple[int, float]]) -> list[tuple[float, float, float, float]]:
    """Return (step, mean, lowest, highest) of at most so many shares of the records."""
    shares = min(len(values), MOST_POINTS)
    edges = [round(i * len(values) / shares) for i in range(shares + 1)]
    found = []
    for start, stop in pairwise(edges):
        steps, numbers = zip(*values[start:stop], strict=True)
        mean = math.fsum(numbers) / len(numbers)
        found.append((sum(steps) / len(steps), mean, min(numbers), max(numbers)))
    return found


def _scale(values: Sequence[float], *, whole: bool = False) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high - low < 1e-12 * max(abs(low), abs(high), 1.0):
        reach = max(abs(high) * 0.1, 1.0 if whole else 0.1)
        return low - reach, high + reach
    pad = 0.0 if whole else (high - low) * 0.05
    return low - pad, high + pad


def _ticks(scale: tuple[float, float], wanted: int, *, whole: bool = False) -> list[float]:
    """Return round numbers inside a scale, about so many."""
    low, high = scale
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step = max(step, 1.0) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _tick_label(value: float, ticks: Sequence[float]) -> str:
    """Return a label with as many places as the distance between ticks asks for."""
    largest = max(map(abs, ticks))
    if largest >= 1e6 or largest < 1e-3:
        return f"{value:.3g}"
    step = ticks[1] - ticks[0] if len(ticks) > 1 else largest
    return f"{value + 0.0:,.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"


def _x(value: float, scale: tuple[float, float]) -> float:
    share = (value - scale[0]) / (scale[1] - scale[0])
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, scale: tuple[float, float]) -> float:
    share = (value - scale[0]) / (scale[1] - scale[0])
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
