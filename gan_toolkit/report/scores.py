"""What was measured, as the page shows it: by measure, with everything one needs to compare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gan_toolkit import strict_json
from gan_toolkit.report.plates import Plate, Plates
from gan_toolkit.scores import finite, newest_scores
from gan_toolkit.wording import figure

_SHOWN = {
    "measure", "name", "value", "count", "estimator", "unit", "low", "high", "chance", "ceiling",
    "reference", "void", "details", "anchors", "warnings", "headline", "matrices",
}  # fmt: skip
_BAR = 120
_MOST_PLACES = 5
_LONGEST = 240

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Bar:
    """Where a value lies between 0, or chance, and the most it can be; in drawn units."""

    length: float
    low: float
    high: float
    chance: float | None


@dataclass(frozen=True)
class Row:
    """One score."""

    name: str
    value: str
    interval: str
    ceiling: str
    reference: str
    chance: str
    anchors: str
    """What known readers get, in one line."""
    unit: str
    void: str
    warnings: list[str]
    details: str
    bar: Bar | None


@dataclass(frozen=True)
class Group:
    """Scores that were made in the same way."""

    how: list[tuple[str, str]]
    """The protocol: what was done, on how many samples, and whatever else a record says."""
    rows: list[Row]

    @property
    def void(self) -> list[str]:
        """Why scores of this group must not be used, each reason once."""
        return list(dict.fromkeys(row.void for row in self.rows if row.void))

    @property
    def warnings(self) -> dict[str, list[str]]:
        """What to know before believing scores of this group, and which those are."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for text in row.warnings:
                found.setdefault(text, []).append(row.name)
        return found


@dataclass(frozen=True)
class Block:
    """The scores of one measure at one step."""

    measure: str
    step: int
    groups: list[Group]
    plates: list[Plate]
    """Its matrices."""


def blocks(evaluations: Iterable[tuple[int, Sequence[Record]]]) -> list[Block]:
    """Return every score of the last step at which it was measured, in all ways it was.

    `evaluations` are (step, records), oldest first.
    """
    found: dict[tuple[str, int], list[Record]] = {}
    for step, record in newest_scores(evaluations):
        found.setdefault((_text(record, "measure"), step), []).append(record)
    plates = Plates()
    return [
        Block(measure, step, _groups(records), plates.of(records))
        for (measure, step), records in found.items()
    ]


def _groups(records: Sequence[Record]) -> list[Group]:
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for record in records:
        groups.setdefault(tuple(_how(record)), []).append(_row(record))
    return [Group(list(how), rows) for how, rows in groups.items()]


def void_reasons(found: Sequence[Block]) -> dict[str, list[str]]:
    """Return which scores must not be used, by the reason."""
    reasons: dict[str, list[str]] = {}
    for block in found:
        for row in (row for group in block.groups for row in group.rows if row.void):
            reasons.setdefault(row.void, []).append(f"{block.measure} {row.name}")
    return reasons


def _how(record: Record) -> list[tuple[str, str]]:
    parts = [("how", _text(record, "estimator"))]
    if isinstance(record.get("count"), int):
        parts.append(("samples", f"{record['count']:,}"))
    more = [(key, _short(value)) for key, value in record.items() if key not in _SHOWN]
    return [(name, text) for name, text in [*parts, *more] if text]


def _row(record: Record) -> Row:
    value, low, high = (finite(record.get(key)) for key in ("value", "low", "high"))
    chance, ceiling = finite(record.get("chance")), finite(record.get("ceiling"))
    reference = finite(record.get("reference"))
    void = _text(record, "void") or ("there is no value" if value is None else "")
    return Row(
        _text(record, "name"),
        "void" if void or value is None else _spelt(value, low, high),
        "" if void or low is None or high is None else _interval(low, high),
        "" if ceiling is None else figure(ceiling),
        "" if reference is None else figure(reference),
        "" if chance is None else figure(chance),
        _details(record.get("anchors")),
        _text(record, "unit"),
        void,
        [str(text) for text in _list(record.get("warnings"))],
        _details(record.get("details")),
        None if void else _bar(value, low, high, chance, ceiling),
    )


def _interval(low: float, high: float) -> str:
    return f"{_spelt(low, low, high)} to {_spelt(high, low, high)}"


def _spelt(value: float, low: float | None, high: float | None) -> str:
    """Return a number in three digits, or in as many as tell the ends of its interval apart."""
    if low is None or high is None or not high > low or not value:
        return figure(value)
    places = max(-math.floor(math.log10(high - low)), 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}" if 0 <= places <= _MOST_PLACES else figure(value)


def _bar(
    value: float | None,
    low: float | None,
    high: float | None,
    chance: float | None,
    ceiling: float | None,
) -> Bar | None:
    if value is None or ceiling is None or ceiling <= 0:
        return None

    def place(at: float) -> float:
        return round(min(max(at / ceiling, 0.0), 1.0) * _BAR, 1)

    ends = (value if low is None else low, value if high is None else high)
    return Bar(
        place(value), place(ends[0]), place(ends[1]), None if chance is None else place(chance)
    )


def _details(details: object) -> str:
    """Return the details that are single numbers or texts, in one line."""
    if not isinstance(details, Mapping):
        return ""
    parts = [
        f"{key} {v if isinstance(v, str | bool) else figure(v)}"
        for key, v in details.items()
        if isinstance(v, str | bool) or finite(v) is not None
    ]
    return ", ".join(parts)[:_LONGEST]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(record: Record, key: str) -> str:
    value = record.get(key)
    return "" if value is None else str(value)


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return _details(value)
    text = value if isinstance(value, str) else strict_json.dump(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
