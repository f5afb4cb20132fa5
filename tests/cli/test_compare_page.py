"""The page of several runs: whatever is missing in one of them costs its own part only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from gan_toolkit.cli import compare_page
from gan_toolkit.cli.compare_page import page
from gan_toolkit.comparison import read_sides
from gan_toolkit.runs import RunFolder

LOGS = [{"event": "log", "step": step, "term/code": 0.1 * step} for step in (1, 2, 3)]


def run(parent: Path, name: str, *records: dict[str, Any]) -> RunFolder:
    """Make a run that was never trained, with a journal."""
    made = RunFolder.create(parent, "r", name=name)
    table = {"run": {"seed": 0}, "regularisers": {"term": {"use": "term@1"}}}
    made.write_text(made.resolved.name, tomlkit.dumps(table))
    for record in records:
        made.metrics.append(record)
    return made


def shown(*runs: RunFolder) -> str:
    return page(read_sides(runs), ())


def test_more_runs_than_there_are_styles_go_into_another_drawing(tmp_path: Path) -> None:
    runs = [run(tmp_path, f"r{number}", *LOGS) for number in range(9)]

    text = shown(*runs)

    assert text.count("<figcaption>term/code</figcaption>") == 2
    assert text.count('<path class="curve s0" d="M58') == 2
    assert text.count('<path class="curve s7" d="M58') == 1


def test_a_run_has_the_same_style_where_others_are_missing(tmp_path: Path) -> None:
    other = [{**log, "term/more": 1.0} for log in LOGS]

    text = shown(run(tmp_path, "a", *LOGS), run(tmp_path, "b", *other))

    second = text[text.index("<figcaption>term/more") :]
    assert '<path class="curve s1" d="M58' in second
    assert "curve s0" not in second
    assert "not in the journal of a<" in second


def test_a_group_of_runs_that_all_lack_a_curve_has_no_drawing(tmp_path: Path) -> None:
    runs = [run(tmp_path, f"r{number}", *(LOGS if number == 8 else ())) for number in range(9)]

    assert shown(*runs).count("<figcaption>term/code</figcaption>") == 1


@pytest.mark.parametrize(
    "records",
    [
        (),
        LOGS[:1],
        ({"event": "start", "step": 3}, {"event": "log"}),
        ({"event": "log", "step": 1, "name": "x"}, {"event": "log", "step": 2, "name": "y"}),
        (
            {"event": "evaluation", "step": 1, "scores": [{"name": "a", "value": None}]},
            {"event": "evaluation", "step": 2, "scores": [{"name": "a", "value": 1, "void": "no"}]},
        ),
    ],
    ids=["nothing", "one point", "no values", "texts", "void"],
)
def test_where_nothing_was_logged_twice_there_are_no_curves(
    tmp_path: Path, records: tuple[dict[str, Any], ...]
) -> None:
    text = shown(run(tmp_path, "a", *records), run(tmp_path, "b"))

    assert 'class="chart"' not in text
    assert "Over the steps" not in text


@pytest.mark.parametrize(
    ("codes", "line"),
    [
        ({"code": {"H": "0.6931 nats"}}, "H(code) = 0.693 nats"),
        ({"code": {"H": "-"}}, ""),
        ({"code": "0.6931"}, ""),
        ([], ""),
    ],
    ids=str,
)
def test_the_entropy_is_what_the_model_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: Any, line: str
) -> None:
    monkeypatch.setattr(compare_page, "describe", lambda path: {"facts": {"codes": codes}})

    text = shown(run(tmp_path, "a", *LOGS), run(tmp_path, "b", *LOGS))

    assert ("Information that is read back" in text) == bool(line)
    assert re.findall(r"H\(code\)[^<]*(?=</li>)", text) == [line] * bool(line)


def test_a_run_that_is_told_apart_is_named_alone(tmp_path: Path) -> None:
    sides = read_sides([run(tmp_path, "a"), run(tmp_path, "b")])
    facts = {"measure": "m", "name": "n", "count": 3, "estimator": "e"}
    selected = [
        replace(side, scores=[{**facts, "value": value, "low": value - 0.1, "high": value + 0.1}])
        for side, value in zip(sides, (0.5, 0.9), strict=True)
    ]

    text = page(sides, selected)

    assert '<p class="told">m: the best is b, 0.900</p>' in text
    assert "0.900 [0.800, 1]" in text
