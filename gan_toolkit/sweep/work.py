"""The loop of a worker: take slots, follow their runs, write down what became of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gan_toolkit.errors import GantkError
from gan_toolkit.signals import Stop
from gan_toolkit.sweep.entries import SETTLED, Entry
from gan_toolkit.sweep.ledger import Ledger, Taken
from gan_toolkit.sweep.outcome import NoValue, cause_of
from gan_toolkit.sweep.process import Start, StopWord
from gan_toolkit.sweep.space import Space, settings
from gan_toolkit.sweep.trial import Calls, Job, was_stopped

Tell = Callable[[Mapping[str, Any]], None]
POLL = 0.2
"""Seconds from one look at the runs to the next."""


@dataclass(frozen=True)
class Clock:
    """How time passes; a test passes it quicker."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Worker:
    """Works at a sweep until every slot is settled, by whomever.

    It stays while others are at work: it takes over what they lose. `check` is called before each
    slot and may refuse to go on.
    """

    def __init__(
        self,
        ledger: Ledger,
        calls: Calls,
        start: Start,
        tell: Tell,
        *,
        jobs: int = 1,
        check: Callable[[], None] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self.ledger = ledger
        self.calls = calls
        self.jobs = jobs
        self._start = start
        self._tell = tell
        self._check = check
        self._clock = clock or Clock()
        self._space: Space | None = ledger.plan.space
        self._active: list[Job] = []
        self._beaten = self._asked = self._looked = -math.inf
        self._waits = False

    def work(self) -> list[Entry]:
        """Return what became of every slot.

        Stopped by a signal or an error it stops its runs, which save, and gives their slots back.
        """
        try:
            while self._fill() or self._active or self._others():
                self._beat()
                for job in list(self._active):
                    self._look_at(job)
                self._clock.sleep(POLL)
        except BaseException as error:
            is_signal = isinstance(error, KeyboardInterrupt) and not isinstance(error, Stop)
            self._stop_all("SIGINT" if is_signal else "SIGTERM")
            raise
        return self.ledger.entries()

    # --- taking -----------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Take as many slots as there is room for; return whether one was taken."""
        before = len(self._active)
        # The database is asked when a run has ended, and now and then for what others lost.
        if before < self.jobs and self._is_time(self._asked):
            while len(self._active) < self.jobs:
                taken = self.ledger.take()
                if taken is None:
                    self._asked = self._clock.now()
                    break
                self._begin(taken)
        return len(self._active) > before

    def _begin(self, taken: Taken) -> None:
        point = {} if self._space is None else settings(self._space.search, taken.point)
        job = Job(taken, self.calls, point)
        self._active.append(job)
        self._check()
        self.ledger.note(taken, runs=job.folders)

    def _others(self) -> bool:
        """Return whether slots are left that others are at."""
        if self._waits and not self._is_time(self._looked):
            return True
        self._looked = self._clock.now()
        left = [entry for entry in self.ledger.entries() if entry.state not in SETTLED]
        if left and not self._waits:
            names = ", ".join(entry.slot.name for entry in left[:10])
            self._tell({"event": "note", "text": f"waiting for other workers: {names}"})
        self._waits = bool(left)
        return self._waits

    # --- following --------------------------------------------------------------------------

    def _look_at(self, job: Job) -> None:
        if job.process is None:
            self._set_off(job)
            return
        code = job.process.poll()
        self._follow(job)
        if code is not None:
            self._end(job, code)

    def _set_off(self, job: Job) -> None:
        if job.is_done_already():
            self._finish_run(job)
        elif not job.is_held():
            job.start(self._start)
            self._say(job, "resumed" if job.resumed else "begun")

    def _follow(self, job: Job) -> None:
        """Tell how far a run is, and stop it if it falls behind.

        Only the first seed of a point is judged: at the others it is known to be good enough.
        """
        prune = None if self._space is None else self._space.prune
        for record in job.follower.records():
            step = int(record.get("step", 0))
            if step <= job.step:
                continue
            job.step = step
            self._tell(record | {"event": "progress", "trial": job.taken.slot.name})
            value = None if prune is None else record.get(prune.by)
            if prune is None or value is None or job.place or job.pruned:
                continue
            turned = prune.direction not in (None, self._space.direction)  # type: ignore[union-attr]
            if self.ledger.report(job.taken, -value if turned else value, step):
                job.pruned = True
                job.stop("SIGTERM")

    def _end(self, job: Job, code: int) -> None:
        """Write down what a process that ended means for its slot."""
        if code == 0:
            self._finish_run(job)
        elif job.pruned and was_stopped(code):
            self.ledger.pruned(job.taken)
            self._let_go(job, "pruned")
        elif was_stopped(code):
            self.ledger.lost(job.taken, stopped=False)
            self._asked = -math.inf
            self._let_go(job, "lost")
        else:
            self._fail(job, cause_of(job.folder, job.log), code)

    def _finish_run(self, job: Job) -> None:
        """Take the value of a run that came to its end, and go on to the next seed."""
        try:
            job.read_value(self._space)
        except NoValue as error:
            self._fail(job, str(error), 0)
            return
        if job.next_run():
            return
        self.ledger.note(job.taken, values=job.values)
        self.ledger.done(job.taken, job.value())
        self._let_go(job, "done")

    def _fail(self, job: Job, cause: str, code: int) -> None:
        self.ledger.failed(job.taken, cause, code)
        self._let_go(job, "failed", cause=cause, exit_code=code)

    def _let_go(self, job: Job, state: str, **facts: Any) -> None:
        self._active.remove(job)
        self._asked = -math.inf
        if job.values:
            facts["value"] = job.value()
        self._say(job, state, **facts)

    # --- signs of life ----------------------------------------------------------------------

    def _beat(self) -> None:
        if not self._is_time(self._beaten):
            return
        self._beaten = self._clock.now()
        for job in list(self._active):
            if not self.ledger.live(job.taken):
                job.stop("SIGTERM")
                self._wait_for(job)
                self._let_go(job, "lost")

    def _is_time(self, last: float) -> bool:
        return self._clock.now() - last >= self.ledger.beat

    # --- stopping ---------------------------------------------------------------------------

    def _stop_all(self, word: StopWord) -> None:
        """Stop what runs, and give it back; a second Ctrl-C stops at once."""
        for job in self._active:
            job.stop(word)
        codes = {job: self._wait_for(job) for job in self._active}
        for job, code in codes.items():
            with suppress(GantkError):  # what brought us here matters more
                if code == 0 and len(job.names) == 1 and self._ended_well(job):
                    self._finish_run(job)
                    continue
                self.ledger.lost(job.taken, stopped=True)
                self._let_go(job, "stopped")

    def _ended_well(self, job: Job) -> bool:
        """Return whether a run that came to its end all the same has what is wanted of it."""
        try:
            job.read_value(self._space)
        except GantkError:
            return False
        job.values.clear()
        return True

    def _wait_for(self, job: Job) -> int | None:
        if job.process is None:
            return None
        try:
            return job.process.wait()
        except KeyboardInterrupt:
            for other in self._active:
                other.stop("SIGINT")
            return job.process.wait()

    def _say(self, job: Job, state: str, **facts: Any) -> None:
        at = min(job.place, len(job.names) - 1)
        self._tell(
            {
                "event": "trial",
                "trial": job.taken.slot.name,
                "state": state,
                "parameters": job.settings,
                "seed": job.names[at][1],
                "run": str(self.calls.shelf / job.names[at][0]),
                **facts,
            }
        )


def failure(entries: Sequence[Entry]) -> GantkError | None:
    """Return the error of a sweep of which every trial failed, None for any other."""
    if not entries or any(entry.state != "failed" for entry in entries):
        return None
    error = GantkError(f"all {len(entries)} trials failed; the first: {entries[0].cause}")
    codes = [entry.exit_code for entry in entries if entry.exit_code]
    if codes:
        error.exit_code = codes[0]  # type: ignore[assignment]
    return error
