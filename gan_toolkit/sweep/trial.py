"""One slot on its way through its runs: what to call, what became of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gan_toolkit import files
from gan_toolkit.errors import ExitCode, StorageError
from gan_toolkit.recipe.difference import SEED
from gan_toolkit.runs import RUN, RunFolder
from gan_toolkit.sweep.ledger import Taken
from gan_toolkit.sweep.outcome import Follower, is_finished, value_of
from gan_toolkit.sweep.process import Order, Process, Start, StopWord
from gan_toolkit.sweep.space import Space

_GIVEN_BACK = (ExitCode.PREEMPTED, ExitCode.INTERRUPTED)
"""A run that was stopped from outside goes on where it was."""


@dataclass(frozen=True)
class Calls:
    """How runs of a sweep are called."""

    run: Sequence[str]
    """`run`, its recipe and all its options but those of a trial."""
    resume: Sequence[str]
    """`resume` and its options."""
    shelf: Path
    """Where the runs of the recipe lie."""
    logs: Path
    sweep: str
    """The name of the sweep."""
    environment: Mapping[str, str] = field(default_factory=dict)
    switches: Sequence[str] = ()
    """What stands before `run` and `resume`."""


class Job:
    """A slot that this worker has taken, and the run it is at."""

    def __init__(self, taken: Taken, calls: Calls, settings: Mapping[str, str]) -> None:
        self.taken = taken
        self.calls = calls
        self.settings = dict(settings)
        """The values of its point as TOML, by key."""
        self.names = taken.slot.run_names(calls.sweep)
        self.place = 0
        self.process: Process | None = None
        self.resumed = False
        self.pruned = False
        self.step = 0
        self.values: list[float] = []
        self.follower = Follower(self.folder / "metrics.jsonl")

    @property
    def folder(self) -> Path:
        """The folder of the run it is at."""
        return self.calls.shelf / self.names[self.place][0]

    @property
    def folders(self) -> list[str]:
        """The folders of all its runs."""
        return [str(self.calls.shelf / name) for name, _ in self.names]

    @property
    def log(self) -> Path:
        """Where the run it is at says what it does."""
        return self.calls.logs / f"{self.names[self.place][0]}.txt"

    def is_done_already(self) -> bool:
        """Return whether the run was finished by a worker that then died."""
        return self.taken.again and is_finished(self.folder)

    def is_held(self) -> bool:
        """Return whether the worker before us, or what it started, is still at the run."""
        if not self.taken.again or not (self.folder / RUN).exists():
            return False
        run = RunFolder.open(self.folder)
        if not run.seems_held():
            return False
        try:
            with run.lock():  # of a machine that died, only the record is left
                return False
        except StorageError:
            return True

    def start(self, start: Start) -> None:
        """Begin the run, or go on with what another worker left of it."""
        self.step = 0
        self.follower = Follower(self.folder / "metrics.jsonl")
        self.resumed = self.taken.again and self._can_resume()
        name, seed = self.names[self.place]
        if self.resumed:
            words = [*self.calls.resume, str(self.folder)]
        else:
            own = self.settings | ({} if seed is None else {SEED: str(seed)})
            given = [word for key, text in own.items() for word in ("--set", f"{key}={text}")]
            words = [*self.calls.run, *given, "--name", name]
        self.process = start(
            Order([*self.calls.switches, *words], self.log, self.calls.environment)
        )

    def stop(self, word: StopWord) -> None:
        """Ask the run to stop, if there is one."""
        if self.process is not None:
            self.process.stop(word)

    def _can_resume(self) -> bool:
        """Return whether there is a run; what was killed before its first step is removed."""
        if not self.folder.exists():
            return False
        if (self.folder / RUN).exists() and RunFolder.open(self.folder).resolved.exists():
            return True
        with files.storage_errors(self.folder, doing="remove"):
            files.remove_tree(self.folder)
        return False

    def next_run(self) -> bool:
        """Go on to the next seed; return whether there is one."""
        self.process = None
        self.place = min(self.place + 1, len(self.names))
        return self.place < len(self.names)

    def read_value(self, space: Space | None) -> None:
        """Take the value of the run that is over; without a target there is none to take.

        Raises UsageError for a name that the run does not have, NoValue for a void score.
        """
        if space is None:
            return
        run = RunFolder.open(self.folder)
        if space.prune is not None:
            value_of(run, space.prune.by, scores=False)
        self.values.append(value_of(run, space.target))

    def value(self) -> float:
        """Return the median over the seeds.

        Optuna wants a number of every trial: of a sweep that only varies the seed it is the runs.
        """
        return statistics.median(self.values) if self.values else float(len(self.names))


def was_stopped(code: int) -> bool:
    """Return whether an exit code is that of a run which was stopped, or killed, from outside."""
    return code < 0 or code in _GIVEN_BACK
