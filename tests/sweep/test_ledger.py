"""The ledger: no slot is lost and none counts twice, whoever dies and whenever."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import sqlalchemy

from gan_toolkit.errors import StorageError, UsageError
from gan_toolkit.sweep import ledger as ledgers
from gan_toolkit.sweep.entries import MOST_LOSSES
from gan_toolkit.sweep.ledger import Ledger, Taken

if TYPE_CHECKING:
    from tests.sweep.conftest import Desk


def take(ledger: Ledger) -> Taken:
    taken = ledger.take()
    assert taken is not None
    return taken


def states(ledger: Ledger) -> list[str]:
    return [entry.state for entry in ledger.entries()]


def test_every_slot_is_taken_once_by_any_worker(desk: Desk) -> None:
    first, second = desk.open(desk.seeds(3)), desk.open(desk.seeds(3))

    names = [take(worker).slot.name for worker in (first, second, first)]

    assert names == ["0", "1", "2"]
    assert second.take() is None
    assert states(first) == ["running"] * 3


def test_what_became_of_each_slot_is_known_to_all(desk: Desk) -> None:
    first, second = desk.open(desk.search(3)), desk.open(desk.search(3))
    done, pruned, failed = take(first), take(first), take(first)

    first.note(done, runs=["r/s-0000"], values=[0.25])
    first.done(done, 0.25)
    first.pruned(pruned)
    first.failed(failed, "diverged", 5)

    found = second.entries()
    assert [entry.state for entry in found] == ["done", "pruned", "failed"]
    assert (found[0].value, found[0].runs, found[0].values) == (0.25, ("r/s-0000",), (0.25,))
    assert (found[2].cause, found[2].exit_code) == ("diverged", 5)
    assert second.take() is None


def test_a_slot_given_back_is_taken_again_with_its_point(desk: Desk) -> None:
    first, second = desk.open(desk.search(1)), desk.open(desk.search(1))
    before = take(first)

    first.lost(before, stopped=True)
    (offer,) = first._study.get_trials(states=(optuna.trial.TrialState.WAITING,))
    after = take(second)

    assert offer.system_attrs["fixed_params"] == before.point  # TPE would draw another by now
    assert not before.again
    assert after.again
    assert after.slot.name == before.slot.name
    assert after.point == before.point
    second.done(after, 1.0)
    assert states(first) == ["done"]


def test_the_slot_of_a_killed_worker_goes_to_another(desk: Desk) -> None:
    killed = desk.open(desk.seeds(1), beat=1, grace=1)
    other = desk.open(desk.seeds(1), beat=1, grace=1)
    lost = take(killed)

    assert other.take() is None
    time.sleep(2.1)
    taken = take(other)

    assert taken.again
    assert not killed.live(lost)  # it slept, and learns that the slot is gone
    assert not killed.report(lost, 1.0, 1)
    killed.done(lost, 1.0)
    assert states(other) == ["running"]
    other.done(taken, 1.0)
    assert states(other) == ["done"]


def test_a_worker_that_died_before_its_first_sign_of_life_loses_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed, other = desk.open(desk.seeds(1)), desk.open(desk.seeds(1))
    monkeypatch.setattr(killed, "_taken", lambda _trial: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        killed.take()
    assert other.take() is None

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=11 * ledgers.GRACE)

    monkeypatch.setattr(ledgers, "datetime", Later)

    assert take(other).slot.name == "0"


def test_a_slot_that_takes_its_processes_with_it_fails(desk: Desk) -> None:
    worker = desk.open(desk.seeds(1))

    for _ in range(MOST_LOSSES):
        worker.lost(take(worker), stopped=False)

    assert worker.take() is None
    (entry,) = worker.entries()
    assert (entry.state, entry.cause) == ("failed", "its process died 3 times")


def test_stopping_on_purpose_is_no_loss(desk: Desk) -> None:
    worker = desk.open(desk.seeds(1))

    for _ in range(MOST_LOSSES + 1):
        worker.lost(take(worker), stopped=True)

    assert states(worker) == ["waiting"]


def test_of_two_offers_of_a_slot_one_counts(desk: Desk) -> None:
    worker = desk.open(desk.seeds(2))
    worker._offer(worker.plan.slots)  # as a second worker that began at the same instant

    names = [take(worker).slot.name, take(worker).slot.name]

    assert names == ["0", "1"]
    assert worker.take() is None
    assert len(worker.entries()) == 2


def test_what_nobody_asked_for_is_put_away(desk: Desk) -> None:
    worker = desk.open(desk.seeds(1))
    worker._study.enqueue_trial({})

    assert take(worker).slot.name == "0"
    assert worker.take() is None
    assert states(worker) == ["running"]


def test_more_slots_may_be_asked_for_later(desk: Desk) -> None:
    desk.open(desk.seeds(1))

    more = desk.open(desk.seeds(3))

    assert more.joined
    assert [entry.slot.name for entry in more.entries()] == ["0", "1", "2"]


def test_a_sweep_that_asks_for_something_else_is_refused(desk: Desk) -> None:
    desk.open(desk.search(3))

    with pytest.raises(UsageError) as error:
        desk.open(desk.search(3, direction="minimise", target="m/other"))

    assert "sweep 's' in sqlite:///" in str(error.value)
    assert 'search.target was "m/code", is "m/other"' in str(error.value)
    assert 'search.direction was "maximise", is "minimise"; take another --name' in str(error.value)


# --- points ----------------------------------------------------------------------------------


def points(ledger: Ledger, count: int) -> list[Any]:
    return [take(ledger).point["run.batch_size"] for _ in range(count)]


def test_points_follow_from_the_seed_and_the_slot_alone(desk: Desk) -> None:
    def drawn(name: str, seed: int) -> list[Any]:
        return points(desk.open(desk.search(3, seed=seed), name), 3)

    first, again, other = drawn("a", 0), drawn("b", 0), drawn("c", 1)

    assert first == again
    assert len(set(first) | set(other)) == 6


def test_workers_do_not_draw_the_same_points(desk: Desk) -> None:
    one, two = desk.open(desk.search(2)), desk.open(desk.search(2))

    assert points(one, 1) != points(two, 1)


def test_all_kinds_of_dimension_are_drawn_within_their_bounds(desk: Desk) -> None:
    search = {
        "whole": {"low": 2, "high": 8, "step": 2},
        "part": {"low": 0.5, "high": 1.0, "step": 0.5},
        "ratio": {"low": 1e-3, "high": 1.0, "log": True},
        "words": {"values": ["a", [1, 2], True]},
    }
    worker = desk.open(desk.search(8, search=search, sampler="tpe"))

    drawn = [take(worker).point for _ in range(8)]

    assert {one["whole"] for one in drawn} <= {2, 4, 6, 8}
    assert {one["part"] for one in drawn} <= {0.5, 1.0}
    assert all(1e-3 <= one["ratio"] <= 1.0 for one in drawn)
    assert {one["words"] for one in drawn} <= {'"a"', "[1, 2]", "true"}


def test_a_grid_is_taken_point_by_point(desk: Desk) -> None:
    search = {"a": {"values": [1, 2]}, "b": {"low": 3, "high": 4, "step": 1}}
    worker = desk.open(desk.search(None, search=search, sampler="grid"))

    drawn = [dict(take(worker).point) for _ in range(4)]

    assert drawn == [
        {"a": "1", "b": 3},
        {"a": "1", "b": 4},
        {"a": "2", "b": 3},
        {"a": "2", "b": 4},
    ]


@pytest.mark.parametrize("pruner", ["median", "halving"])
def test_what_falls_behind_should_stop(desk: Desk, pruner: str) -> None:
    prune = {"by": "x", "pruner": pruner, "after": 1, "trials": 1}
    worker = desk.open(desk.search(6, prune=prune))

    for _ in range(5):
        good = take(worker)
        assert not worker.report(good, 1.0, 1)
        worker.done(good, 1.0)

    assert worker.report(take(worker), 0.5, 1)


# --- databases -------------------------------------------------------------------------------


def test_a_database_out_of_reach_is_an_error_of_storage(desk: Desk) -> None:
    with pytest.raises(StorageError, match="unable to open database file; every worker"):
        desk.open(desk.seeds(3), "nowhere/sweep.db")


def test_a_database_without_its_driver_says_so(desk: Desk) -> None:
    with pytest.raises(StorageError, match=r"\+psycopg2://me:\*\*\*@here/x: .*driver"):
        Ledger("postgresql+psycopg2://me:secret@here/x", desk.seeds(3))


def test_what_is_no_url_is_refused(desk: Desk) -> None:
    with pytest.raises(UsageError, match=r"--storage sweep\.db: not the URL of a database"):
        Ledger("sweep.db", desk.seeds(3))


def test_a_database_that_goes_away_is_an_error_of_storage(desk: Desk) -> None:
    worker = desk.open(desk.seeds(3))
    with worker._storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE trials"))

    with pytest.raises(StorageError, match="no such table"):
        worker.take()


def test_tables_that_another_worker_makes_at_the_same_instant_are_no_fault(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = optuna.storages.RDBStorage.__init__, []

    def racing(*arguments: Any, **more: Any) -> None:
        calls.append(arguments)
        if len(calls) == 1:
            raise sqlalchemy.exc.OperationalError("", {}, Exception("table exists already"))
        real(*arguments, **more)

    monkeypatch.setattr(optuna.storages.RDBStorage, "__init__", racing)

    assert states(desk.open(desk.seeds(3))) == ["waiting"] * 3


def test_a_folder_with_braces_is_no_template(desk: Desk) -> None:
    folder = desk.folder / "a {SCHEMA_VERSION} ü"
    folder.mkdir()

    desk.open(desk.seeds(1), f"{folder.name}/sweep.db")

    assert (folder / "sweep.db").is_file()
