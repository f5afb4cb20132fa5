"""Records of scores: the line that sums them up, what to be told, which give way."""

from __future__ import annotations

from typing import Any

import pytest

from gan_toolkit.scores import headline, merge, warnings_of


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
