"""Rounds in turn, ratios within a round."""

from __future__ import annotations

import json

import pytest

from gan_toolkit.bench import contest as module
from gan_toolkit.bench.contest import Ratio, Standing, contest, others_busy, ratio
from gan_toolkit.bench.process import ContestantError


def silent(text: str) -> None:
    del text


def test_a_ratio_is_taken_within_each_round():
    one, other = Standing("a", seconds=[2.0, 4.0, 9.0]), Standing("b", seconds=[1.0, 4.0, 3.0])

    assert ratio(one, other) == Ratio(median=2.0, low=1.0, high=3.0)


def test_one_that_gave_up_is_compared_by_the_rounds_it_was_in():
    one, other = Standing("a", seconds=[2.0]), Standing("b", seconds=[1.0, 4.0])

    assert ratio(one, other) == Ratio(2.0, 2.0, 2.0)
    assert ratio(Standing("never"), other) is None


def test_samples_a_second_are_those_of_a_whole_step():
    facts = {"batch": 10, "samples_per_step": 50}

    assert Standing("a", facts, seconds=[0.5, 0.5, 9.0]).samples_per_second == 100
    assert Standing("b", {"batch": 10}, seconds=[0.5]).samples_per_second == 20
    assert Standing("c", {"batch": 10}).samples_per_second is None
    assert Standing("d", seconds=[0.5]).samples_per_second is None


def test_each_takes_as_many_steps_in_as_many_rounds(fake):
    said: list[str] = []

    result = contest([fake("counts"), fake("well")], rounds=3, steps=2, say=said.append)

    assert [len(standing.seconds) for standing in result.standings] == [3, 3]
    assert all(s >= 0.001 for standing in result.standings for s in standing.seconds)
    assert [standing.flops for standing in result.standings] == [2_000_000, 2_000_000]
    assert result.shares == {"passes": 0.9, "optimiser": 0.07, "data": 0.03}
    assert said[:3] == ["starting counts", "starting well", "round 1 of 3"]


def test_a_round_is_about_a_second_unless_told_otherwise(fake, monkeypatch):
    monkeypatch.setattr(module, "_about_a_second", lambda first: 1000 * int(first.first_step > 0))
    asked: list[int] = []
    monkeypatch.setattr(module.Company, "round", lambda self, steps, **_: asked.append(steps))

    contest([fake("well")], rounds=2, say=silent)

    assert asked == [1000, 1000, 1000]


@pytest.mark.parametrize(("seconds", "steps"), [(0.1, 10), (3.0, 1), (0.4, 2)])
def test_how_many_steps_are_a_second(seconds, steps):
    class First:
        def ask(self, verb, count):
            return {"seconds": seconds * count}

    assert module._about_a_second(First()) == steps


def test_rivals_are_set_up_as_the_first_one_is(fake, tmp_path):
    told = tmp_path / "settings.json"

    contest([fake("well"), fake("well", told)], rounds=1, steps=1, say=silent)

    assert json.loads(told.read_text()) == {
        "batch": 4,
        "shape": [1, 2, 2],
        "device": "cpu",
        "precision": "f32",
        "threads": 1,
    }


def test_a_rival_that_can_t_run_is_a_row_that_says_why(fake):
    result = contest([fake("well"), fake("fails"), fake("well")], rounds=1, steps=1, say=silent)

    assert [s.failure for s in result.standings] == ["", "no network of that size", ""]
    assert [len(s.seconds) for s in result.standings] == [1, 0, 1]


def test_a_rival_that_gives_up_keeps_its_rounds(fake):
    result = contest([fake("well"), fake("gives_up")], rounds=3, steps=1, say=silent)

    assert result.standings[1].failure == "enough"
    assert [len(s.seconds) for s in result.standings] == [3, 1]


def test_a_rival_that_can_t_count_keeps_its_rounds(fake):
    result = contest([fake("well"), fake("cant_count")], rounds=2, steps=1, say=silent)

    assert "zero" in result.standings[1].failure
    assert [(len(s.seconds), s.flops) for s in result.standings] == [(2, 2_000_000), (2, None)]


@pytest.mark.parametrize("kind", ["fails", "gives_up", "vanishes", "cant_count"])
def test_nothing_is_measured_without_the_first(fake, kind):
    with pytest.raises(ContestantError):
        contest([fake(kind), fake("well")], rounds=3, steps=1, say=silent)


def test_what_others_compute_is_what_the_contestant_did_not(monkeypatch):
    standing = Standing("a")
    answer = {"seconds": 2.0, "cpu_seconds": 1.5, "peak_bytes": 7}

    module._enter(standing, answer, 4, before=10.0, after=14.5)
    module._enter(standing, answer, 4, before=None, after=None)

    assert standing.seconds == [0.5, 0.5]
    assert standing.others == [pytest.approx((4.5 - 1.5) / 2)]
    assert standing.peak_bytes == 7
    assert others_busy([standing]) == pytest.approx(1.5)
    assert others_busy([Standing("b")]) is None
