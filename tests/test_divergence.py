"""What is not finite: found before anybody moves, and then stopped, left out, or gone back from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import torch
from torch import Tensor

import gan_toolkit.crew
import gan_toolkit.launch
from gan_toolkit import strict_json
from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import Checkpoint, CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.distributed import Ranks
from gan_toolkit.engine import Engine, Term
from gan_toolkit.errors import Diverged, ExitCode, GuardError, StorageError
from gan_toolkit.interfaces import Objective, Pass, Player, Regulariser
from gan_toolkit.launch import follow, launch, resume
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.recipe.difference import is_free
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference, unsound
from gan_toolkit.testing.parts import TinyObjective, tiny_engine
from gan_toolkit.testing.ranks import as_ranks

AT = 6
"""Steps that are done when the fault comes: it is in the seventh."""
PLAYERS: tuple[Player, ...] = ("critic", "generator")


# --- one step --------------------------------------------------------------------------------


class Faulty(Regulariser):
    """Adds 0, and at one step what is not finite."""

    def __init__(self, player: Player, term: Callable[[Tensor], Tensor], at: int = AT) -> None:
        super().__init__()
        self.player, self.term, self.at = player, term, at

    def critic_term(self, seen: Pass) -> Tensor | None:
        return self._term(seen) if self.player == "critic" else None

    def generator_term(self, seen: Pass) -> Tensor | None:
        return self._term(seen) if self.player == "generator" else None

    def _term(self, seen: Pass) -> Tensor:
        score = seen.on_fake.score
        return self.term(score) if seen.step == self.at else score.sum() * 0


class FaultyGame(Objective):
    """The tiny game, until its engine has done so many steps."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.engine: Engine | None = None

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return self._spoilt("critic", TinyObjective().critic_loss(real_score, fake_score))

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return self._spoilt("generator", TinyObjective().generator_loss(None, fake_score))

    def _spoilt(self, player: Player, loss: Tensor) -> Tensor:
        assert self.engine is not None
        return loss / 0 if (player, self.engine.steps_done) == (self.player, AT) else loss


def nothing_but_a_slope(score: Tensor) -> Tensor:
    """0, with one element of its gradient that is not a number."""
    return (score[0] - score[0].detach()).square().sqrt()


def engine_with(kind: str, player: Player) -> Engine:
    if kind == "objective":
        game = FaultyGame(player)
        engine = game.engine = tiny_engine(objective=game)
        return engine
    term = {
        "term": lambda score: score.sum() * math.inf,
        "constant": lambda score: score.sum() * 0 + math.inf,
        "gradient": nothing_but_a_slope,
    }
    return tiny_engine(terms=[Term("odd", Faulty(player, term[kind]))] if kind in term else [])


def trained(engine: Engine, steps: int, *, spoilt: bool = False) -> None:
    for step in range(engine.steps_done, steps):
        real = torch.randn(4, 2, generator=torch.Generator().manual_seed(step))
        if spoilt and step == AT:
            real[0, 0] = math.nan
        engine.step(real)


def state_of(engine: Engine, player: Player) -> Snapshot:
    """Return what only this player's move changes: its weights and its optimiser."""
    whole = engine.snapshot()
    moments = whole.tensors["optimisers"].items()
    parts = dict(getattr(engine, player).named_parameters())
    own = {
        "weights": {name: tensor.detach().clone() for name, tensor in parts.items()},
        "moments": {n: tensor.clone() for n, tensor in moments if n.startswith(player)},
    }
    return Snapshot(own, {"optimiser": whole.facts["optimisers"][player]})


FAULTS = [
    ("objective", "the objective of the {}'s loss is inf"),
    ("term", "the term 'odd' of the {}'s loss is (nan|inf|-inf)"),
    ("constant", "the term 'odd' of the {}'s loss is inf"),  # its gradient is 0
    ("gradient", "the gradient of the {}'s loss is nan"),
]


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize(("kind", "text"), FAULTS)
def test_a_stop_leaves_the_player_as_the_step_before_left_it(kind, text, player):
    engine = engine_with(kind, player)
    trained(engine, AT)
    before = state_of(engine, player)

    with pytest.raises(Diverged, match=f"step {AT}: {text.format(player)}; the {player} did not"):
        trained(engine, AT + 1)

    assert difference(state_of(engine, player), before) == []
    assert all(p.grad is None for p in getattr(engine, player).parameters())


def test_an_input_that_is_not_finite_leaves_both_players():
    engine = tiny_engine()
    trained(engine, AT)
    before = [state_of(engine, player) for player in PLAYERS]

    with pytest.raises(Diverged, match="step 6: the objective of the critic's loss is nan"):
        trained(engine, AT + 1, spoilt=True)

    for player, state in zip(PLAYERS, before, strict=True):
        assert difference(state_of(engine, player), state) == []


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("kind", [kind for kind, _ in FAULTS])
def test_a_move_that_is_left_out_counts_once_and_leaves_no_trace(kind, player):
    engine = engine_with(kind, player)
    told: list[Diverged] = []
    engine.spare = told.append
    trained(engine, AT)
    weights = state_of(engine, player)
    module = getattr(engine, player)
    trained(engine, AT + 1)

    assert [(fault.step, fault.player) for fault in told] == [(AT, player)]
    assert difference(state_of(engine, player), weights) == []
    other = "generator" if player == "critic" else "critic"
    assert all(p.isfinite().all() for p in getattr(engine, other).parameters())
    trained(engine, AT + 2)
    assert difference(state_of(engine, player), weights) != []
    assert not unsound(engine.snapshot())
    assert module.training


def test_what_a_norm_remembered_of_a_move_left_out_is_forgotten():
    engine = tiny_engine()
    engine.spare = lambda _fault: None
    trained(engine, 2)
    norm = engine.generator.norm
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    hook = norm.register_forward_pre_hook(lambda _, given: (given[0] * math.inf,))

    trained(engine, 3)
    hook.remove()

    assert all(torch.equal(before[name], buffer) for name, buffer in norm.named_buffers())
    assert not unsound(engine.snapshot())


def test_a_move_left_out_gives_no_numbers_to_the_journal():
    engine = engine_with("objective", "critic")
    engine.spare = lambda _fault: None
    trained(engine, AT)

    metrics = engine.step(torch.zeros(4, 2))

    assert set(metrics) == {"generator/loss", "generator/gradient_norm"}


def test_where_looking_costs_time_nobody_looks_unless_moves_may_be_left_out(monkeypatch):
    monkeypatch.setattr(Device, "checks_are_free", False)
    plain, sparing = (engine_with("objective", "critic") for _ in range(2))
    told: list[Diverged] = []
    sparing.spare = told.append

    for engine in (plain, sparing):
        trained(engine, AT)
        engine.step(torch.zeros(4, 2))

    assert not all(p.isfinite().all() for p in plain.critic.parameters())
    assert all(p.isfinite().all() for p in sparing.critic.parameters())
    assert len(told) == 1


def test_an_attempt_draws_other_numbers_and_is_part_of_the_state():
    first, second = tiny_engine(), tiny_engine()
    snapshot = first.snapshot()
    again = replace(snapshot, facts=snapshot.facts | {"attempt": {"number": 1, "pace": 0.5}})

    second.restore(again)
    assert difference(second.snapshot(), again) == []
    for engine in (first, second):
        trained(engine, 1)

    assert "attempt" not in first.snapshot().facts
    assert second.snapshot().facts["attempt"] == {"number": 1, "pace": 0.5}
    rates = [player.optimiser.param_groups[0]["lr"] for player in second._players.values()]
    assert rates == [5e-4, 5e-4]
    assert difference(first.snapshot(), second.snapshot()) != []


# --- a whole run -----------------------------------------------------------------------------

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = (
    "data.count=500",
    "run.batch_size=16",
    "run.log_every=1",
    "run.checkpoint_every=4",
    "measures.modes.enabled=false",
    "measures.bound.enabled=false",
    *(f"panels.{name}.enabled=false" for name in ("samples", "mode", "bound")),
)
Wrong = Callable[[Engine, Player], bool]


class Spoilt(Objective):
    """A game whose losses are not finite when `wrong` says so."""

    def __init__(self, game: Objective, engine: Engine, wrong: Wrong) -> None:
        self.game, self.engine, self.wrong = game, engine, wrong

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return self._spoilt("critic", self.game.critic_loss(real_score, fake_score))

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return self._spoilt("generator", self.game.generator_loss(real_score, fake_score))

    def _spoilt(self, player: Player, loss: Tensor) -> Tensor:
        return loss * math.nan if self.wrong(self.engine, player) else loss


def once(engine: Engine, player: Player) -> bool:
    """Goes wrong in the seventh step of the first attempt."""
    return (engine.attempt, engine.steps_done, player) == (0, AT, "generator")


def always(engine: Engine, player: Player) -> bool:
    return engine.steps_done == AT and player == "generator"


@pytest.fixture
def run_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunFolder]:
    """Run the ring, or resume it, with a game that goes wrong; `change` is told of the parts."""

    def run(
        wrong: Wrong,
        *more: str,
        name: str = "run",
        again: Path | None = None,
        change: Callable[[Parts], None] = lambda _parts: None,
    ) -> RunFolder:
        def spoilt(*arguments: Any) -> Parts:
            parts = assemble(*arguments)
            engine = parts.engine
            engine.objective = Spoilt(engine.objective, engine, wrong)
            change(parts)
            return parts

        with monkeypatch.context() as patched:
            patched.setattr(gan_toolkit.launch, "assemble", spoilt)
            if again is not None:
                return resume(again, HOST, tell=lambda _: None, steps=12)
            chosen = load_recipe(RING, HOST, overrides=[Override(t) for t in (*SHORT, *more)])
            return launch(
                chosen, HOST, device=Device(), out=tmp_path, name=name, tell=lambda _: None
            )

    assemble = gan_toolkit.launch.assemble
    return run


def folder(tmp_path: Path, name: str = "run") -> RunFolder:
    return RunFolder.open(tmp_path / "infogan_ring" / name)


def newest(run: RunFolder) -> Checkpoint:
    found = CheckpointStore(run.checkpoints, run.id).newest([])
    assert found is not None
    return found


def divergences(run: RunFolder) -> list[dict[str, Any]]:
    return [record for record in run.metrics.read() if record["event"] == "divergence"]


def test_a_run_that_diverges_stops_with_5_and_keeps_its_state_apart(run_with, tmp_path):
    text = (
        "step 6: the objective of the generator's loss is nan; the generator did not move; try a "
        'smaller learning rate or weight, or run.on_divergence = "skip" or "rollback"; the state '
        "is kept in checkpoints/diverged-00000006, only to be looked at"
    )

    with pytest.raises(GuardError) as raised:
        run_with(always, "run.steps=12")

    run = folder(tmp_path)
    assert str(raised.value) == text == run.run_json["cause"]
    assert run.run_json["exit_code"] == ExitCode.STOPPED == 5
    (record,) = divergences(run)
    assert {k: record[k] for k in ("action", "step", "player", "value")} == {
        "action": "stop",
        "step": AT,
        "player": "generator",
        "value": "nan",
    }
    assert newest(run).step == 4
    kept = run.checkpoints / "diverged-00000006"
    manifest = strict_json.parse_object((kept / "MANIFEST.json").read_bytes())
    assert Checkpoint(kept, manifest).load().facts["steps_done"] == AT


def test_a_resume_takes_the_checkpoint_before_and_comes_to_the_end(run_with, tmp_path):
    straight = run_with(lambda *_: False, "run.steps=12", name="straight")
    with pytest.raises(GuardError):
        run_with(always, "run.steps=12")

    resumed = run_with(lambda *_: False, again=folder(tmp_path).folder)

    assert difference(newest(straight).load(), newest(resumed).load()) == []


def test_the_next_state_that_diverged_takes_the_place_of_the_last(run_with, tmp_path):
    def later(engine: Engine, player: Player) -> bool:
        return engine.steps_done == AT + 1

    with pytest.raises(GuardError):
        run_with(always, "run.steps=12")
    with pytest.raises(GuardError):
        run_with(later, again=folder(tmp_path).folder)

    kept = folder(tmp_path).checkpoints.glob("diverged-*")
    assert [path.name for path in kept] == ["diverged-00000007"]


def test_a_full_disk_does_not_hide_what_went_wrong(run_with, monkeypatch):
    def full(*_: Any, **__: Any) -> Path:
        raise StorageError("no room")

    monkeypatch.setattr(CheckpointStore, "save_diverged", full)

    with pytest.raises(GuardError, match=r"step 6: .* the state could not be kept \(no room\)"):
        run_with(always, "run.steps=12")


def test_a_skip_is_recorded_and_the_run_comes_to_its_end(run_with):
    run = run_with(always, "run.steps=12", 'run.on_divergence="skip"')

    (record,) = divergences(run)
    assert (record["action"], record["step"]) == ("skip", AT)
    assert "the generator did not move; the move was left out" in run.log_file.read_text()
    logs = {r["step"]: r for r in run.metrics.read() if r["event"] == "log"}
    assert "generator/loss" not in logs[AT + 1]
    assert run.run_json["status"] == "finished"


def test_too_many_skips_end_the_run_and_a_resume_remembers_them(run_with, tmp_path):
    def from_six(engine: Engine, player: Player) -> bool:
        return engine.steps_done >= AT and player == "critic"

    wanted = ('run.on_divergence="skip"', "run.max_skips=3")
    text = "step 9: .*; 3 moves of the last 1,000 steps were left out before; "
    with pytest.raises(GuardError, match=text):
        run_with(from_six, "run.steps=12", *wanted)
    run = folder(tmp_path)
    assert [r["action"] for r in divergences(run)] == ["skip"] * 3 + ["stop"]

    with pytest.raises(GuardError, match=text):  # from step 8: two skips are in its journal
        run_with(from_six, again=run.folder)

    assert [r["action"] for r in divergences(run)] == ["skip"] * 3 + ["stop"]


def test_a_rollback_goes_on_with_other_data_and_other_draws(run_with):
    taken: dict[tuple[int, int], Tensor] = {}

    def change(parts: Parts) -> None:
        step = parts.engine.step

        def seeing(real: Tensor) -> dict[str, Tensor]:
            taken[parts.engine.attempt, parts.engine.steps_done] = real.clone()
            return step(real)

        parts.engine.step = seeing  # type: ignore[method-assign]

    run = run_with(once, "run.steps=12", 'run.on_divergence="rollback"', change=change)

    (record,) = divergences(run)
    assert {k: record[k] for k in ("action", "step", "attempt", "pace")} == {
        "action": "rollback",
        "step": 4,
        "attempt": 1,
        "pace": 1.0,
    }
    assert "went back to step 4, on with other batches and draws: rollback 1 of 3" in record["text"]
    assert sorted(taken) == [*((0, n) for n in range(7)), *((1, n) for n in range(4, 12))]
    assert not torch.equal(taken[0, 5], taken[1, 5])
    steps = [r["step"] for r in run.metrics.read() if r["event"] == "log"]
    assert steps == list(range(1, 13))
    assert newest(run).load().facts["attempt"] == {"number": 1, "pace": 1.0}


def test_resumed_after_a_rollback_it_is_the_run_that_was_never_stopped(run_with, tmp_path):
    wanted = ('run.on_divergence="rollback"', "run.rollback_rate=0.5")
    straight = run_with(once, "run.steps=12", *wanted, name="straight")
    stopped = run_with(once, "run.steps=9", *wanted)

    resumed = run_with(once, again=stopped.folder)

    assert difference(newest(straight).load(), newest(resumed).load()) == []
    assert newest(resumed).load().facts["attempt"] == {"number": 1, "pace": 0.5}
    assert len(divergences(resumed)) == 1


class Killed(BaseException):
    pass


def test_a_run_that_is_killed_right_after_a_rollback_does_not_go_back_again(run_with, tmp_path):
    def change(parts: Parts) -> None:
        step = parts.engine.step

        def dying(real: Tensor) -> dict[str, Tensor]:
            if parts.engine.attempt:
                raise Killed
            return step(real)

        parts.engine.step = dying  # type: ignore[method-assign]

    wanted = 'run.on_divergence="rollback"'
    straight = run_with(once, "run.steps=12", wanted, name="straight")
    with pytest.raises(Killed):
        run_with(once, "run.steps=12", wanted, change=change)
    left = newest(folder(tmp_path))
    assert (left.step, left.manifest["reason"]) == (4, "rollback")
    assert left.load().facts["attempt"]["number"] == 1

    resumed = run_with(once, again=folder(tmp_path).folder)

    assert difference(newest(straight).load(), newest(resumed).load()) == []


def test_a_run_that_always_diverges_goes_back_three_times_and_stops_with_5(run_with, tmp_path):
    with pytest.raises(GuardError, match=r"step 6: .*; 3 rollbacks did not help; try"):
        run_with(always, "run.steps=12", 'run.on_divergence="rollback"')

    run = folder(tmp_path)
    found = [(r["action"], r.get("attempt")) for r in divergences(run)]
    assert found == [("rollback", 1), ("rollback", 2), ("rollback", 3), ("stop", None)]
    assert run.run_json["exit_code"] == 5
    with pytest.raises(GuardError, match="3 rollbacks did not help"):
        run_with(always, again=run.folder)


def test_there_is_something_to_go_back_to_before_the_first_checkpoint(run_with):
    run = run_with(once, "run.steps=12", "run.checkpoint_every=100", 'run.on_divergence="rollback"')

    assert [r["step"] for r in divergences(run)] == [0]
    assert run.run_json["status"] == "finished"


def test_without_a_checkpoint_left_a_rollback_is_a_stop(run_with, monkeypatch, tmp_path):
    def losing(parts: Parts) -> None:
        step = parts.engine.step

        def act(real: Tensor) -> dict[str, Tensor]:
            if parts.engine.steps_done == AT:
                for file in folder(tmp_path).checkpoints.glob("*/state.json"):
                    file.write_text("{}")
            return step(real)

        parts.engine.step = act  # type: ignore[method-assign]

    with pytest.raises(GuardError, match="step 6: the objective"):
        run_with(always, "run.steps=12", 'run.on_divergence="rollback"', change=losing)


# --- what is never committed -----------------------------------------------------------------


def weight(engine: Engine) -> Tensor:
    return next(engine.generator.parameters()).data


def moment(engine: Engine) -> Tensor:
    return next(iter(engine._players["critic"].optimiser.state.values()))["exp_avg"]


def average(engine: Engine) -> Tensor:
    assert engine.averaging is not None
    return next(engine.averaging.module.parameters()).data


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (weight, r"step 8: generator\.\S+ is nan"),
        (moment, r"step 8: optimisers\.critic\.\S+/exp_avg is nan"),
        (average, r"step 8: average\.\S+ is nan"),
    ],
)
def test_poison_is_never_committed_and_what_was_before_stays(run_with, tmp_path, part, text):
    def change(parts: Parts) -> None:
        step = parts.engine.step

        def poison(real: Tensor) -> dict[str, Tensor]:
            metrics = step(real)
            if parts.engine.steps_done == 8:
                part(parts.engine).view(-1)[0] = math.nan
            return metrics

        parts.engine.step = poison  # type: ignore[method-assign]

    with pytest.raises(GuardError, match=text):
        run_with(lambda *_: False, "run.steps=12", 'averaging.use="ema"', change=change)

    run = folder(tmp_path)
    assert newest(run).step == 4
    newest(run).verify()
    assert (run.checkpoints / "diverged-00000008").is_dir()


def test_a_buffer_that_was_infinite_from_the_beginning_may_stay_so(run_with):
    def masked(parts: Parts) -> None:
        parts.engine.generator.register_buffer("mask", torch.full((2,), -math.inf))

    run = run_with(lambda *_: False, "run.steps=9", change=masked)
    resumed = run_with(lambda *_: False, again=run.folder, change=masked)

    assert resumed.run_json["status"] == "finished"
    assert newest(resumed).step == 12


def test_a_value_that_a_term_logs_is_looked_at_too(run_with):
    def change(parts: Parts) -> None:
        step = parts.engine.step
        parts.engine.step = lambda real: step(real) | {"odd/size": torch.tensor(math.inf)}  # type: ignore[method-assign]

    with pytest.raises(GuardError, match="step 1: odd/size is inf; try a smaller"):
        run_with(lambda *_: False, "run.steps=12", change=change)


def test_what_to_do_about_divergence_may_change_in_a_resume():
    keys = ("on_divergence", "max_skips", "max_rollbacks", "rollback_rate", "on_alarm")

    assert all(is_free(f"run.{key}") for key in keys)


# --- several ranks ---------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["skip", "rollback"])
def test_ranks_find_a_fault_of_one_together(tmp_path, monkeypatch, policy):
    assemble, lock = gan_toolkit.launch.assemble, Lock()
    made: list[Parts] = []

    def spoilt(*arguments: Any) -> Parts:
        with lock:
            parts = assemble(*arguments)
        engine = parts.engine
        made.append(parts)
        wrong: Wrong = lambda e, p: once(e, p) and not e.ranks.is_first  # noqa: E731
        engine.objective = Spoilt(engine.objective, engine, wrong)
        return parts

    monkeypatch.setattr(gan_toolkit.launch, "assemble", spoilt)
    monkeypatch.setattr(gan_toolkit.launch, "seed_rank", lambda *_: None)
    monkeypatch.setattr(gan_toolkit.crew, "seed_rank", lambda *_: None)
    texts = (*SHORT, "run.steps=10", f'run.on_divergence="{policy}"')
    chosen = load_recipe(RING, HOST, overrides=[Override(text) for text in texts])

    def one(ranks: Ranks) -> RunFolder | None:
        if ranks.is_first:
            return launch(
                chosen,
                HOST,
                device=Device(),
                out=tmp_path,
                name="run",
                tell=lambda _: None,
                ranks=ranks,
            )
        return follow(chosen, HOST, device=Device(), ranks=ranks)

    run = as_ranks(2, one)[0]

    assert run is not None
    (record,) = divergences(run)
    assert (record["action"], record["what"]) == (policy, "the gradient of the generator's loss")
    assert newest(run).step == 10
    assert len({(parts.batches._seed, parts.engine._random.seed) for parts in made}) == 1
