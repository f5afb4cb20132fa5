"""The ledger of a sweep: an Optuna study in a database that any number of workers share.

All slots are written down when the sweep begins, so that the database alone decides who takes
which; one that its worker lost is offered again with the same point.

The heartbeat that tells a dead worker is Optuna's (`RDBStorage`, by the clock of the database). Its
own way of retrying, a callback after a trial was failed, is not used: a worker that is killed
between the two would lose the trial.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from gan_toolkit.errors import UsageError
from gan_toolkit.sweep.entries import Entry, entry_of, is_open, settles, slot_of
from gan_toolkit.sweep.plan import Plan, Slot, changes
from gan_toolkit.sweep.proposing import DIRECTIONS, pruner_of, sampler_of, suggest
from gan_toolkit.sweep.storage import knowingly, open_storage, reachable, without_password

BEAT = 10
"""Seconds from one sign of life to the next."""
GRACE = 60
"""Seconds without one until a worker is taken for dead."""


@dataclass
class Taken:
    """A slot that this worker has taken."""

    slot: Slot
    trial: Trial
    point: Mapping[str, Any]
    again: bool
    """Whether somebody began it before, so that its runs may be there."""
    id: int


class Ledger:
    """One sweep in one database. Every method raises StorageError when that can't be reached."""

    def __init__(self, url: str, plan: Plan, *, beat: int = BEAT, grace: int = GRACE) -> None:
        self.plan = plan
        self.shown = without_password(url)
        self.beat = beat
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with reachable(self.shown), knowingly():
            self._storage = open_storage(url, beat, grace)
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=plan.name,
                direction=DIRECTIONS[plan.space.direction if plan.space else "maximise"],
                pruner=pruner_of(plan.space),
                load_if_exists=True,
            )
        self.joined = self._agree()
        self._offer(self._missing())

    def close(self) -> None:
        """Let go of the database."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    # --- what a worker does -----------------------------------------------------------------

    def take(self) -> Taken | None:
        """Take a slot that nobody has; None when there is none at the moment."""
        with reachable(self.shown), knowingly():
            self._bury()
            while self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                trial = self._study.ask()
                taken = self._taken(trial)
                if taken is not None:
                    return taken
        return None

    def live(self, taken: Taken) -> bool:
        """Give a sign of life; return whether the slot is still ours: a sleeper loses it."""
        with reachable(self.shown):
            self._storage.record_heartbeat(taken.id)
            state = self._storage.get_trial(taken.id).state
        return state == TrialState.RUNNING

    def report(self, taken: Taken, value: float, step: int) -> bool:
        """Write down how a run does; return whether it should be stopped early."""
        with reachable(self.shown):
            taken.trial.report(value, step)
            return taken.trial.should_prune()
        return False  # another has it now, who will judge

    def note(self, taken: Taken, **facts: Any) -> None:
        """Write down facts of the trial."""
        with reachable(self.shown):
            for name, value in facts.items():
                taken.trial.set_user_attr(name, value)

    def done(self, taken: Taken, value: float) -> None:
        """Settle a slot: it ran to its end."""
        self._tell(taken, TrialState.COMPLETE, value)

    def pruned(self, taken: Taken) -> None:
        """Settle a slot: it fell behind and was stopped."""
        self._tell(taken, TrialState.PRUNED)

    def failed(self, taken: Taken, cause: str, exit_code: int | None) -> None:
        """Settle a slot: its run failed by itself, and would fail again."""
        self.note(taken, cause=cause, exit_code=exit_code)
        self._tell(taken, TrialState.FAIL)

    def lost(self, taken: Taken, *, stopped: bool) -> None:
        """Give a slot back to all; one that was `stopped` on purpose counts as no loss."""
        if stopped:
            self.note(taken, stopped=True)
        self._tell(taken, TrialState.FAIL)
        with reachable(self.shown):
            self._offer_again()

    # --- what is known ----------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return what is known of every slot that was ever asked for, in their order."""
        with reachable(self.shown):
            attempts = self._attempts()
        return [entry_of(some[0][0], [trial for _, trial in some]) for some in attempts.values()]

    # --- inside -----------------------------------------------------------------------------

    def _agree(self) -> bool:
        """Write down what the sweep is, or compare; return whether it was there before."""
        facts = json.loads(json.dumps(self.plan.facts(), default=str))
        with reachable(self.shown):
            then = self._study.user_attrs.get("plan")
            if then is None:
                self._study.set_user_attr("plan", facts)
                return False
        if found := changes(then, facts):
            raise UsageError(
                f"sweep {self.plan.name!r} in {self.shown} asks for something else: "
                f"{'; '.join(found[:5])}; take another --name, or ask for the same"
            )
        return True

    def _missing(self) -> list[Slot]:
        with reachable(self.shown):
            known = self._attempts()
        return [slot for slot in self.plan.slots if slot.name not in known]

    def _offer(self, slots: Sequence[Slot]) -> None:
        with reachable(self.shown):
            for slot in slots:
                whole = {"name": slot.name, "seeds": list(slot.seeds), "params": dict(slot.params)}
                self._study.enqueue_trial(dict(slot.params), user_attrs={"slot": whole})

    def _bury(self) -> None:
        """Fail what dead workers left, and offer it again."""
        optuna.storages.fail_stale_trials(self._study)
        # Who died before the first sign of life is in no list of Optuna's.
        old = datetime.now() - timedelta(seconds=10 * GRACE)
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            begun = trial.datetime_start
            if "worker" not in trial.user_attrs and begun is not None and begun < old:
                self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
        self._offer_again()

    def _offer_again(self) -> None:
        for some in self._attempts().values():
            slot, trials = some[0][0], [trial for _, trial in some]
            if entry_of(slot, trials).state != "waiting" or is_open(trials):
                continue
            held = next((t.params for t in trials if t.params), slot.params)
            again = Slot(slot.name, slot.seeds, dict(held))
            self._offer([again])

    def _taken(self, trial: Trial) -> Taken | None:
        """Return a trial as a slot that is ours; what nobody asked for, or twice, is put away."""
        frozen = self._storage.get_trial(trial._trial_id)
        self._storage.record_heartbeat(trial._trial_id)
        slot = slot_of(frozen)
        attempts = [] if slot is None else [t for _, t in self._attempts()[slot.name]]
        others = [t for t in attempts if t.number != frozen.number]
        # Of two offers of one slot the elder counts: everybody sees it so.
        taken = any(settles(t) or (is_open([t]) and t.number < frozen.number) for t in others)
        if slot is None or taken:
            trial.set_user_attr("surplus", True)
            self._study.tell(trial, state=TrialState.FAIL)
            return None
        trial.set_user_attr("worker", f"{platform.node()}:{os.getpid()}")
        point = self._draw(trial, slot)
        again = any("worker" in t.user_attrs for t in others)
        return Taken(slot, trial, point, again, trial._trial_id)

    def _draw(self, trial: Trial, slot: Slot) -> dict[str, Any]:
        """Return the point of a slot.

        The sampler is seeded anew for each slot: with one seed for all, every worker would draw
        the same points, and with one for each, nothing could be made again.
        """
        space = self.plan.space
        if space is None:
            return {}
        self._study.sampler = sampler_of(space, int(slot.name))
        return {key: suggest(trial, key, one) for key, one in space.search.items()}

    def _attempts(self) -> dict[str, list[tuple[Slot, FrozenTrial]]]:
        """Return the trials of each slot, surplus ones left out, in the order of the slots."""
        found: dict[str, list[tuple[Slot, FrozenTrial]]] = {}
        for trial in self._study.get_trials(deepcopy=False):
            slot = slot_of(trial)
            if slot is not None and not trial.user_attrs.get("surplus"):
                found.setdefault(slot.name, []).append((slot, trial))
        return found

    def _tell(self, taken: Taken, state: TrialState, value: float | None = None) -> None:
        with reachable(self.shown), knowingly():
            self._study.tell(taken.trial, value, state=state, skip_if_finished=True)
