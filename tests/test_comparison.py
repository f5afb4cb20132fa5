"""Runs side by side: nothing on one line unmarked that was not found alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from gan_toolkit.comparison import (
    Row,
    differences,
    families,
    leaders,
    read_sides,
    score_tables,
)
from gan_toolkit.runs import RunFolder

DOTS = {"name": "dots", "source": "synthetic", "fingerprint": "aaaaaaaaaaaaaaaa"}
OTHER = {**DOTS, "fingerprint": "bbbbbbbbbbbbbbbb"}


def score(value: float | None = 0.5, **more: Any) -> dict[str, Any]:
    made = {"measure": "m", "name": "code", "value": value, "count": 10, "estimator": "exact"}
    return {**made, "data": DOTS, **more}


class Shelf:
    """Makes runs that were never trained."""

    def __init__(self, parent: Path) -> None:
        self.parent = parent

    def run(
        self, name: str, scores: list[dict[str, Any]], step: int = 6, recipe: str = "r", **keys: Any
    ) -> RunFolder:
        run = RunFolder.create(self.parent, recipe, name=name)
        run.update(status="finished", data=DOTS)
        table = {"run": {"seed": 0, "steps": 6}, "data": {"use": "dots@1"}, **keys}
        run.write_text(run.resolved.name, tomlkit.dumps(table))
        if scores:
            run.add_scores(step, scores)
        return run


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def seeded(seed: int) -> dict[str, Any]:
    return {"run": {"seed": seed, "steps": 6}}


def only_row(runs: list[RunFolder]) -> Row:
    (table,) = score_tables(read_sides(runs))
    (row,) = table.rows
    return row


def test_labels_are_the_shortest_that_tell_apart(shelf: Shelf) -> None:
    runs = [shelf.run("a", []), shelf.run("b", []), shelf.run("a", [], recipe="s")]

    assert [side.label for side in read_sides(runs[:2])] == ["a", "b"]
    assert [side.label for side in read_sides(runs)] == ["r/a", "r/b", "s/a"]


def test_a_value_is_that_of_its_own_run_where_others_lack_the_whole_table(shelf: Shelf) -> None:
    runs = [
        shelf.run("a", [], regularisers={"r": {"use": "r1@1", "weight": 1}}),
        shelf.run("b", []),
        shelf.run("c", [], regularisers={"r": {"use": "r1@1", "weight": 2}}),
    ]

    whole, weight = differences(read_sides(runs))

    assert whole.key == "regularisers"
    assert whole.values[1] is None
    assert weight == ("training", "regularisers.r.weight", [1, None, 2])


def test_differences_are_grouped_by_what_they_mean(shelf: Shelf) -> None:
    runs = [
        shelf.run("a", []),
        shelf.run("b", [], run={"seed": 1, "steps": 9}, measures={"m": {"use": "m@1"}}),
        shelf.run("c", [], data={"use": "dots@2"}),
    ]

    found = differences(read_sides(runs))

    assert found == [
        ("seeds", "run.seed", [0, 1, 0]),
        ("training", "run.steps", [6, 9, 6]),
        ("training", "data.use", ["dots@1", "dots@1", "dots@2"]),
        ("enters no training step", "measures", [None, {"m": {"use": "m@1"}}, None]),
    ]


def test_equal_recipes_do_not_differ(shelf: Shelf) -> None:
    assert differences(read_sides([shelf.run("a", []), shelf.run("b", [])])) == []


def test_scores_found_alike_are_on_one_line_unmarked(shelf: Shelf) -> None:
    row = only_row([shelf.run("a", [score(0.25)]), shelf.run("b", [score(0.75)])])

    assert (row.measure, row.name, row.values, row.differs) == ("m", "code", [0.25, 0.75], {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("count", 99),
        ("estimator", "guess"),
        ("use", "m@2"),
        ("protocol", "published"),
        ("split", "held-out"),
        ("unit", "bits"),
    ],
)
def test_a_protocol_that_differs_is_told(shelf: Shelf, key: str, value: Any) -> None:
    row = only_row([shelf.run("a", [score()]), shelf.run("b", [score(**{key: value})])])

    assert list(row.differs) == [key]
    assert row.differs[key][1] == value


def test_of_several_scores_the_one_found_as_elsewhere_is_chosen(shelf: Shelf) -> None:
    several = [score(0.25), score(0.5, count=99), score(0.75, count=7)]
    row = only_row([shelf.run("a", several), shelf.run("b", [score(0.125, count=99)])])

    assert (row.values, row.differs) == ([0.5, 0.125], {})


def test_another_seed_of_the_measure_is_the_same_protocol_and_the_newest_counts(
    shelf: Shelf,
) -> None:
    twice = [score(0.25, seed=0), score(0.75, seed=5)]

    assert only_row([shelf.run("a", twice), shelf.run("b", [score(1.0)])]).values == [0.75, 1.0]


def test_scores_on_other_data_are_in_another_table(shelf: Shelf) -> None:
    runs = [shelf.run("a", [score()]), shelf.run("b", [score(data=OTHER)]), shelf.run("c", [])]

    tables = score_tables(read_sides(runs))

    assert [(one.data[2], [s.label for s in one.sides]) for one in tables] == [
        ("a" * 12, ["a"]),
        ("b" * 12, ["b"]),
    ]


def test_a_record_of_old_was_found_on_the_data_of_its_run(shelf: Shelf) -> None:
    old = {key: value for key, value in score().items() if key != "data"}

    row = only_row([shelf.run("a", [old]), shelf.run("b", [score()])])

    assert row.values == [0.5, 0.5]


def test_a_void_score_has_no_value(shelf: Shelf) -> None:
    runs = [shelf.run("a", [score(0.5, void="no")]), shelf.run("b", [score(None)])]

    assert only_row(runs).values == [None, None]


# --- seeds -----------------------------------------------------------------------------------


def test_runs_that_differ_by_seed_only_are_a_family(shelf: Shelf) -> None:
    numbers = [4.0, 1.0, 2.0, 10.0, 3.0]
    runs = [shelf.run(f"s{i}", [score(n)], **seeded(i)) for i, n in enumerate(numbers)]
    runs.append(shelf.run("other", [score(7.0)], data={"use": "dots@2"}, **seeded(9)))

    (family,) = families(read_sides(runs))

    (spread,) = family.spreads
    assert [side.seed for side in family.sides] == [0, 1, 2, 3, 4]
    assert spread.values == numbers
    assert (spread.low, spread.median, spread.high, spread.count) == (2.0, 3.0, 4.0, 5)


def test_void_values_are_shown_and_not_counted(shelf: Shelf) -> None:
    runs = [shelf.run("a", [score(1.0)], **seeded(0)), shelf.run("b", [score(None)], **seeded(1))]
    runs.append(shelf.run("c", [score(2.0)], **seeded(2)))

    (family,) = families(read_sides(runs))

    (spread,) = family.spreads
    assert (spread.values, spread.median, spread.count) == ([1.0, None, 2.0], 1.5, 2)
    assert (spread.low, spread.high) == (None, None)


@pytest.mark.parametrize(
    "other",
    [{"run": {"seed": 1, "steps": 9}}, {**seeded(1), "data": {"use": "x"}}, {}],
    ids=["steps", "data", "the same seed"],
)
def test_what_differs_by_more_or_by_nothing_is_no_family(shelf: Shelf, other: Any) -> None:
    runs = [shelf.run("a", [score()]), shelf.run("b", [score()], **other)]

    assert families(read_sides(runs)) == []


def test_runs_scored_at_other_steps_are_no_family(shelf: Shelf) -> None:
    runs = [shelf.run("a", [score()]), shelf.run("b", [score()], step=3, **seeded(1))]

    assert families(read_sides(runs)) == []


def test_what_all_seeds_have_in_common_is_known_and_what_differs_is_not(shelf: Shelf) -> None:
    facts = {"ceiling": 2.0, "unit": "nats"}
    runs = [
        shelf.run("a", [score(1.0, chance=0.25, **facts)], **seeded(0)),
        shelf.run("b", [score(1.5, chance=0.5, **facts)], **seeded(1)),
    ]

    (family,) = families(read_sides(runs))

    (spread,) = family.spreads
    assert (spread.unit, spread.ceiling, spread.chance) == ("nats", 2.0, None)


# --- runs by each other ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([score(0.9), score(0.5)], ("a", 0.9, [])),
        ([score(0.5), score(0.5004), score(0.2)], ("b", 0.5004, ["a"])),
        ([score(0.5), score(0.6, low=0.45), score(0.4)], ("b", 0.6, ["a"])),
        ([score(0.9, void="no"), score(0.1)], ("b", 0.1, [])),
    ],
    ids=["alone", "the same in three digits", "within the interval", "void is no value"],
)
def test_the_best_run_is_named_with_those_it_is_not_told_apart_from(
    shelf: Shelf, records: list[dict[str, Any]], expected: Any
) -> None:
    runs = [shelf.run(name, [record]) for name, record in zip("abc", records, strict=False)]

    (table,) = score_tables(read_sides(runs))
    (best,) = leaders(table)

    assert (best.measure, best.name) == ("m", "code")
    assert (best.label, best.value, best.close) == expected


def test_only_the_first_score_of_a_comparison_names_the_best(shelf: Shelf) -> None:
    both = [score(0.1), score(0.9, name="other")]
    runs = [shelf.run("a", both), shelf.run("b", [score(0.2), score(0.1, name="other")])]

    (table,) = score_tables(read_sides(runs))

    assert [(best.name, best.label) for best in leaders(table)] == [("code", "b")]


def test_where_all_is_void_there_is_no_best(shelf: Shelf) -> None:
    (table,) = score_tables(read_sides([shelf.run("a", [score(None)])]))

    assert leaders(table) == []
