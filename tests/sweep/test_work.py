"""A worker and its runs, which are pretended: each look at one is a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gan_toolkit.errors import GantkError, UsageError
from gan_toolkit.runs import RunFolder
from gan_toolkit.signals import Stop
from gan_toolkit.sweep.entries import Entry
from gan_toolkit.sweep.ledger import Ledger
from gan_toolkit.sweep.process import Order
from gan_toolkit.sweep.trial import Calls
from gan_toolkit.sweep.work import Clock, Worker, failure

if TYPE_CHECKING:
    from tests.sweep.conftest import Desk


@dataclass
class Script:
    """What a run does: what it logs step by step, what it scores, how it ends."""

    values: Sequence[float] = (0.1, 0.2)
    score: float | None = None
    code: int = 0
    cause: str = ""
    void: str = ""
    then: Callable[[], None] = lambda: None
    """Called when it has logged all."""


@dataclass
class Pretended:
    """A run: each look at it is one step."""

    folder: Path
    script: Script
    words: list[str] = field(default_factory=list)
    step: int = 0
    over: bool = False

    def poll(self) -> int | None:
        if self.words:
            return self._end(75 if "SIGTERM" in self.words else 130)
        if self.step < len(self.script.values):
            self.step += 1
            value = self.script.values[self.step - 1]
            run = RunFolder.open(self.folder)
            run.metrics.append({"event": "log", "step": self.step, "x": value})
            return None
        self.script.then()
        return self._end(self.script.code)

    def stop(self, word: str) -> None:
        self.words.append(word)

    def wait(self) -> int:
        while (code := self.poll()) is None:
            pass
        return code

    def _end(self, code: int) -> int:
        if not self.over and self.folder.exists():
            self.over = True
            run = RunFolder.open(self.folder)
            final = self.script.score if self.script.score is not None else self.script.values[-1]
            if code == 0:
                void = {"void": self.script.void} if self.script.void else {}
                run.add_scores(
                    self.step, [{"measure": "m", "name": "code", "value": final, **void}]
                )
            run.update(status="finished" if code == 0 else "stopped", cause=self.script.cause)
        return code


class Stage:
    """A place where runs are pretended, by scripts under their names."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.shelf = desk.folder / "runs" / "r"
        self.scripts: dict[str, Script] = {}
        self.orders: list[list[str]] = []
        self.started: list[Pretended] = []
        self.events: list[Mapping[str, Any]] = []
        self.time = 0.0

    def start(self, order: Order) -> Pretended:
        words = list(order.words)
        self.orders.append(words)
        if words[0] == "run":
            name = words[words.index("--name") + 1]
            made = RunFolder.create(self.shelf.parent, "r", name=name)
            made.write_text(made.resolved.name, "")
        else:
            name = Path(words[-1]).name
        one = Pretended(self.shelf / name, self.scripts.get(name, Script()))
        self.started.append(one)
        return one

    def worker(self, ledger: Ledger, **more: Any) -> Worker:
        calls = Calls(["run", "r"], ["resume"], self.shelf, self.shelf / "logs", "s")
        clock = Clock(lambda: self.time, self.sleep)
        return Worker(ledger, calls, self.start, self.events.append, clock=clock, **more)

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        assert self.time < 1_000, "it never ends"

    def told(self) -> list[tuple[str, str]]:
        return [(e["trial"], e["state"]) for e in self.events if e["event"] == "trial"]


@pytest.fixture
def stage(desk: Desk) -> Stage:
    return Stage(desk)


def test_every_seed_is_an_ordinary_run(desk: Desk, stage: Stage) -> None:
    entries = stage.worker(desk.open(desk.seeds(2))).work()

    assert [entry.state for entry in entries] == ["done", "done"]
    assert entries[1].runs == (str(stage.shelf / "s-1"),)
    assert stage.orders[1] == ["run", "r", "--set", "run.seed=1", "--name", "s-1"]
    assert stage.told() == [("0", "begun"), ("0", "done"), ("1", "begun"), ("1", "done")]


def test_the_target_of_a_point_is_its_value(desk: Desk, stage: Stage) -> None:
    stage.scripts["s-0001"] = Script(score=0.75)

    entries = stage.worker(desk.open(desk.search(2)), jobs=2).work()

    assert [entry.value for entry in entries] == [0.2, 0.75]
    size = entries[0].point["run.batch_size"]
    assert stage.orders[0] == ["run", "r", "--set", f"run.batch_size={size}", "--name", "s-0000"]
    progress = [e for e in stage.events if e["event"] == "progress" and e["trial"] == "0001"]
    assert [e["step"] for e in progress] == [1, 2]


def test_the_value_of_several_seeds_is_their_median(desk: Desk, stage: Stage) -> None:
    for seed, value in enumerate((1.0, 9.0, 2.0)):
        stage.scripts[f"s-0000-seed-{seed}"] = Script(score=value)

    (entry,) = stage.worker(desk.open(desk.search(1, seeds=(0, 1, 2)))).work()

    assert (entry.value, entry.values) == (2.0, (1.0, 9.0, 2.0))
    assert stage.orders[2][-4:] == ["--set", "run.seed=2", "--name", "s-0000-seed-2"]


def test_jobs_run_at_the_same_time(desk: Desk, stage: Stage) -> None:
    stage.worker(desk.open(desk.seeds(3)), jobs=2).work()

    assert stage.told()[:2] == [("0", "begun"), ("1", "begun")]


def test_what_fails_is_written_down_and_the_sweep_goes_on(desk: Desk, stage: Stage) -> None:
    stage.scripts["s-0"] = Script(code=5, cause="critic/loss is not finite\nmore")

    entries = stage.worker(desk.open(desk.seeds(2))).work()

    assert [entry.state for entry in entries] == ["failed", "done"]
    assert (entries[0].cause, entries[0].exit_code) == ("critic/loss is not finite", 5)
    assert failure(entries) is None


def test_a_void_target_fails_the_trial(desk: Desk, stage: Stage) -> None:
    stage.scripts["s-0000"] = Script(void="one class only")

    entries = stage.worker(desk.open(desk.search(1))).work()

    assert entries[0].cause == "m/code is void: one class only"
    error = failure(entries)
    assert error is not None
    assert str(error) == "all 1 trials failed; the first: m/code is void: one class only"


def test_a_sweep_of_which_all_failed_has_their_exit_code() -> None:
    slot = Stage.__new__(Stage)
    entries = [Entry(slot, "failed", cause="no data", exit_code=4)] * 2  # type: ignore[arg-type]

    error = failure(entries)

    assert isinstance(error, GantkError)
    assert error.exit_code == 4
    assert failure([]) is None


@pytest.mark.parametrize("key", ["target", "prune"])
def test_a_name_that_no_run_has_ends_the_sweep(desk: Desk, stage: Stage, key: str) -> None:
    wrong = {"target": "m/cod"} if key == "target" else {"prune": {"by": "z"}}
    ledger = desk.open(desk.search(3, **wrong))

    with pytest.raises(UsageError, match="has no value"):
        stage.worker(ledger).work()

    assert len(stage.orders) == 1
    assert [entry.state for entry in ledger.entries()] == ["waiting"] * 3


# --- pruning ---------------------------------------------------------------------------------

PRUNE = {"by": "x", "trials": 1, "after": 2}


def test_what_falls_behind_is_stopped(desk: Desk, stage: Stage) -> None:
    stage.scripts |= {
        "s-0000": Script([0.5, 0.5, 0.5]),
        "s-0001": Script([0.1, 0.1, 0.1, 0.1]),
        "s-0002": Script([0.1, 0.6, 0.6]),
    }

    entries = stage.worker(desk.open(desk.search(3, prune=PRUNE))).work()

    assert [entry.state for entry in entries] == ["done", "pruned", "done"]
    assert stage.started[1].words == ["SIGTERM"]
    assert stage.started[1].step == 2


def test_what_is_better_of_a_loss_is_less(desk: Desk, stage: Stage) -> None:
    stage.scripts |= {"s-0000": Script([0.5, 0.5]), "s-0001": Script([0.1, 0.1, 0.1])}

    prune = {**PRUNE, "direction": "minimise"}
    entries = stage.worker(desk.open(desk.search(2, prune=prune))).work()

    assert [entry.state for entry in entries] == ["done", "done"]


def test_only_the_first_seed_is_judged(desk: Desk, stage: Stage) -> None:
    stage.scripts |= {
        "s-0000-seed-0": Script([0.5, 0.5]),
        "s-0000-seed-1": Script([0.5, 0.5]),
        "s-0001-seed-0": Script([0.6, 0.6]),
        "s-0001-seed-1": Script([0.0, 0.0]),
    }

    entries = stage.worker(desk.open(desk.search(2, seeds=(0, 1), prune=PRUNE))).work()

    assert [entry.state for entry in entries] == ["done", "done"]


# --- what is lost ----------------------------------------------------------------------------


def test_a_run_that_was_killed_is_resumed(desk: Desk, stage: Stage) -> None:
    script = Script([0.3], code=-9)
    script.then = lambda: stage.scripts.update({"s-0": Script([0.3, 0.4])})
    stage.scripts["s-0"] = script

    entries = stage.worker(desk.open(desk.seeds(1))).work()

    assert [entry.state for entry in entries] == ["done"]
    assert stage.orders[1] == ["resume", str(stage.shelf / "s-0")]
    assert stage.told() == [("0", "begun"), ("0", "lost"), ("0", "resumed"), ("0", "done")]


def test_what_was_killed_before_its_first_step_is_begun_anew(desk: Desk, stage: Stage) -> None:
    script = Script(code=-9)

    def vanish() -> None:
        RunFolder.open(stage.shelf / "s-0").resolved.unlink()
        stage.scripts["s-0"] = Script()

    script.then = vanish
    stage.scripts["s-0"] = script

    stage.worker(desk.open(desk.seeds(1))).work()

    assert [words[0] for words in stage.orders] == ["run", "run"]


def test_a_run_whose_folder_is_on_another_machine_is_begun_anew(desk: Desk, stage: Stage) -> None:
    elsewhere = desk.open(desk.seeds(1))
    taken = elsewhere.take()
    assert taken is not None
    elsewhere.lost(taken, stopped=True)

    stage.worker(desk.open(desk.seeds(1))).work()

    assert [words[0] for words in stage.orders] == ["run"]


def test_a_run_that_had_come_to_its_end_is_only_read(desk: Desk, stage: Stage) -> None:
    killed = desk.open(desk.search(1))
    taken = killed.take()
    assert taken is not None
    run = RunFolder.create(stage.shelf.parent, "r", name="s-0000")
    run.add_scores(6, [{"measure": "m", "name": "code", "value": 0.75}])
    run.update(status="finished")
    killed.lost(taken, stopped=True)

    (entry,) = stage.worker(desk.open(desk.search(1))).work()

    assert entry.value == 0.75
    assert stage.orders == []


def test_a_run_that_is_still_held_is_waited_for(desk: Desk, stage: Stage) -> None:
    killed = desk.open(desk.seeds(1))
    taken = killed.take()
    assert taken is not None
    run = RunFolder.create(stage.shelf.parent, "r", name="s-0")
    run.write_text(run.resolved.name, "")
    killed.lost(taken, stopped=True)
    worker = stage.worker(desk.open(desk.seeds(1)))
    real, held = stage.sleep, run.lock()
    held.__enter__()

    def sleep(seconds: float) -> None:
        real(seconds)
        if stage.time > 5 and run.seems_held():
            assert stage.orders == []
            held.__exit__(None, None, None)

    worker._clock = Clock(lambda: stage.time, sleep)
    worker.work()

    assert stage.orders == [["resume", str(run.folder)]]


def test_the_record_of_a_dead_machine_holds_nobody_up(desk: Desk, stage: Stage) -> None:
    killed = desk.open(desk.seeds(1))
    taken = killed.take()
    assert taken is not None
    run = RunFolder.create(stage.shelf.parent, "r", name="s-0")
    run.write_text(run.resolved.name, "")
    run.write_json("run.owner.json", {"host": "dead", "pid": 1})
    killed.lost(taken, stopped=True)

    stage.worker(desk.open(desk.seeds(1))).work()

    assert stage.orders == [["resume", str(run.folder)]]


def test_a_worker_waits_for_the_others_and_takes_over_what_they_lose(
    desk: Desk, stage: Stage
) -> None:
    other = desk.open(desk.seeds(2))
    taken = other.take()
    assert taken is not None
    worker, real = stage.worker(desk.open(desk.seeds(2))), stage.sleep

    def sleep(seconds: float) -> None:
        real(seconds)
        if stage.time > 30 and other.live(taken):
            other.lost(taken, stopped=True)

    worker._clock = Clock(lambda: stage.time, sleep)
    entries = worker.work()

    assert [entry.state for entry in entries] == ["done", "done"]
    notes = [e["text"] for e in stage.events if e["event"] == "note"]
    assert notes == ["waiting for other workers: 0"]


def test_a_slot_that_went_to_another_is_let_go(desk: Desk, stage: Stage) -> None:
    ledger = desk.open(desk.seeds(1))
    stage.scripts["s-0"] = Script([0.1] * 200)
    answers = iter([True, False])
    ledger.live = lambda taken: next(answers, True)  # type: ignore[method-assign]
    other = desk.open(desk.seeds(1))

    def settle(word: str) -> None:
        stage.started[0].words.append(word)
        for trial in other._study.trials:
            other._study.tell(trial.number, 1.0)

    real = stage.start

    def start(order: Order) -> Pretended:
        one = real(order)
        one.stop = settle  # type: ignore[method-assign]
        return one

    stage.start = start  # type: ignore[method-assign]
    stage.worker(ledger).work()

    assert stage.told() == [("0", "begun"), ("0", "lost")]
    assert stage.started[0].words == ["SIGTERM"]


# --- stopping --------------------------------------------------------------------------------


def interrupting(stage: Stage, worker: Worker, error: BaseException, at: float = 0.3) -> None:
    real = stage.sleep

    def sleep(seconds: float) -> None:
        real(seconds)
        if stage.time > at:
            raise error

    worker._clock = Clock(lambda: stage.time, sleep)


@pytest.mark.parametrize(
    ("error", "word"), [(KeyboardInterrupt(), "SIGINT"), (Stop("SIGTERM"), "SIGTERM")]
)
def test_a_stop_saves_and_gives_back(
    desk: Desk, stage: Stage, error: BaseException, word: str
) -> None:
    ledger = desk.open(desk.seeds(3))
    stage.scripts |= {f"s-{n}": Script([0.1] * 50) for n in range(2)}
    worker = stage.worker(ledger, jobs=2)
    interrupting(stage, worker, error)

    with pytest.raises(type(error)):
        worker.work()

    assert [one.words for one in stage.started] == [[word], [word]]
    assert [entry.state for entry in ledger.entries()] == ["waiting"] * 3
    assert stage.told()[-2:] == [("0", "stopped"), ("1", "stopped")]
    entries = stage.worker(desk.open(desk.seeds(3))).work()
    assert [entry.state for entry in entries] == ["done"] * 3
    assert [words[0] for words in stage.orders[2:]] == ["run", "resume", "resume"]


@pytest.mark.parametrize(("target", "state"), [("m/code", "done"), ("m/no", "waiting")])
def test_a_run_that_ends_by_itself_while_it_is_stopped_counts(
    desk: Desk, stage: Stage, target: str, state: str
) -> None:
    ledger = desk.open(desk.search(1, target=target))
    worker = stage.worker(ledger)
    interrupting(stage, worker, KeyboardInterrupt(), at=0.1)
    real = stage.start

    def start(order: Order) -> Pretended:
        one = real(order)
        one.stop = lambda word: None  # type: ignore[method-assign]
        return one

    worker._start = start
    with pytest.raises(KeyboardInterrupt):
        worker.work()

    assert [entry.state for entry in ledger.entries()] == [state]


def test_a_second_interrupt_stops_at_once(desk: Desk, stage: Stage) -> None:
    worker = stage.worker(desk.open(desk.seeds(1)))
    stage.scripts["s-0"] = Script([0.1] * 50)
    interrupting(stage, worker, KeyboardInterrupt())
    real = stage.start

    def start(order: Order) -> Pretended:
        one = real(order)
        waits = iter([KeyboardInterrupt()])

        def wait() -> int:
            for error in waits:
                raise error
            return 130

        one.wait = wait  # type: ignore[method-assign]
        return one

    worker._start = start
    with pytest.raises(KeyboardInterrupt):
        worker.work()

    assert stage.started[0].words == ["SIGINT", "SIGINT"]


def test_a_check_may_refuse_to_go_on(desk: Desk, stage: Stage) -> None:
    ledger = desk.open(desk.seeds(2))

    def check() -> None:
        if stage.orders:
            raise UsageError("the recipe changed")

    with pytest.raises(UsageError, match="the recipe changed"):
        stage.worker(ledger, check=check).work()

    assert [entry.state for entry in ledger.entries()] == ["done", "waiting"]
    assert len(stage.orders) == 1
