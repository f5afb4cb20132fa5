from __future__ import annotations

import math

import pytest
import torch

from gan_toolkit.snapshot import Snapshot, difference


def snapshot(**facts) -> Snapshot:
    tensors = {"generator": {"weight": torch.arange(4.0), "steps": torch.tensor(3)}, "random": {}}
    return Snapshot(tensors, {"step": 7, "rate": 0.1, "inner": {"list": [1, 2.0]}, **facts})


def test_a_snapshot_differs_in_nothing_from_its_like():
    nan = {"generator": {"weight": torch.tensor([math.nan, -0.0])}}

    assert difference(snapshot(), snapshot()) == []
    assert difference(Snapshot(nan), Snapshot(nan)) == []


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"weight": torch.tensor([0.0, 1, 2, 4])}, "weight: 1 of 4 values differ"),
        ({"weight": torch.tensor([-0.0, 1, 2, 3])}, "weight: 1 of 4 values differ"),
        ({"weight": torch.arange(4.0).double()}, "weight: torch.float32 and torch.float64"),
        ({"weight": torch.arange(4.0)[None]}, "weight: shapes (4,) and (1, 4)"),
        ({"steps": torch.tensor(4)}, "steps: 1 of 1 values differ"),
        ({"more": torch.zeros(0)}, "more: only in the second"),
    ],
)
def test_each_kind_of_difference_between_tensors_is_named(changed, line):
    one, other = snapshot(), snapshot()
    other.tensors["generator"].update(changed)

    assert difference(one, other) == [f"generator: {line}"]


def test_a_missing_tensor_and_a_missing_group_are_named():
    one, other = snapshot(), snapshot()
    del other.tensors["generator"]["steps"]
    del other.tensors["random"]

    assert difference(one, other) == [
        "generator: steps: only in the first",
        "group: random: only in the first",
    ]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"step": 8}, "facts.step: 7 and 8"),
        ({"step": 7.0}, "facts.step: 7 and 7.0"),
        ({"rate": math.nextafter(0.1, 1)}, "facts.rate: 0.1 and 0.10000000000000002"),
        ({"inner": {"list": [1, -2.0]}}, "facts.inner.list[1]: 2.0 and -2.0"),
        ({"inner": {"list": [1]}}, "facts.inner.list: [1, 2.0] and [1]"),
        ({"inner": {}}, "facts.inner: list: only in the first"),
        ({"new": None}, "facts: new: only in the second"),
    ],
)
def test_each_kind_of_difference_between_facts_is_named(facts, line):
    assert difference(snapshot(), snapshot(**facts)) == [line]


def test_the_sign_of_a_zero_is_a_difference():
    assert difference(snapshot(x=0.0), snapshot(x=-0.0)) == ["facts.x: 0.0 and -0.0"]


@pytest.mark.parametrize("group", ["", "Generator", "../up", "a.b", "nul", "a1", "a/b"])
def test_a_group_that_could_not_be_a_file_is_refused(group):
    with pytest.raises(ValueError, match="can't be named"):
        Snapshot({group: {}})


@pytest.mark.parametrize("value", [math.nan, math.inf, (1, 2), object(), {1: 2}, {"a": {1}}, b"x"])
def test_facts_that_would_not_come_back_are_refused_with_their_place(value):
    with pytest.raises(ValueError, match=r"^facts: shape\.state"):
        Snapshot({}, {"shape": {"state": value}})


def test_a_tensor_must_be_one():
    with pytest.raises(TypeError, match="generator: weight: expected a tensor, found a list"):
        Snapshot({"generator": {"weight": [1.0]}})
