"""Matrices on the page: tables that can be read cell by cell."""

from __future__ import annotations

from typing import Any

import pytest

from gan_toolkit.report import plates
from gan_toolkit.report.plates import Cell, Plates
from gan_toolkit.report.scores import blocks


def record(rows: int = 1, columns: int = 3, **facts: Any) -> dict[str, Any]:
    matrix = {
        "rows": [f"r{i}" for i in range(rows)],
        "columns": [f"c{i}" for i in range(columns)],
        "values": [[i / max(columns - 1, 1) for i in range(columns)]] * rows,
        "what": "shares",
    }
    return {"measure": "m", "name": "a", "value": 1.0, "matrices": {"all": matrix | facts}}


def test_a_tone_is_the_share_of_the_ceiling() -> None:
    (plate,) = Plates().of([record(values=[[0.5, -0.1, None]], ceiling=1.0)])

    assert plate.rows == [("r0", [Cell("0.50", 10), Cell("-0.10", 2, negative=True), Cell("–", 0)])]  # noqa: RUF001
    assert not plate.hinton


def test_numbers_above_one_are_told_as_figures_and_stay_on_the_scale() -> None:
    (plate,) = Plates().of([record(values=[[12, 1200.5, 0]], style="hinton")])

    assert [cell.text for cell in plate.rows[0][1]] == ["12", "1,200", "0"]
    assert [cell.tone for cell in plate.rows[0][1]] == [0, 20, 0]
    assert plate.hinton


@pytest.mark.parametrize(
    ("facts", "caption"),
    [
        ({}, "shares"),
        ({"count": 12_000}, "shares; 12,000 samples"),
        ({"count": 12_000, "split": "held-out"}, "shares; 12,000 samples, held-out"),
        ({"split": "held-out"}, "shares; held-out samples"),
    ],
)
def test_it_says_of_which_samples(facts: dict[str, Any], caption: str) -> None:
    (plate,) = Plates().of([record() | facts])

    assert plate.caption == caption


def test_one_that_must_not_be_used_says_why() -> None:
    (plate,) = Plates().of([record() | {"void": "constant"}])

    assert plate.void == "constant"


def test_what_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plates, "MOST_IN_ALL", 700)
    monkeypatch.setattr(plates, "MOST_CELLS", 450)

    found = Plates().of([record(20, 20), record(30, 20), record(10, 20), record(20, 20)])

    assert [len(plate.rows) for plate in found] == [20, 0, 10, 0]
    assert found[1].left_out == "30 rows of 20: too large for this page"
    assert found[1].columns == ()


def test_the_matrices_of_the_newest_evaluation_stand_under_its_scores() -> None:
    newer = record(2) | {"value": 2.0}

    (block,) = blocks([(5, [record()]), (9, [newer])])

    assert block.step == 9
    assert [len(plate.rows) for plate in block.plates] == [2]
