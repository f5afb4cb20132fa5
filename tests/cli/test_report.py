from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gan_toolkit.cli.root import cli

Gantk = Callable[..., Any]


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one", "--no-report").exit_code == 0
    return Path("runs/tiny/one")


def test_a_run_leaves_a_report_and_says_where(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--name", "one")

    page = Path("runs/tiny/one/report.html")
    assert "report: runs/tiny/one/report.html" in result.stderr.splitlines()
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_it_need_not(gantk: Gantk, run: Path) -> None:
    result = gantk("resume", run, "--steps", "8", "--no-report")

    assert result.exit_code == 0
    assert "report" not in result.stderr
    assert not (run / "report.html").exists()


def test_a_resumed_run_leaves_one(gantk: Gantk, run: Path) -> None:
    gantk("resume", run, "--steps", "8")

    assert "8" in (run / "report.html").read_text("utf-8")


def test_a_run_that_is_stopped_says_where_it_is(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--name", "one", "--set", 'objective.signal="SIGTERM"')

    assert result.exit_code == 75
    assert "report: runs/tiny/one/report.html" in result.stderr.splitlines()


def test_json_has_an_event_for_it(gantk: Gantk, recipe: Path) -> None:
    events = gantk("run", recipe, "--name", "one", "--json").stdout.splitlines()

    assert json.loads(events[-2]) == {
        "event": "report",
        "path": "report.html",
        "status": "finished",
    }


def test_a_report_of_a_run_that_has_none(gantk: Gantk, run: Path) -> None:
    result = gantk("report", "one")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "runs/tiny/one/report.html\n"
    page = (run / "report.html").read_text("utf-8")
    assert "dots (synthetic)" in page
    assert 'data-sheet="0"' in page


def test_several_runs_one_file_each(gantk: Gantk, recipe: Path, run: Path) -> None:
    gantk("run", recipe, "--name", "two", "--no-report")

    result = gantk("report", "one", run.parent / "two")

    assert result.stdout == "runs/tiny/one/report.html\nruns/tiny/two/report.html\n"
    assert (run.parent / "two/report.html").is_file()


def test_another_place(gantk: Gantk, run: Path) -> None:
    result = gantk("report", run, "-o", "here.html")

    assert result.stdout == "here.html\n"
    assert Path("here.html").is_file()
    assert not (run / "report.html").exists()
    assert gantk("report", run, "-o", "here.html").exit_code == 0


@pytest.mark.parametrize("make", [lambda p: p.write_text("[run]"), os.mkfifo], ids=["text", "pipe"])
def test_what_is_no_report_is_not_replaced(
    gantk: Gantk, run: Path, make: Callable[[Path], Any]
) -> None:
    theirs = Path("mine.toml")
    make(theirs)
    before = theirs.lstat()

    result = gantk("report", run, "-o", theirs)

    assert result.exit_code == 2
    assert (
        result.stderr
        == "gantk: -o mine.toml exists and is no report of ours; choose another name\n"
    )
    assert theirs.lstat() == before


def test_without_its_plugin_the_rest_is_there(run: Path) -> None:
    result = CliRunner().invoke(cli, ["report", str(run)])

    assert result.exit_code == 0, result.stderr
    page = (run / "report.html").read_text("utf-8")
    assert "There are no pictures of the codes" in page
    assert "dots (synthetic)" in page


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("report", "tow"), "no run in runs is called 'tow'"),
        (("report", "one", "one", "-o", "x.html"), "-o x.html takes one RUN; found 2"),
        (("report", "one", "-o", "no/x.html"), "-o no/x.html: there is no folder no"),
        (("report",), "Missing argument"),
    ],
)
def test_what_can_not_be_done_is_told(
    gantk: Gantk, run: Path, arguments: tuple[str, ...], text: str
) -> None:
    result = gantk(*arguments)

    assert result.exit_code == 2
    assert text in result.stderr
