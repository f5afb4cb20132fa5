"""Curves of what a run logged: which of them share a drawing, and by which levels they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gan_toolkit.charts import MOST_SERIES, Chart, Mark, Values, chart
from gan_toolkit.interfaces import Player

MOST_CHARTS = 40
PLAYERS: tuple[Player, ...] = ("critic", "generator")
_COUNTS = ("step", "samples_per_second")

Record = Mapping[str, Any]


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


def _values(logs: Sequence[Record], name: str) -> Values:
    return [(log["step"], float(log[name])) for log in logs if _number(log.get(name))]


def _chart(title: str, curves: Mapping[str, Values], marks: Mapping[str, Mark]) -> Chart:
    codes = {name.partition("/")[2] for name in curves if title == name.partition("/")[0]}
    wanted = [mark for code, mark in marks.items() if code in codes]
    return chart(title, curves, wanted, lambda name: _short(name, title))


def _short(name: str, title: str) -> str:
    first, _, what = name.partition("/")
    if first in PLAYERS:
        return first
    return what.replace("_", " ") if first == title and what else name.replace("_", " ")
