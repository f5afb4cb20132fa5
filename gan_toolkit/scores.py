"""Scores as a run keeps them: what must agree before two stand on one line. Light: no torch here.

A record is what `evaluation.evaluate` makes of a score: JSON, with the measure, the value and how
it was found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gan_toolkit.wording import figure, number

Record = Mapping[str, Any]

SHORT = 12
"""Characters of a fingerprint that records keep."""
PROTOCOL = ("use", "protocol", "estimator", "unit", "count", "split", "effort")
"""What two scores must have in common to be compared."""


def name_of(record: Record) -> tuple[str, str]:
    """Return the measure and what of it was scored."""
    return str(record.get("measure", "")), str(record.get("name", ""))


def protocol_of(record: Record) -> dict[str, Any]:
    """Return how a score was found."""
    return {key: record.get(key, "") for key in PROTOCOL}


def data_of(record: Record) -> tuple[str, str, str]:
    """Return name, source and short fingerprint of the data; empty where an old record has none."""
    data = record.get("data")
    known = data if isinstance(data, Mapping) else {}
    name, source, fingerprint = (
        str(known.get(key, "")) for key in ("name", "source", "fingerprint")
    )
    return name, source, fingerprint[:SHORT]


def headline(records: Sequence[Record]) -> str:
    """Return the scores that have a label for it in one line, in the order they are given.

    `label value/ceiling (chance c)`: a ceiling of 1.0 goes without saying, not that of a
    count; a void value is "void".
    Of scores with the same name the last one counts, however it was found.
    """
    last = {name_of(record): record for record in records}
    return " · ".join(_in_short(record) for record in last.values() if record.get("headline"))


def warnings_of(records: Sequence[Record]) -> dict[str, list[str]]:
    """Return each warning, and the measures or scores it was given of."""
    found: dict[str, list[str]] = {}
    for record in records:
        told = record.get("warnings")
        for text in told if isinstance(told, list) else ():
            whose = found.setdefault(str(text), [])
            name = " ".join(name_of(record))
            if name not in whose:
                whose.append(name)
    return found


def _in_short(record: Record) -> str:
    value, ceiling, chance = (_number(record, key) for key in ("value", "ceiling", "chance"))
    if record.get("void") or value is None:
        return f"{record['headline']} void"
    is_share = isinstance(ceiling, float) and ceiling == 1.0
    most = "" if ceiling is None or is_share else f"/{figure(ceiling)}"
    told = figure(value) if most else number(value)
    return f"{record['headline']} {told}{most}" + (
        f" (chance {number(chance)})" if chance is not None else ""
    )


def _number(record: Record, key: str) -> float | None:
    """Return a number of a record, which may come from a file that somebody changed."""
    value = record.get(key)
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def merge(old: Sequence[Record], new: Sequence[Record]) -> tuple[list[Record], int]:
    """Return both, and how many old ones gave way to a new one found in the same way."""
    newer = {_identity(record) for record in new}
    kept = [record for record in old if _identity(record) not in newer]
    return [*kept, *new], len(old) - len(kept)


def newest_scores(
    evaluations: Iterable[tuple[int, Sequence[Record]]],
) -> list[tuple[int, Record]]:
    """Return every record of the last step at which its score was measured, in all ways it was.

    `evaluations` are (step, records), oldest first.
    """
    newest: dict[tuple[str, str], tuple[int, list[Record]]] = {}
    for step, records in evaluations:
        for record in records:
            before, known = newest.get(name_of(record), (step, []))
            newest[name_of(record)] = step, [*(known if before == step else []), record]
    return [(step, record) for step, records in newest.values() for record in records]


def _identity(record: Record) -> tuple[Any, ...]:
    how = tuple(str(value) for value in protocol_of(record).values())
    return (*name_of(record), *how, data_of(record), str(record.get("seed", "")))
