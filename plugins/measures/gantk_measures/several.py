"""What comparisons of several runs share: those of which nothing can be read have no say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gan_toolkit import Score, View
from gantk_measures.nothing import nothing
from gantk_measures.reading import Unreadable

LEAST = 3
"""Of two runs neither is nearer to the others."""

T = TypeVar("T")


def compared(
    views: Sequence[View],
    name: str,
    read: Callable[[View], T],
    of: Callable[[Mapping[int, T]], Mapping[int, Score]],
) -> list[list[Score]]:
    """Return one score of each run, `name`.

    `read` is called for each; where it raises Unreadable, the score is void and the run takes no
    part. `of` gets what was read by the place of the run and scores those. With fewer than
    `LEAST` all scores are void.
    """
    readings: dict[int, T] = {}
    reasons: dict[int, str] = {}
    for place, view in enumerate(views):
        try:
            readings[place] = read(view)
        except Unreadable as reason:
            reasons[place] = str(reason)
    if len(readings) < LEAST:
        few = f"only {len(readings)} of {len(views)} runs can be compared; at least {LEAST}"
        reasons = {place: reasons.get(place, few) for place in range(len(views))}
        readings = {}
    scores = of(readings) if readings else {}
    return [[scores.get(place) or nothing(name, reasons[place])] for place in range(len(views))]


def by_run(values: Mapping[int, float], own: int) -> dict[str, float]:
    """Return values by the number of the run they are about, counted from 1, but its own."""
    return {f"run {place + 1}": value for place, value in values.items() if place != own}
