"""Scores as a run keeps them: what must agree before two stand on one line. Light: no torch here.

A record is what `evaluation.evaluate` makes of a score: JSON, with the measure, the value and how
it was found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gan_toolkit.wording import figure, number

Record = Mapping[str, Any]

SHORT = 12
"""Characters of a fingerprint that records keep."""
PROTOCOL = ("use", "protocol", "estimator", "unit", "count", "split", "effort")
"""What two scores must have in common to be compared."""
_TEXTS = tuple(key for key in PROTOCOL if key != "count")


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


def finite(value: object) -> float | None:
    """Return a number that a file says; None for whatever else it says."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # JSON has integers that no float holds
        return None


def checked(scores: object) -> list[dict[str, Any]]:
    """Return scores that a file holds; ValueError names what is not as a measure gives it."""
    if not isinstance(scores, list) or not all(isinstance(each, dict) for each in scores):
        raise ValueError("'scores' is no array of objects")
    for place, record in enumerate(scores):
        for what, (keys, fits) in _HOLDS.items():
            for key in keys:
                value = record.get(key)
                if value is not None and not fits(value):
                    raise ValueError(f"scores[{place}].{key}: {value!r:.40} is no {what}")
    return scores


def _is_number(value: object) -> bool:
    return finite(value) is not None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and _is_number(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _are_numbers(value: object) -> bool:
    return isinstance(value, Mapping) and all(n is None or _is_number(n) for n in value.values())


_HOLDS: dict[str, tuple[Sequence[str], Callable[[object], bool]]] = {
    "number": (("value", "low", "high", "chance", "ceiling", "reference"), _is_number),
    "whole number": (("count", "seed", "step"), _is_whole),
    "text": (("measure", "name", "void", "headline", *_TEXTS), _is_text),
    "table": (("data", "details", "matrices"), _is_table),
    "table of numbers": (("anchors",), _are_numbers),
}


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
    value, ceiling, chance = (finite(record.get(key)) for key in ("value", "ceiling", "chance"))
    if record.get("void") or value is None:
        return f"{record['headline']} void"
    is_share = isinstance(ceiling, float) and ceiling == 1.0
    most = "" if ceiling is None or is_share else f"/{figure(ceiling)}"
    told = figure(value) if most else number(value)
    return f"{record['headline']} {told}{most}" + (
        f" (chance {number(chance)})" if chance is not None else ""
    )


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
