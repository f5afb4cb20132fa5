"""Alarms by hand: when they are raised, when they are over, and what they read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_toolkit.alarms import (
    COVERAGE,
    RIGHT,
    SPREAD,
    TWINS,
    Alarms,
    Course,
    NoGain,
    Window,
)

CHANGED = ("step", "alarm", "state")


def logs(key: str, values: Iterable[float], every: int = 50) -> list[dict[str, Any]]:
    return [
        {"event": "log", "step": (place + 1) * every, key: value}
        for place, value in enumerate(values)
    ]


def heard(records: Sequence[dict[str, Any]], *more: NoGain) -> list[tuple[int, str, str]]:
    alarms = Alarms(more)
    changes = [change for record in records for change in alarms.take(record)]
    return [(c["step"], c["alarm"], c["state"]) for c in changes]


def test_a_collapse_is_raised_at_the_third_look_and_once():
    found = heard(logs(SPREAD, [0.01] * 20))

    assert found == [(150, "collapse", "raised")]


def test_it_is_over_with_a_gap_and_may_come_again():
    spread = [0.04, 0.04, 0.04, 0.08, 0.08, 0.08, 0.5, 0.5, 0.01, 0.01, 0.01]

    # means of three: .04 .053 .067 .08 | .22 … .17 | .01
    assert [change for change in heard(logs(SPREAD, spread)) if change[1] == "collapse"] == [
        (150, "collapse", "raised"),
        (350, "collapse", "over"),
        (550, "collapse", "raised"),
    ]


@pytest.mark.parametrize(
    ("key", "values", "raised"),
    [
        (SPREAD, [1.0] * 4 + [0.2] * 4, (350, "fading")),  # below a quarter of its best
        (SPREAD, [0.28] * 4 + [0.06] * 4, None),  # which was never worth anything
        (TWINS, [0.0] * 3 + [0.8] * 3, (250, "twins")),  # .27, .53: more than half
        (COVERAGE, [0.8] * 3 + [0.2] * 4, (300, "coverage")),  # .6, .4, .2: below .32
        (RIGHT, [1.0] * 20, (550, "critic_wins")),  # for 500 steps
        (RIGHT, [0.5] * 20, (500, "critic_lost")),  # never once above .6
        (RIGHT, [0.7] * 3 + [0.5] * 30, None),  # it could tell, and can no longer
        ("critic/loss", [1.0, 1.1] * 10 + [1e3] * 3, (1150, "loss_jumps")),
        ("critic/loss", [1.0, 1.1] * 10 + [1e3] * 2 + [1.0] * 30, None),  # twice in twenty
        ("generator/loss", [2.0**-n for n in range(40)], None),  # downwards is no jump
        ("critic/gradient_norm", [1.0] * 10 + [101.0], (550, "gradient_jumps")),
        ("critic/gradient_norm", [1.0] * 10 + [99.0], None),
        ("critic/gradient_norm", [1.0] * 9 + [1e6], None),  # nobody knows yet what is usual
    ],
)
def test_each_alarm_by_hand(key, values, raised):
    found = [change for change in heard(logs(key, values)) if change[2] == "raised"]

    assert found == ([] if raised is None else [(*raised, "raised")])


def test_a_constructed_penalty_of_27_032_is_heard_at_once():
    norms = [{"event": "log", "step": step, "critic/gradient_norm": 1.0} for step in range(200)]
    norms.append({"event": "log", "step": 200, "critic/gradient_norm": 27_032.0})

    assert heard(norms) == [(200, "gradient_jumps", "raised")]


def test_the_text_says_what_where_and_what_to_try():
    alarms = Alarms()
    (change,) = [c for record in logs(SPREAD, [0.01] * 3) for c in alarms.take(record)]

    assert change == {
        "event": "alarm",
        "step": 150,
        "alarm": "collapse",
        "state": "raised",
        "text": "step 150: alarm collapse: the samples are nearly all alike: spread beside real "
        "ones (0.01); try a smaller learning rate, a penalty on the critic, or an earlier "
        "checkpoint",
    }


def gain(values: Sequence[float], **more: Any) -> list[tuple[int, str, str]]:
    return heard(logs("term/code", values), NoGain("term/code", 0.02, 500, **more))


def test_a_code_that_gains_nothing_is_named_when_a_tenth_of_the_run_is_over():
    assert gain([0.0] * 20) == [(500, "no_gain term/code", "raised")]
    assert gain([0.0] + [0.03] * 20) == []


def test_a_code_that_begins_to_gain_ends_the_alarm_at_twice_the_gain():
    late = [0.0] * 12 + [0.05] * 10

    assert gain(late) == [
        (500, "no_gain term/code", "raised"),
        (800, "no_gain term/code", "over"),  # the mean of five is .04
    ]


def test_a_code_that_is_never_computed_is_named_only_if_nothing_weighs_it():
    silent = [{"event": "log", "step": step, "critic/loss": 1.0} for step in (10, 500)]

    assert heard(silent, NoGain("a/b", 0.02, 500)) == []
    assert heard(silent, NoGain("a/b", 0.02, 500, unweighted=True)) == [
        (500, "no_gain a/b", "raised")
    ]


def test_a_window_is_full_when_it_has_both_the_records_and_the_steps():
    window = Window("x", 100, 3)

    found = [window.mean({"step": step, "x": step}) for step in (0, 50, 60, 110, 200)]

    assert found == [None, None, None, pytest.approx(220 / 4), pytest.approx(370 / 3)]
    assert window.mean({"step": 300}) == pytest.approx(370 / 3)


@pytest.mark.parametrize(("deviations", "jumps"), [(11.9, False), (12.1, True)])
def test_a_jump_is_measured_in_robust_deviations_of_the_logarithm(deviations, jumps):
    course = Course()
    half = math.log(2) / 2  # the median of the logarithms, and every distance from it
    for value in [1.0, 2.0] * 10:
        course.take(value, 12.0)

    course.take(math.exp(half + deviations * 1.4826 * half), 12.0)

    assert course.jumps[-1] is jumps


def test_records_closer_than_ten_steps_are_not_read_twice():
    every, tenth = (heard(logs(SPREAD, [0.01] * count, n)) for count, n in ((100, 1), (10, 10)))

    assert every == [(20, "collapse", "raised")]  # steps 1, 10, 20
    assert tenth == [(30, "collapse", "raised")]


def test_what_is_no_log_record_is_not_read():
    assert heard([record | {"event": "note"} for record in logs(SPREAD, [0.0] * 9)]) == []


VALUES = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=60))
def test_every_alarm_that_is_over_was_raised_and_never_twice_in_a_row(values):
    keys = (SPREAD, "critic/loss", "generator/gradient_norm")
    records = [
        {"event": "log", "step": 50 * place, **dict(zip(keys, triple, strict=True))}
        for place, triple in enumerate(values)
    ]

    found = heard(records)

    for name in {alarm for _, alarm, _ in found}:
        states = [state for _, alarm, state in found if alarm == name]
        assert states == (["raised", "over"] * len(states))[: len(states)]


@given(st.lists(VALUES, max_size=40), st.integers(0, 40))
def test_read_again_up_to_any_record_the_alarms_say_the_same_from_there_on(values, cut):
    records = logs(SPREAD, values)
    first, again = Alarms(), Alarms()
    for record in records[:cut]:
        first.take(record)
        again.take(record)

    for record in records[cut:]:
        assert first.take(record) == again.take(record)
