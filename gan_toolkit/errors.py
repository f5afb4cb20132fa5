"""Errors a user can act on: one base, few children, each of which knows its exit code.

An error says where, what was found, and what would work, in one line. It is printed without a
traceback. Wrong arguments from a programmer are `ValueError` or `TypeError` and are not here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process reports to its caller."""

    DONE = 0
    UNEXPECTED = 1
    RECIPE = 2
    PLUGIN = 3
    DATA = 4
    STOPPED = 5
    DEVICE = 6
    RESUME = 7
    STORAGE = 8
    PREEMPTED = 75
    INTERRUPTED = 130


class GantkError(Exception):
    """Base of every error that is the user's to mend."""

    exit_code: ExitCode = ExitCode.UNEXPECTED


class UsageError(GantkError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = ExitCode.RECIPE


class PluginError(GantkError):
    """A plugin is missing, failed to load, or broke its contract."""

    exit_code = ExitCode.PLUGIN


class MissingPackageError(PluginError):
    """A component needs a package that is not installed; the text says how to get it."""


class DataError(GantkError):
    """The data is missing, damaged, or does not fit the recipe."""

    exit_code = ExitCode.DATA


class MissingFilesError(DataError):
    """Files of a data set are not there: what can stand in for them may do so.

    Files that are there but damaged are a plain DataError: nothing replaces those silently.
    `what` was looked for in vain, `remedy` gets it.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        super().__init__("; ".join(filter(None, (what, remedy))))


class GuardError(GantkError):
    """A guard stopped the run: it diverged, an alarm was to stop it, or ranks drifted apart."""

    exit_code = ExitCode.STOPPED


class Diverged(GuardError):
    """A loss, a gradient or a weight is not finite.

    `what` was found to be `value` after `step` steps, and `player` has not moved by it; empty where
    nobody was to move.
    """

    def __init__(self, step: int, what: str, value: float, player: str = "") -> None:
        self.step = step
        self.what = what
        self.value = value
        self.player = player
        unmoved = f"; the {player} did not move" if player else ""
        super().__init__(f"step {step}: {what} is {value}{unmoved}")


class DeviceError(GantkError):
    """The device that was demanded is not there, or its memory does not suffice."""

    exit_code = ExitCode.DEVICE


class ResumeError(GantkError):
    """The run can't be continued exactly."""

    exit_code = ExitCode.RESUME


class StorageError(GantkError):
    """A folder can't be written, the disk is full, or another process holds the run."""

    exit_code = ExitCode.STORAGE


class Interrupted(GantkError):
    """The user asked for a stop; everything up to the last finished step is saved."""

    exit_code = ExitCode.INTERRUPTED


class Preempted(GantkError):
    """The system asked for a stop; everything up to the last finished step is saved."""

    exit_code = ExitCode.PREEMPTED


class RankError(GantkError):
    """Another process of the run ended, and so must this one.

    `told`: that process has said why, and this one need not.
    """

    def __init__(self, cause: str, exit_code: ExitCode, *, told: bool = True) -> None:
        self.exit_code = exit_code
        self.told = told
        super().__init__(cause)


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a recipe: `place` is `file:line`, `--set #n` or empty; `path` the dotted key."""

    order: int
    place: str
    path: str
    text: str
    exit_code: ExitCode = ExitCode.RECIPE

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.path, self.text) if part)


class RecipeError(GantkError):
    """Every fault of a recipe at once, a line each, sorted by place."""

    exit_code = ExitCode.RECIPE

    def __init__(self, problems: Sequence[Problem], source: str = "") -> None:
        self.problems = sorted(problems)
        self.exit_code = max(problem.exit_code for problem in self.problems)
        lines = [str(problem) for problem in self.problems]
        if len(lines) > 1:
            lines.append(f"{len(lines)} errors" + (f" in {source}" if source else ""))
        super().__init__("\n".join(lines))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name most like `word`, or None when nothing is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `; did you mean 'name'?`, or nothing."""
    near = nearest(word, known, cutoff)
    return f"; did you mean {near!r}?" if near else ""
