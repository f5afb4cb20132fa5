"""Every seed is a dot; nothing is drawn that is not known."""

from __future__ import annotations

import itertools
import statistics
from types import SimpleNamespace
from typing import Any

import pytest

from gan_toolkit.cli.strips import RADIUS, WIDTH, Strip, strips
from gan_toolkit.comparison import Family, Spread


def drawn(*values: float | None, **more: Any) -> Strip:
    known = [value for value in values if value is not None]
    many = len(known) > 2
    low, _, high = statistics.quantiles(known, method="inclusive") if many else [None] * 3
    median = statistics.median(known)
    spread = Spread("m", "code", list(values), median, low, high, len(known), {}, **more)
    sides: Any = [SimpleNamespace(seed=seed) for seed, _ in enumerate(values)]
    (strip,) = strips(Family(sides, [spread]))
    return strip


def test_places_follow_the_values() -> None:
    strip = drawn(0.0, 1.0, 4.0)

    first, middle, last = (dot.x for dot in strip.dots)
    assert last - middle == pytest.approx(3 * (middle - first), abs=0.3)
    assert strip.median == middle
    assert strip.box is not None
    left, width = strip.box
    assert left == pytest.approx((first + middle) / 2, abs=0.2)
    assert width == pytest.approx((last - first) / 2, abs=0.2)


def test_dots_that_would_hide_each_other_stand_one_above_the_other() -> None:
    strip = drawn(1.0, 1.0, 1.0, 2.0)

    same = [dot for dot in strip.dots if dot.x == strip.dots[0].x]
    heights = sorted(dot.y for dot in same)
    assert len(same) == 3
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 2 * RADIUS
    assert all(RADIUS < dot.y < strip.axis - RADIUS for dot in strip.dots)
    assert strip.axis < strip.height


def test_of_two_values_there_are_no_quartiles() -> None:
    strip = drawn(1.0, None, 3.0)

    assert strip.box is None
    assert len(strip.dots) == 2
    assert strip.summary == "m code: seed 0: 1; seed 2: 3; median 2"


def test_chance_and_the_most_are_on_the_axis() -> None:
    strip = drawn(0.5, 0.6, 0.7, chance=0.1, ceiling=1.0, unit="nats")

    assert [level.label for level in strip.levels] == ["chance 0.100", "at most 1"]
    assert 0 <= strip.levels[0].at < strip.dots[0].x < strip.levels[1].at <= WIDTH
    assert strip.title == "m code, nats"


def test_one_value_is_no_picture() -> None:
    spread = Spread("m", "code", [1.0, None], 1.0, None, None, 1, {})
    sides: Any = [SimpleNamespace(seed=0), SimpleNamespace(seed=1)]

    assert strips(Family(sides, [spread])) == []
