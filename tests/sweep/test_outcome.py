"""What a run tells while it trains and when it is over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.errors import UsageError
from gan_toolkit.runs import RunFolder
from gan_toolkit.sweep.outcome import Follower, NoValue, cause_of, is_finished, value_of


def score(name: str, value: float | None, **more: Any) -> dict[str, Any]:
    return {"measure": "m", "name": name, "value": value, **more}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path, "r", name="one")
    made.add_scores(6, [score("code", 0.5), score("dead", 0.1, void="nothing to see")])
    for step, value in ((2, 1.0), (4, 0.25)):
        made.metrics.append({"event": "log", "step": step, "critic/loss": value})
    return made


def test_a_score_comes_before_a_value_of_the_journal(run: RunFolder) -> None:
    run.metrics.append({"event": "log", "step": 6, "m/code": 9.0})

    assert value_of(run, "m/code") == 0.5
    assert value_of(run, "m/code", scores=False) == 9.0
    assert value_of(run, "critic/loss") == 0.25


def test_a_void_score_is_no_value(run: RunFolder) -> None:
    with pytest.raises(NoValue, match=r"m/dead is void: nothing to see"):
        value_of(run, "m/dead")


def test_a_name_that_is_nowhere_is_refused_with_the_nearest(run: RunFolder) -> None:
    with pytest.raises(UsageError, match=r"has no value 'm/cod'; did you mean 'm/code'\?"):
        value_of(run, "m/cod")
    with pytest.raises(UsageError, match=r"'zzz'; there are: m/code, m/dead, critic/loss"):
        value_of(run, "zzz")


def test_a_follower_reads_each_record_once_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    follower = Follower(path)

    assert follower.records() == []
    path.write_text('{"event": "log", "step": 1}\n{"event": "evaluation"}\n{"event": "lo')
    assert [record["step"] for record in follower.records()] == [1]
    assert follower.records() == []
    with path.open("a") as file:
        file.write('g", "step": 2}\nnonsense\n')
    assert [record["step"] for record in follower.records()] == [2]


def test_a_journal_that_was_cut_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    follower = Follower(path)
    path.write_text('{"event": "log", "step": 1}\n{"event": "log", "step": 2}\n')
    follower.records()

    path.write_text('{"event": "log", "step": 1}\n')

    assert [record["step"] for record in follower.records()] == [1]


def test_the_cause_is_that_of_the_run_or_what_was_said_last(run: RunFolder, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"

    assert cause_of(tmp_path / "nowhere", log) == "it said nothing"
    log.write_text("loading\ngantk: no such data\n\n")
    assert cause_of(run.folder, log) == "no such data"
    run.update(cause="critic/loss is not finite")
    assert cause_of(run.folder, log) == "critic/loss is not finite"


def test_only_a_run_that_came_to_its_end_is_finished(run: RunFolder, tmp_path: Path) -> None:
    assert not is_finished(tmp_path / "nowhere")
    assert not is_finished(run.folder)
    run.update(status="finished")
    assert is_finished(run.folder)
