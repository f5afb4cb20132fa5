from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import NoReturn

import click
import pytest

from gan_toolkit.cli.failures import failing
from gan_toolkit.cli.session import Session
from gan_toolkit.errors import (
    DataError,
    DeviceError,
    ExitCode,
    GuardError,
    Interrupted,
    PluginError,
    Preempted,
    Problem,
    RankError,
    RecipeError,
    ResumeError,
    StorageError,
    UsageError,
)
from gan_toolkit.testing.ranks import Table, ThreadRank


def code_of(error: BaseException, session: Session | None = None) -> int:
    def call() -> NoReturn:
        raise error

    return failing(call, session or Session())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (PluginError("x"), 3),
        (DataError("x"), 4),
        (GuardError("x"), 5),
        (DeviceError("x"), 6),
        (ResumeError("x"), 7),
        (StorageError("x"), 8),
        (Preempted("x"), 75),
        (Interrupted("x"), 130),
        (MemoryError(), 6),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 6),
        (OSError(errno.ENOSPC, "No space left on device", "/a/b"), 8),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), 8),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a/b"), 8),
        (BrokenPipeError(errno.EPIPE, "a pipe of a plugin's"), 1),
        (UsageError("a text\nof two lines"), 2),
        (KeyboardInterrupt(), 130),
        (click.UsageError("x"), 2),
        (ValueError("x"), 1),
    ],
)
def test_every_error_is_one_line_and_a_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("gantk: ")
    assert len(err.splitlines()) == 1


def test_what_the_machine_lacks_is_no_fault_of_the_plugin_that_met_it() -> None:
    for cause, code in ((MemoryError(), 6), (OSError(errno.ENOSPC, "full"), 8), (KeyError("x"), 3)):
        error = PluginError("x")
        error.__cause__ = cause

        assert code_of(error) == code


def test_torch_out_of_memory_has_advice(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    assert code_of(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")) == 6
    assert "run.batch_size" in capsys.readouterr().err


def test_recipe_errors_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [Problem(1, "a.toml:1", "name", "missing"), Problem(2, "a.toml:3", "x", "unknown")]

    assert code_of(RecipeError(problems, "a.toml")) == 2
    assert capsys.readouterr().err.splitlines() == [
        "a.toml:1: name: missing",
        "a.toml:3: x: unknown",
        "2 errors in a.toml",
    ]


def test_a_problem_of_a_recipe_is_one_line_whatever_was_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code_of(RecipeError([Problem(1, "--set #1", "run.steps", "5\nrun.seed=4 is not a value")]))

    assert capsys.readouterr().err == "--set #1: run.steps: 5 run.seed=4 is not a value\n"


@pytest.mark.parametrize(
    ("error", "outcome", "code", "cause"),
    [
        (UsageError("x"), "failed", 2, "x"),
        (click.UsageError("x"), "failed", 2, "x"),
        (ZeroDivisionError("x"), "failed", 1, "unexpected ZeroDivisionError: x"),
        (Preempted("x"), "stopped", 75, "x"),
    ],
)
def test_a_command_that_tells_events_tells_its_failure_last(
    error: Exception, outcome: str, code: int, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session()
    session.events = True

    code_of(error, session)

    assert json.loads(capsys.readouterr().out) == {
        "event": "end",
        "outcome": outcome,
        "exit_code": code,
        "cause": cause,
    }


def test_a_stop_tells_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session()
    session.run = Path("runs/my alpha/one")
    session.saved_at = 1200

    assert code_of(Interrupted("stopped by SIGINT"), session) == 130
    assert capsys.readouterr().err.splitlines() == [
        "gantk: stopped by SIGINT",
        "saved at step 1,200; resume with: gantk resume 'runs/my alpha/one'",
    ]


def test_an_unexpected_error_of_a_run_points_to_its_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = Session()
    session.run = Path("runs/alpha/one")

    assert code_of(ZeroDivisionError("division by zero"), session) == 1
    assert capsys.readouterr().err == (
        "gantk: unexpected ZeroDivisionError: division by zero; "
        f"traceback in {Path('runs/alpha/one/log.txt')}\n"
    )


def test_tracebacks_are_for_those_who_ask(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session()
    session.verbosity = 2

    code_of(ValueError("x"), session)

    assert "Traceback" in capsys.readouterr().err


def test_text_of_an_error_carries_no_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code_of(DataError("a\x1b[31mb\x07"))

    assert capsys.readouterr().err == "gantk: ab\n"


# --- one of several processes ------------------------------------------------------------------


class Rank(ThreadRank):
    """A rank that says what it is told to say."""

    def __init__(self, index: int, *, speaks: bool) -> None:
        super().__init__(index, 2, Table(2))
        self.told = speaks

    def speaks(self, code: int, cause: str) -> bool:
        assert (code, cause) == (5, "not finite")
        return self.told


@pytest.mark.parametrize(
    ("index", "speaks", "said"),
    [
        (0, True, "gantk: not finite\n"),
        (1, True, "gantk: rank 1: not finite\n"),
        (0, False, ""),
        (1, False, ""),
    ],
)
def test_of_several_processes_one_tells_and_all_end_alike(
    index: int, speaks: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session()
    session.ranks = Rank(index, speaks=speaks)

    assert code_of(GuardError("not finite"), session) == 5
    assert capsys.readouterr().err == said


def test_a_process_that_lost_another_is_silent_when_that_one_has_spoken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = Session()
    session.ranks = Rank(0, speaks=True)

    assert code_of(RankError("rank 1: full", ExitCode.STORAGE), session) == 8
    assert capsys.readouterr().err == ""
    assert code_of(RankError("not finite", ExitCode.STOPPED, told=False), session) == 5
    assert capsys.readouterr().err == "gantk: not finite\n"
