"""Matrices of scores: what may be one, and what a file may say in place of one."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pytest

from gan_toolkit.matrices import Matrix, matrices_of

WHOLE = Matrix(("a", "b"), ("x", "y", "z"), ((1.0, 2.0, 3.0), (4.0, 5.0, -6.0)), "shares", "hinton")


def test_every_number_needs_its_names() -> None:
    with pytest.raises(ValueError, match=r"2 x 2 names holds 2 rows of \[1, 2\] numbers"):
        Matrix(("a", "b"), ("x", "y"), ((1.0, 2.0), (3.0,)), "")
    with pytest.raises(ValueError, match="at least one row and one column"):
        Matrix((), ("x",), (), "")
    with pytest.raises(ValueError, match='"heat" or "hinton"'):
        Matrix(("a",), ("x",), ((1.0,),), "", "cold")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "ceiling", "top"),
    [
        ((0.5, -2.0), None, 2.0),
        ((0.5, -2.0), 8.0, 8.0),
        ((0.5, math.nan), None, 0.5),
        ((0.0, 0.0), None, 1.0),
        ((math.nan, math.nan), None, 1.0),
        ((0.5, 0.25), 0.0, 0.5),
        ((0.5, 0.25), math.nan, 0.5),
    ],
)
def test_a_scale_ends_at_the_ceiling_or_the_largest_number(
    values: tuple[float, float], ceiling: float | None, top: float
) -> None:
    assert Matrix(("a",), ("x", "y"), (values,), "", ceiling=ceiling).top == top


def test_a_record_is_read_back() -> None:
    record = asdict(WHOLE)

    assert Matrix.read(record) == WHOLE
    assert matrices_of({"matrices": {"one": record, "other": {"rows": []}}}) == {"one": WHOLE}


def test_a_number_that_was_not_finite_is_read_as_nan() -> None:
    found = Matrix.read(asdict(WHOLE) | {"values": [[1, 2, 3], [None, 5, 6]]})

    assert found is not None
    assert math.isnan(found.values[1][0])


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 3},
        {"rows": ["a"]},
        {"columns": None},
        {"values": [["1", 2, 3], [4, 5, 6]]},
        {"values": [[True, 2, 3], [4, 5, 6]]},
        {"values": [[10**400, 2, 3], [4, 5, 6]]},
        {"values": 7},
        {"style": "cold"},
        {"style": []},
        {"ceiling": "high"},
    ],
)
def test_what_is_no_matrix_is_passed_over(change: dict[str, Any]) -> None:
    assert Matrix.read(asdict(WHOLE) | change) is None


@pytest.mark.parametrize("odd", [None, 3, "text", [], {"rows": ["a"]}])
def test_whatever_a_file_says_it_is_no_matrix(odd: object) -> None:
    assert Matrix.read(odd) is None
    assert matrices_of({"matrices": odd}) == {}
    assert matrices_of({}) == {}
