"""What is known of each slot, read from Optuna's trials of it.

A slot may take several trials: one whose worker died, or was stopped, counts as never made. What
counts is the same for whoever reads, so it does not matter which worker notices first, or whether
two do at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

from gan_toolkit.sweep.plan import Slot

State = Literal["done", "pruned", "failed", "running", "waiting"]
SETTLED = ("done", "pruned", "failed")
MOST_LOSSES = 3
"""Processes that a slot may take with it before it counts as failed."""
_KNOWN: dict[TrialState, State] = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "pruned",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


@dataclass(frozen=True)
class Entry:
    """What is known of a slot."""

    slot: Slot
    state: State
    point: Mapping[str, Any] = field(default_factory=dict)
    """As Optuna holds it."""
    value: float | None = None
    runs: Sequence[str] = ()
    """The folders of its runs, as the worker that made them calls them."""
    values: Sequence[float] = ()
    """The value of each run, if there is a target."""
    cause: str = ""
    """Why it failed."""
    exit_code: int | None = None


def slot_of(trial: FrozenTrial) -> Slot | None:
    """Return the slot that a trial is for; None for one that nobody asked for."""
    whole = trial.user_attrs.get("slot")
    if whole is None:
        return None
    return Slot(whole["name"], tuple(whole["seeds"]), whole["params"])


def settles(trial: FrozenTrial) -> bool:
    """Return whether a trial says for good what became of its slot."""
    known = _KNOWN.get(trial.state)
    return known in SETTLED or "cause" in trial.user_attrs


def is_open(trials: Sequence[FrozenTrial]) -> bool:
    """Return whether any of these trials waits or runs."""
    return any(t.state in (TrialState.WAITING, TrialState.RUNNING) for t in trials)


def entry_of(slot: Slot, trials: Sequence[FrozenTrial]) -> Entry:
    """Return what the trials of a slot make of it: the first that settles it, or is at work."""
    for test in (settles, _is_running):
        for trial in trials:
            if test(trial):
                return _read(slot, trial)
    lost = [t for t in trials if t.state == TrialState.FAIL and not t.user_attrs.get("stopped")]
    if len(lost) >= MOST_LOSSES:
        cause = f"its process died {len(lost)} times"
        return Entry(slot, "failed", lost[-1].params, cause=cause)
    return Entry(slot, "waiting", trials[-1].params or slot.params)


def _is_running(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.RUNNING


def _read(slot: Slot, trial: FrozenTrial) -> Entry:
    known = trial.user_attrs
    state: Any = "failed" if "cause" in known else _KNOWN[trial.state]
    return Entry(
        slot,
        state,
        trial.params,
        trial.value if state == "done" else None,
        tuple(known.get("runs", ())),
        tuple(known.get("values", ())),
        str(known.get("cause", "")),
        known.get("exit_code"),
    )
