"""Records of scores: the line that sums them up, what to be told, which give way."""

from __future__ import annotations

from typing import Any

import pytest

from gan_toolkit.scores import checked, finite, headline, merge, warnings_of


def record(measure: str = "m", name: str = "a", **more: Any) -> dict[str, Any]:
    return {"measure": measure, "name": name, "value": 0.5, **more}


def test_the_headline_joins_labels_in_order() -> None:
    audit = record("audit", value=2.214, ceiling=2.302, headline="MI audited, nats")
    votes = record("votes", value=0.9, ceiling=1.0, chance=0.2, headline="votes")
    before = record("audit", value=1.0, headline="MI audited, nats")
    dead = record("dead", value=0, ceiling=12, headline="dead codes")
    void = record("gap", value=0.4, void="too few samples", headline="gap")

    line = headline([before, audit, record(), votes, void, dead])

    assert line == (
        "MI audited, nats 2.21/2.30 · votes 0.900 (chance 0.200) · gap void · dead codes 0/12"
    )


def test_one_of_one_is_a_count_and_is_told() -> None:
    assert headline([record(value=0, ceiling=1, headline="dead codes")]) == "dead codes 0/1"


def test_without_labels_there_is_no_headline() -> None:
    assert headline([record(), record(value=None, headline="")]) == ""


@pytest.mark.parametrize("value", ["high", [1.0], float("nan"), None])
def test_a_record_that_somebody_changed_is_void_not_a_fault(value: Any) -> None:
    assert headline([record(value=value, headline="A")]) == "A void"
    assert headline([record(chance=value, ceiling=value, headline="A")]) == "A 0.500"
    assert warnings_of([record(warnings=value and "text")]) == {}


def test_a_warning_is_said_once_with_all_it_is_about() -> None:
    records = [
        record(name="a", warnings=["dead", "few"]),
        record(name="b", warnings=["dead"]),
        record(name="b", warnings=["dead"]),
        record(name="c"),
    ]

    assert warnings_of(records) == {"dead": ["m a", "m b"], "few": ["m a"]}


@pytest.mark.parametrize(
    ("more", "replaced"), [({"protocol": "other"}, 0), ({"anchors": {"known": 1.0}}, 1)]
)
def test_another_protocol_stands_beside_and_another_anchor_does_not(
    more: dict[str, Any], replaced: int
) -> None:
    assert merge([record(protocol="ours")], [record(protocol="ours") | more])[1] == replaced


@pytest.mark.parametrize("value", [True, "1", None, [1.0], float("nan"), float("inf"), 10**400])
def test_only_a_finite_number_is_one(value: Any) -> None:
    assert finite(value) is None


def test_a_whole_number_stays_one() -> None:
    assert repr(finite(3)) == "3"
    assert repr(finite(0.5)) == "0.5"


def test_scores_as_a_measure_gives_them_pass() -> None:
    whole = record(
        value=None,
        low=0,
        count=3,
        seed=0,
        step=0,
        void="why",
        data={"name": "d"},
        anchors={"oracle": 1.0, "untrained": None},
        details={"anything": [1, "a"]},
        later="what a newer version says",
    )

    assert checked([whole, {}]) == [whole, {}]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"value": "high"}, r"scores\[1\].value: 'high' is no number"),
        ({"low": 10**400}, r"low: 1000+ is no number"),
        ({"ceiling": [1]}, "ceiling: "),
        ({"count": 1.5}, "count: 1.5 is no whole number"),
        ({"seed": True}, "seed: True is no whole number"),
        ({"unit": ["nats"]}, "unit: .* is no text"),
        ({"estimator": {}}, "estimator: {} is no text"),
        ({"details": "much"}, "details: 'much' is no table"),
        ({"anchors": {"oracle": "x"}}, "anchors: .* is no table of numbers"),
        ({"anchors": 1}, "anchors: 1 is no table of numbers"),
    ],
)
def test_what_no_measure_gives_is_named_with_its_place(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        checked([record(), record(**more)])
