"""Every moment counts once, for the innermost thing under way."""

from __future__ import annotations

import pytest

from gan_toolkit.bench.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_within_does_not_count_for_what_is_around(clock):
    watch = Stopwatch(clock=clock)

    def inner() -> None:
        clock.now += 5

    def outer() -> None:
        clock.now += 1
        watch.timed("inner", inner)()
        clock.now += 2

    watch.timed("outer", outer)()
    clock.now += 100  # nothing is under way

    assert watch.seconds == {"outer": 3, "inner": 5}


def test_a_thing_within_itself_counts_once(clock):
    watch = Stopwatch(clock=clock)

    def nested(depth: int) -> int:
        clock.now += 1
        return watch.timed("it", nested)(depth - 1) if depth else 7

    assert watch.timed("it", nested)(2) == 7
    assert watch.seconds == {"it": 3}


def test_time_counts_when_it_ends_badly(clock):
    watch = Stopwatch(clock=clock)

    def fails() -> None:
        clock.now += 4
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        watch.timed("it", fails)()

    watch.timed("next", lambda: None)()

    assert watch.seconds == {"it": 4, "next": 0}


def test_the_device_is_waited_for_at_every_change(clock):
    waits: list[float] = []

    Stopwatch(lambda: waits.append(clock.now), clock).timed("it", lambda: None)()

    assert len(waits) == 2
