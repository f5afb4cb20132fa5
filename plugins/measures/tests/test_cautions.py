"""The rules by which a score carries a warning, at the ends of what they allow."""

from __future__ import annotations

import math

import pytest

from gantk_measures import cautions


def test_counting_may_overstate_by_a_hundredth_of_the_entropy() -> None:
    assert cautions.overstated({"a": 0.01, "b": 0.0}) == []
    (one,) = cautions.overstated({"a": 0.011, "b": 0.0})
    (two,) = cautions.overstated({"a": 0.02, "b": 0.047, "c": 0.0})

    assert "the information of a is overstated by up to 1.1% of the entropy" in one
    assert "the information of 2 of 3 variables is overstated by up to 4.7%" in two


@pytest.mark.parametrize(
    ("slack", "told"),
    [(0.2, ""), (0.21, "the training reader misses 0.21 nats"), (-0.05, "")],
)
def test_a_reader_may_miss_a_fifth_of_a_nat(slack: float, told: str) -> None:
    assert "".join(cautions.loose(slack)).startswith(told)
    assert bool(cautions.loose(slack)) == bool(told)


def test_an_audit_that_finds_less_than_another_reader_is_undertrained() -> None:
    by_slack, by_spoilt = cautions.loose(-0.06), cautions.hidden(1.0, 1.06)

    assert by_slack == by_spoilt
    assert "under-trained: another reader finds 0.06 nats more" in by_slack[0]
    assert cautions.hidden(1.0, 1.04) == []


def test_nine_tenths_of_what_is_there_must_be_visible() -> None:
    assert cautions.hidden(1.0, 0.9) == []
    assert cautions.hidden(1.0, 0.89) == ["only 89% of what is in the samples is visible"]
    assert cautions.hidden(1.0, -0.1) == ["only 0% of what is in the samples is visible"]
    assert cautions.hidden(0.09, 0.0) == []  # a share of noise


def test_real_data_may_be_a_tenth_of_a_nat_from_the_prior() -> None:
    assert cautions.unlike_prior(0.1) == []
    told = ["real data uses the categories otherwise than the prior"]
    assert cautions.unlike_prior(0.11) == cautions.unlike_prior(math.inf) == told


def test_the_factors_themselves_should_get_nearly_all() -> None:
    assert cautions.poor_oracle(None) == cautions.poor_oracle(0.95) == []
    assert cautions.poor_oracle(0.8)[0].startswith("the factors themselves get 0.80")


def test_what_is_not_found_and_what_does_not_vary_is_named() -> None:
    assert cautions.absent(0.05) == cautions.dead([]) == []
    assert cautions.absent(0.04) == ["next to nothing of it is in the samples"]
    assert cautions.dead(["a", "b"]) == ["dead on real samples: a, b"]


def test_a_published_protocol_takes_as_many_samples_as_it_says() -> None:
    assert cautions.other_size("gantk", 5, 10_000) == cautions.other_size("", 5, 10_000) == []
    assert cautions.other_size("dlib", 10_000, 10_000) == []
    told = ["the protocol dlib takes 10,000 samples; these are 2,000"]
    assert cautions.other_size("dlib", 2_000, 10_000) == told


def test_a_published_protocol_says_nothing_of_other_kinds() -> None:
    assert cautions.beyond("gantk", ["a"]) == cautions.beyond("", ["a"]) == []
    assert cautions.beyond("dlib", []) == []
    (told,) = cautions.beyond("dlib", list("abcde"))
    assert told.endswith("not as published: a, b, c, d, …")
