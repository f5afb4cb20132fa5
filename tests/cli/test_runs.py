from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.cli.runs import age
from gan_toolkit.runs import RunFolder

Gantk = Callable[..., Any]


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one").exit_code == 0
    return Path("runs/tiny/one")


def checkpoints(run: Path) -> list[Path]:
    return list((run / "checkpoints").iterdir())


def test_the_list_tells_what_became_of_each(gantk: Gantk, run: Path) -> None:
    result = gantk("runs", "list")

    assert result.exit_code == 0
    header, line = result.stdout.splitlines()
    assert header.split()[:4] == ["run", "status", "steps", "data"]
    assert line.split()[:4] == ["tiny/one", "finished", "6", "dots"]
    assert line.endswith("two code 0.500 of 0.693 nats")


def test_the_list_as_json(gantk: Gantk, run: Path) -> None:
    (found,) = json.loads(gantk("runs", "list", "--json").stdout)

    assert (found["run"], found["recipe"], found["status"]) == ("tiny/one", "tiny", "finished")
    assert (found["step"], found["steps"], found["data"]) == (6, 6, "dots")
    assert found["score"]["value"] == 0.5
    assert found["bytes"] > 1000


def test_a_damaged_run_is_listed_and_its_fault_told(gantk: Gantk, run: Path) -> None:
    (run / "run.json").write_text("{")

    result = gantk("runs", "list")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:2] == ["tiny/one", "damaged"]
    assert "run.json is damaged" in result.stderr


def test_no_runs_are_no_error(gantk: Gantk) -> None:
    result = gantk("runs", "list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "there are none in runs" in result.stderr


def test_one_run_in_full(gantk: Gantk, run: Path) -> None:
    shown = gantk("runs", "show", "one").stdout

    assert shown.splitlines()[0] == str(run)
    assert "model.safetensors" in shown
    assert "Measured at step 6" in shown
    assert json.loads(gantk("runs", "show", "one", "--json").stdout)["step"] == 6


def test_pruning_takes_checkpoints_and_the_run_still_samples(gantk: Gantk, run: Path) -> None:
    result = gantk("runs", "prune", "--yes")

    assert result.exit_code == 0
    assert result.stdout.split()[:3] == [str(run), "1", "checkpoint"]
    assert checkpoints(run) == []
    assert gantk("sample", run, "-o", "some.npy").exit_code == 0
    assert gantk("evaluate", run).exit_code == 0
    assert gantk("resume", run, "--steps", "8").exit_code == 7


def test_nothing_goes_without_agreement(gantk: Gantk, run: Path) -> None:
    asked = gantk("runs", "prune")
    looked = gantk("runs", "prune", "--dry-run", "--json")

    assert asked.exit_code == 2
    assert "to agree: --yes" in asked.stderr
    (removal,) = json.loads(looked.stdout)
    assert (removal["run"], removal["removed"]) == (str(run), False)
    assert len(checkpoints(run)) == 1


def test_on_a_terminal_it_asks(gantk: Gantk, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan_toolkit.cli.runs.is_terminal", lambda _: True)

    result = gantk("runs", "prune")  # nobody answers

    assert "Remove" in result.stderr
    assert result.exit_code != 0
    assert len(checkpoints(run)) == 1


def test_a_run_that_is_held_is_left_alone_and_told(gantk: Gantk, run: Path) -> None:
    with RunFolder.open(run).lock():
        result = gantk("runs", "prune", "--yes", "--json")

    assert json.loads(result.stdout) == []
    assert "left alone: run one is in use by process" in result.stderr
    assert len(checkpoints(run)) == 1


def test_whole_runs_go_only_by_a_choice(gantk: Gantk, run: Path) -> None:
    refused = gantk("runs", "prune", "--whole", "--yes")
    kept = gantk("runs", "prune", "--whole", "--keep", "1", "--yes")

    assert refused.exit_code == 2
    assert "--whole would remove every run" in refused.stderr
    assert "there is nothing to remove" in kept.stderr
    assert gantk("runs", "prune", "--whole", "--older", "0", "--yes").exit_code == 0
    assert not run.exists()


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (170, "3 min"), (7300, "2 h"), (9 * 86_400, "9 d")]
)
def test_ages_are_in_the_largest_unit_that_fits(seconds: int, text: str) -> None:
    assert age(datetime.now(UTC) - timedelta(seconds=seconds)) == text
