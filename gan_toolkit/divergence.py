"""What a run does when it diverges: a loss, a gradient or a weight is no longer finite.

It stops, leaves the move out, or goes back to its newest checkpoint and on from there with other
batches and draws. What was done stands in the journal, and how often enters the state: so a resumed
run knows of it, and nothing is tried without end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.crew import Crew
from gan_toolkit.errors import Diverged, GuardError, StorageError
from gan_toolkit.messages import of_rank
from gan_toolkit.recipe import RunOptions
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, unsound
from gan_toolkit.wording import count_of

SPAN = 1_000
"""Steps in which `run.max_skips` moves may be left out."""

Remark = Callable[[dict[str, Any]], None]
"""Writes a record with a `text` into the journal, and tells of it."""


class Divergence:
    """Watches over one run; `history` are the records of its journal, newest last."""

    def __init__(
        self,
        keys: RunOptions,
        parts: Parts,
        crew: Crew,
        run: RunFolder,
        store: CheckpointStore,
        history: list[dict[str, Any]],
        remark: Remark,
    ) -> None:
        self._keys = keys
        self._engine = parts.engine
        self._batches = parts.batches
        self._crew = crew
        self._run = run
        self._store = store
        self._history = history
        self._remark = remark
        # A network may keep such numbers on purpose, as a mask does.
        self._always = unsound(self._engine.snapshot()).keys()
        self._batches.begin_again(self._engine.attempt)
        if keys.on_divergence == "skip":
            self._engine.spare = self._skip

    @property
    def goes_back(self) -> bool:
        """Whether the run needs a checkpoint to go back to, from its first step on."""
        return self._keys.on_divergence == "rollback"

    def require_sound(self, snapshot: Snapshot) -> None:
        """Raise Diverged when weights, averages or moments are not finite: it is not to be kept."""
        found = {n: v for n, v in unsound(snapshot).items() if n not in self._always}
        if found:
            name, value = next(iter(found.items()))
            more = f" (and {count_of(len(found) - 1, 'other tensor')})" if len(found) > 1 else ""
            raise Diverged(self._engine.steps_done, name + more, value)

    def overcome(self, fault: Diverged) -> None:
        """Go back to the newest checkpoint, and on from there with other numbers.

        Raises GuardError when the recipe asks for something else, or that was done too often.
        """
        if not self.goes_back:
            raise self._stop(fault)
        attempt = self._engine.attempt + 1
        checkpoint = self._store.newest([])
        if attempt > self._keys.max_rollbacks or checkpoint is None:
            raise self._stop(fault)
        pace = self._keys.rollback_rate**attempt
        self._begin_again(checkpoint.load(), attempt, pace)
        journal = checkpoint.manifest["journal"]
        self._run.metrics.cut(journal["bytes"], journal["sha256"])
        self._history[:] = self._run.metrics.read()
        slower = f" at {pace:g} times the learning rates" if pace != 1 else ""
        self._remark(
            _record(fault, "rollback")
            | {"step": checkpoint.step, "attempt": attempt, "pace": pace}
            | {
                "text": f"{fault}; went back to step {checkpoint.step}, on with other batches and "
                f"draws{slower}: rollback {attempt} of {self._keys.max_rollbacks}"
            }
        )

    def _begin_again(self, loaded: Snapshot, attempt: int, pace: float) -> None:
        again = {"number": attempt, "pace": pace}
        snapshot = replace(loaded, facts=loaded.facts | {"attempt": again})
        self._engine.restore(of_rank(snapshot, 0))
        self._batches.begin_again(attempt)
        self._crew.stay()
        self._crew.start_from(snapshot)

    def _skip(self, fault: Diverged) -> None:
        """Count a move that is left out; raise the fault after too many of them."""
        if len(self._skips(fault.step)) >= self._keys.max_skips:
            raise fault
        text = f"{fault}; the move was left out"
        self._remark(_record(fault, "skip") | {"text": text})

    def _skips(self, step: int) -> list[Mapping[str, Any]]:
        """Return the records of moves that were left out in the last steps."""
        found: list[Mapping[str, Any]] = []
        for record in reversed(self._history):
            if record.get("step", 0) <= step - SPAN:
                break
            if record["event"] == "divergence":
                found.append(record)
        return found

    def _stop(self, fault: Diverged) -> GuardError:
        """Keep the state for a look at it, and return what to raise."""
        advice = f"try a smaller learning rate or weight{self._other_ways()}"
        text = "; ".join(filter(None, [str(fault), self._tried(fault), advice, self._kept(fault)]))
        self._remark(_record(fault, "stop") | {"text": text})
        return GuardError(text)

    def _tried(self, fault: Diverged) -> str:
        if self.goes_back and self._engine.attempt:
            return f"{count_of(self._engine.attempt, 'rollback')} did not help"
        if self._engine.spare and (skips := len(self._skips(fault.step))):
            return f"{count_of(skips, 'move')} of the last {SPAN:,} steps were left out before"
        return ""

    def _other_ways(self) -> str:
        ways = {"stop": '"skip" or "rollback"', "skip": '"rollback"'}
        way = ways.get(self._keys.on_divergence)
        return f", or run.on_divergence = {way}" if way else ""

    def _kept(self, fault: Diverged) -> str:
        """Keep the state beside the checkpoints; a full disk must not hide the fault."""
        extra = {"reason": "diverged", "fault": _record(fault, "stop")}
        try:
            path = self._store.save_diverged(
                self._engine.snapshot(), step=self._engine.steps_done, extra=extra
            )
        except (StorageError, ValueError, TypeError) as error:
            return f"the state could not be kept ({error})"
        return f"the state is kept in {path.relative_to(self._run.folder)}, only to be looked at"


def _record(fault: Diverged, action: str) -> dict[str, Any]:
    return {
        "event": "divergence",
        "step": fault.step,
        "action": action,
        "player": fault.player,
        "what": fault.what,
        "value": str(fault.value),
    }
