from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan_toolkit import strict_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_whatever_is_written_reads_back_the_same(value):
    again = strict_json.parse(strict_json.dump(value))

    assert repr(again) == repr(value)  # repr tells 1 from 1.0 and 0.0 from -0.0


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_with_its_place(number):
    with pytest.raises(ValueError, match=r"^a\.b\[1\]: .* is not finite$"):
        strict_json.dump({"a": {"b": [0.0, number]}})


@pytest.mark.parametrize("value", [object(), {1}, b"x", lambda: None, 1j])
def test_objects_are_refused_with_their_type(value):
    with pytest.raises(ValueError, match=rf"^here: a {type(value).__name__} is not JSON$"):
        strict_json.dump({"here": value})


def test_a_tuple_is_a_fault_only_where_it_must_come_back_as_one():
    assert strict_json.dump([(1, 2)]) == "[[1, 2]]"
    assert strict_json.fault([(1, 2)]) == "[0]: a tuple is not JSON"


def test_keys_that_are_not_text_are_refused():
    with pytest.raises(ValueError, match="a: the key 1 is not text"):
        strict_json.dump({"a": {1: 2}})


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        "NaN",
        "[Infinity]",
        "[1e999]",
        "-1e999",
        "{",
        "",
        b"\xff",
        "[" * 100_000,
        "1" * 5_000,
    ],
)
def test_bad_text_is_always_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is the promise
        strict_json.parse(text)


def test_only_an_object_passes_for_an_object():
    assert strict_json.parse_object('{"a": 1}') == {"a": 1}
    with pytest.raises(ValueError, match="found a list"):
        strict_json.parse_object("[1]")
