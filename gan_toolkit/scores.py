"""Scores as a run keeps them: what must agree before two stand on one line. Light: no torch here.

A record is what `evaluation.evaluate` makes of a score: JSON, with the measure, the value and how
it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

SHORT = 12
"""Characters of a fingerprint that records keep."""
PROTOCOL = ("use", "estimator", "unit", "count", "split", "effort")
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
