"""Anchors: what readers get of whom one knows what they can give, beside what a score found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

import numpy as np

from gan_toolkit import Score, View
from gantk_measures import cautions
from gantk_measures.reading import Reading, Unreadable

Anchor = Literal["untrained", "oracle"]
ANCHORS: tuple[Anchor, ...] = ("untrained", "oracle")
"""Readers that scores are held against: the networks before training, the factors themselves."""


Scores = Callable[[View, Reading], list[Score]]
Values = Callable[[View, Reading], Mapping[str, float]]


def values_by(of: Scores) -> Values:
    """Return what gives the values of scores that are not void."""

    def values(view: View, reading: Reading) -> dict[str, float]:
        return {score.name: score.value for score in of(view, reading) if not score.void}

    return values


def by_score(
    readers: Iterable[tuple[Anchor, View, Reading]], values: Values
) -> dict[str, dict[str, float]]:
    """Return by score what each known reader gets, where it gets anything."""
    found: dict[str, dict[str, float]] = {}
    for anchor, view, reading in readers:
        with suppress(Unreadable):
            for name, value in values(view, reading).items():
                if np.isfinite(value):
                    found.setdefault(name, {})[anchor] = value
    return found


def told(score: Score, anchors: Mapping[str, float], reading: Reading) -> Score:
    """Return a score with what known readers get, and with what to know of that."""
    cautious = (
        *score.warnings,
        *cautions.poor_oracle(anchors.get("oracle")),
        *cautions.beyond(score.protocol, reading.unusual),
    )
    return replace(score, anchors=dict(anchors), warnings=cautious)
