from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_toolkit.interfaces import Schedule
from gan_toolkit.schedules import Constant, Cosine, Linear, as_schedule

RAMPS: list[type[Linear] | type[Cosine]] = [Linear, Cosine]


def test_constant_stays() -> None:
    assert [Constant(0.3).at(step) for step in (0, 7, 10**9)] == [0.3] * 3


def test_linear_by_hand() -> None:
    ramp = Linear(1.0, 3.0, over=4, start=10)

    assert [ramp.at(step) for step in (0, 10, 11, 12, 14, 99)] == [1, 1, 1.5, 2, 3, 3]


def test_cosine_by_hand() -> None:
    """Half-way at half time; a quarter of the time goes (1 - cos 45 degrees) / 2 of the way."""
    ramp = Cosine(0.0, 2.0, over=8)

    assert ramp.at(4) == pytest.approx(1.0)
    assert ramp.at(2) == pytest.approx(0.29289, abs=1e-5)
    assert (ramp.at(0), ramp.at(8), ramp.at(9)) == (0.0, 2.0, 2.0)


@pytest.mark.parametrize("ramp", RAMPS)
@settings(deadline=None)
@given(
    first=st.floats(-1e6, 1e6),
    last=st.floats(-1e6, 1e6),
    over=st.integers(1, 10**6),
    start=st.integers(0, 10**6),
)
def test_both_ends_are_exact(
    ramp: type[Linear] | type[Cosine], first: float, last: float, over: int, start: int
) -> None:
    schedule = ramp(first, last, over, start)

    assert schedule.at(0) == schedule.at(start) == first
    assert schedule.at(start + over) == schedule.at(start + over + 1) == last


@pytest.mark.parametrize("ramp", RAMPS)
@settings(deadline=None)
@given(st.integers(1, 50), st.integers(0, 50))
def test_a_ramp_goes_one_way_only(ramp: type[Linear] | type[Cosine], over: int, start: int) -> None:
    values = [ramp(1.0, 0.0, over, start).at(step) for step in range(120)]

    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("ramp", RAMPS)
def test_impossible_ramps_are_refused(ramp: type[Linear] | type[Cosine]) -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        ramp(0.0, 1.0, over=0)
    with pytest.raises(ValueError, match="steps count from 0"):
        ramp(0.0, 1.0, over=1, start=-1)


def test_numbers_become_schedules_and_schedules_stay() -> None:
    ramp: Schedule = Linear(0.0, 1.0, over=2)

    assert as_schedule(ramp) is ramp
    assert as_schedule(2.5).at(3) == 2.5
