from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one").exit_code == 0
    return Path("runs/tiny/one")


def test_a_run_is_measured_into_its_evaluations(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", "one")

    assert result.exit_code == 0
    assert result.stdout == f"{run / 'evaluations/step-00000006.json'}\n"
    assert "Measured at step 6" in result.stderr
    assert "two      code  0.500  nats    0.693" in result.stderr
    assert "1 score of this step was found alike before, and is replaced" in result.stderr


def test_json_is_the_records(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", run, "--json", "--seed", "7", "--fast")

    (record,) = json.loads(result.stdout)
    assert (record["measure"], record["use"], record["value"]) == ("two", "tiny_two@1", 0.5)
    assert (record["seed"], record["step"], record["effort"]) == (7, 6, "fast")
    assert record["data"]["name"] == "dots"


def test_of_a_model_file_the_table_is_the_result(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", run / "model.safetensors")

    assert result.exit_code == 0
    assert "two      code  0.500  nats    0.693" in result.stdout


def test_a_measure_that_is_named_gets_its_options(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", run, "--json", "--measure", "modes:within=2.0,samples=100")

    assert result.exit_code == 2
    assert "measures.modes: the data set 'dots' has no factor 'mode'" in result.stderr


def test_a_measure_that_fails_costs_its_scores_and_an_exit_code(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", run, "--json", "--measure", "tiny_broken")

    assert result.exit_code == 3
    assert [record["measure"] for record in json.loads(result.stdout)] == ["two"]
    assert "1 failed: tiny_broken (ZeroDivisionError: a bug)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--measure", "two:samples"), "write NAME or NAME:KEY=VALUE"),
        (("--measure", "a.b"), "write NAME or NAME:KEY=VALUE"),
        (("--measure", "two:x=y"), "x=y is not TOML; a text stands in quotes"),
        (("--measure", "two", "--measure", "two:x=1"), "--measure two is given twice"),
        (("--measure", "tiny_too"), "did you mean 'tiny_two'?"),
        (("--set", "critic.x=1"), "only data and measures can be changed here"),
        (("--set", "data.gray=true"), "data.gray: unknown key; did you mean 'grey'?"),
    ],
    ids=str,
)
def test_what_can_not_be_is_refused_in_one_line(
    gantk: Gantk, run: Path, arguments: tuple[str, ...], text: str
) -> None:
    result = gantk("evaluate", run, *arguments)

    assert result.exit_code == 2
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_verbose_tells_what_is_measured(gantk: Gantk, run: Path) -> None:
    assert "measuring two" in gantk("evaluate", run, "-v").stderr


def test_where_nothing_works_nothing_is_claimed(gantk: Gantk, run: Path) -> None:
    off = ("--set", "measures.two.enabled=false", "--measure", "tiny_broken")

    result = gantk("evaluate", run / "model.safetensors", *off)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "nothing could be measured" in result.stderr


def test_a_run_that_is_not_there_is_refused(gantk: Gantk, run: Path) -> None:
    result = gantk("evaluate", "two")

    assert result.exit_code == 2
    assert "no run in runs is called 'two'" in result.stderr


def test_info_shows_what_was_measured_last(gantk: Gantk, run: Path) -> None:
    gantk("evaluate", run, "--seed", "7")

    shown = gantk("info", run).stdout

    rows = [line.split() for line in shown.splitlines() if line.startswith("  two")]
    assert [row[-1] for row in rows] == ["1", "7"]
