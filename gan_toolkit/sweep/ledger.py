"""The ledger of a sweep: an Optuna study in a database that any number of workers share.

All slots are written down when the sweep begins, so that the database alone decides who takes
which. A slot may take several of Optuna's trials: one whose worker died, or was stopped, counts as
never made, and the slot is offered again with the same point. What counts for a slot is the same
for whoever reads, so it does not matter which worker notices first, or whether two do at once.

The heartbeat that tells a dead worker is Optuna's (`RDBStorage`, by the clock of the database). Its
own way of retrying, a callback after a trial was failed, is not used: a worker that is killed
between the two would lose the trial.
"""

from __future__ import annotations

import json
import os
import socket
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
import sqlalchemy
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from gan_toolkit.errors import StorageError, UsageError
from gan_toolkit.recipe.writing import in_line
from gan_toolkit.sweep.plan import Plan, Slot, changes
from gan_toolkit.sweep.space import Dimension, Space

State = Literal["done", "pruned", "failed", "running", "waiting"]
SETTLED = ("done", "pruned", "failed")
BEAT = 10
"""Seconds from one sign of life to the next."""
GRACE = 60
"""Seconds without one until a worker is taken for dead."""
MOST_LOSSES = 3
"""Workers that a slot may take with it before it counts as failed."""
_OPENINGS = 3
_KNOWN = {
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
        self.shown = _without_password(url)
        self.beat = beat
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with self._reachable(), _knowingly():
            self._storage = _open(url, beat, grace)
            self._study = optuna.create_study(
                storage=self._storage,
                study_name=plan.name,
                direction=_DIRECTIONS[plan.space.direction if plan.space else "maximise"],
                pruner=_pruner(plan.space),
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
        with self._reachable(), _knowingly():
            self._bury()
            while self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
                trial = self._study.ask()
                taken = self._taken(trial)
                if taken is not None:
                    return taken
        return None

    def live(self, taken: Taken) -> bool:
        """Give a sign of life; return whether the slot is still ours: a sleeper loses it."""
        with self._reachable():
            self._storage.record_heartbeat(taken.id)
            return self._storage.get_trial(taken.id).state == TrialState.RUNNING
        return False

    def report(self, taken: Taken, value: float, step: int) -> bool:
        """Write down how a run does; return whether it should be stopped early."""
        with self._reachable():
            taken.trial.report(value, step)
            return taken.trial.should_prune()
        return False

    def note(self, taken: Taken, **facts: Any) -> None:
        """Write down facts of the trial."""
        with self._reachable():
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
        with self._reachable():
            self._offer_again()

    # --- what is known ----------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Return what is known of every slot that was ever asked for, in their order."""
        with self._reachable():
            attempts = self._attempts()
        return [_entry(some[0][0], [trial for _, trial in some]) for some in attempts.values()]

    # --- inside -----------------------------------------------------------------------------

    def _agree(self) -> bool:
        """Write down what the sweep is, or compare; return whether it was there before."""
        facts = json.loads(json.dumps(self.plan.facts(), default=str))
        with self._reachable():
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
        with self._reachable():
            known = self._attempts()
        return [slot for slot in self.plan.slots if slot.name not in known]

    def _offer(self, slots: Sequence[Slot]) -> None:
        with self._reachable():
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
            if _entry(slot, trials).state != "waiting" or _is_open(trials):
                continue
            held = next((t.params for t in trials if t.params), slot.params)
            again = Slot(slot.name, slot.seeds, dict(held))
            self._offer([again])

    def _taken(self, trial: Trial) -> Taken | None:
        """Return a trial as a slot that is ours; what nobody asked for, or twice, is put away."""
        frozen = self._storage.get_trial(trial._trial_id)
        self._storage.record_heartbeat(trial._trial_id)
        slot = _slot_of(frozen)
        attempts = [] if slot is None else [t for _, t in self._attempts()[slot.name]]
        others = [t for t in attempts if t.number != frozen.number]
        # Of two offers of one slot the elder counts: everybody sees it so.
        taken = any(_settles(t) or (_is_open([t]) and t.number < frozen.number) for t in others)
        if slot is None or taken:
            trial.set_user_attr("surplus", True)
            self._study.tell(trial, state=TrialState.FAIL)
            return None
        trial.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}")
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
        self._study.sampler = _sampler(space, int(slot.name))
        return {key: suggest(trial, key, one) for key, one in space.search.items()}

    def _attempts(self) -> dict[str, list[tuple[Slot, FrozenTrial]]]:
        """Return the trials of each slot, surplus ones left out, in the order of the slots."""
        found: dict[str, list[tuple[Slot, FrozenTrial]]] = {}
        for trial in self._study.get_trials(deepcopy=False):
            slot = _slot_of(trial)
            if slot is not None and not trial.user_attrs.get("surplus"):
                found.setdefault(slot.name, []).append((slot, trial))
        return found

    def _tell(self, taken: Taken, state: TrialState, value: float | None = None) -> None:
        with self._reachable(), _knowingly():
            self._study.tell(taken.trial, value, state=state, skip_if_finished=True)

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except optuna.exceptions.UpdateFinishedTrialError:
            return  # it was taken for dead while it slept: another has it now
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError, ImportError) as error:
            cause = error.__cause__ or error
            first = (str(getattr(cause, "orig", None) or cause).splitlines() or ["no message"])[0]
            remedy = "every worker must reach it, and may write to it"
            if isinstance(cause, ImportError):
                remedy = "install the driver of this database"
            raise StorageError(f"can't use the storage {self.shown}: {first}; {remedy}") from error


# --- trials ----------------------------------------------------------------------------------


def _slot_of(trial: FrozenTrial) -> Slot | None:
    """Return the slot that a trial is for; None for one that nobody asked for."""
    whole = trial.user_attrs.get("slot")
    if whole is None:
        return None
    return Slot(whole["name"], tuple(whole["seeds"]), whole["params"])


def _settles(trial: FrozenTrial) -> bool:
    known = _KNOWN.get(trial.state)
    return known in SETTLED or "cause" in trial.user_attrs


def _is_open(trials: Sequence[FrozenTrial]) -> bool:
    return any(t.state in (TrialState.WAITING, TrialState.RUNNING) for t in trials)


def _entry(slot: Slot, trials: Sequence[FrozenTrial]) -> Entry:
    """Return what the trials of a slot make of it: the first that settles it, or is at work."""
    for test in (_settles, _is_running):
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


# --- Optuna ----------------------------------------------------------------------------------

_DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "maximise": "maximize",
    "minimise": "minimize",
}


def suggest(trial: Trial, key: str, dimension: Dimension) -> Any:
    """Draw a value, or take that of the plan; a listed value is drawn as its TOML."""
    if dimension.values is not None:
        return trial.suggest_categorical(key, [in_line(value) for value in dimension.values])
    low, high, step = dimension.low, dimension.high, dimension.step
    assert low is not None, "bounds were checked"
    assert high is not None, "bounds were checked"
    if dimension.is_whole:
        whole = int(step or 1)
        return trial.suggest_int(key, int(low), int(high), step=whole, log=dimension.log)
    part = None if step is None else float(step)
    return trial.suggest_float(key, float(low), float(high), step=part, log=dimension.log)


def _sampler(space: Space, slot: int) -> optuna.samplers.BaseSampler:
    seed = int(np.random.SeedSequence((space.seed, slot)).generate_state(1)[0])
    if space.sampler == "tpe":
        # What other workers are at counts as bad, so that not all go for one place.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)


def _pruner(space: Space | None) -> optuna.pruners.BasePruner:
    if space is None or space.prune is None:
        return optuna.pruners.NopPruner()
    prune = space.prune
    if prune.pruner == "median":
        return optuna.pruners.MedianPruner(prune.trials, n_warmup_steps=prune.after)
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=prune.after)


def _open(url: str, beat: int, grace: int) -> optuna.storages.RDBStorage:
    """Open the database; when several workers make its tables at once, all but one try again."""
    patient = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {}
    for opening in range(_OPENINGS):
        try:
            return optuna.storages.RDBStorage(
                url, engine_kwargs=patient, heartbeat_interval=beat, grace_period=grace
            )
        except SQLAlchemyError:
            if opening == _OPENINGS - 1:
                raise
            time.sleep(0.2)
    raise AssertionError("it returns or raises")


@contextmanager
def _knowingly() -> Iterator[None]:
    """Heartbeats are experimental in Optuna, and outside of its own loop it warns of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", message="Heartbeat of storage")
        yield


def url_of(path: Path) -> str:
    """Return the URL of an SQLite file; braces are doubled, since Optuna fills in templates."""
    url = sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string()
    return url.replace("{", "{{").replace("}", "}}")


def _without_password(url: str) -> str:
    """Return a URL as it may be shown; UsageError when it is none."""
    try:
        return sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        raise UsageError(
            f"--storage {url}: not the URL of a database; such as sqlite:///sweep.db or "
            "postgresql://user@host/sweeps"
        ) from None
