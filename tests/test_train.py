"""The loop: what is saved, what is refused, and whose fault it was."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import gan_toolkit.launch
from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.engine import Term
from gan_toolkit.errors import GuardError, PluginError, Preempted
from gan_toolkit.interfaces import Measure, Pass, Regulariser, Score, View
from gan_toolkit.launch import launch
from gan_toolkit.model import load
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.runs import RunFolder
from gan_toolkit.testing.parts import tiny_engine

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
STEPS = 6
SHORT = (f"run.steps={STEPS}", "run.checkpoint_every=2", "data.count=2000")
Change = Callable[[Parts], Parts]


@pytest.fixture
def run_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], RunFolder]:
    """Run the ring with its parts changed."""

    def run(change: Change) -> RunFolder:
        assemble = gan_toolkit.launch.assemble
        changed = lambda *arguments: change(assemble(*arguments))  # noqa: E731
        monkeypatch.setattr(gan_toolkit.launch, "assemble", changed)
        chosen = load_recipe(RING, HOST, overrides=[Override(text) for text in SHORT])
        return launch(chosen, HOST, device=Device(), out=tmp_path, name="run", tell=lambda _: None)

    return run


def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.open(tmp_path / "infogan_ring" / "run")


def measured_by(measure: Measure) -> Change:
    return lambda parts: replace(parts, measures={"own": measure})


class Raises(Measure):
    def measure(self, view: View) -> list[Score]:
        raise RuntimeError("no probe")


class Says(Measure):
    def __init__(self, score: Score) -> None:
        self.score = score

    def measure(self, view: View) -> list[Score]:
        return [self.score]


class Kills(Measure):
    """Is stopped from outside while it measures."""

    def measure(self, view: View) -> list[Score]:
        os.kill(os.getpid(), signal.SIGTERM)
        return []


class Steep(Regulariser):
    """Worth 0, with a slope that is not a number."""

    def __init__(self, phase: str) -> None:
        super().__init__()
        self.phase = phase

    def critic_term(self, seen: Pass) -> torch.Tensor | None:
        return self._term(seen) if self.phase == "critic" else None

    def generator_term(self, seen: Pass) -> torch.Tensor | None:
        return self._term(seen) if self.phase == "generator" else None

    def _term(self, seen: Pass) -> torch.Tensor:
        score = seen.on_fake.score
        return ((score - score) ** 2).sum().sqrt()


def test_a_measure_that_raises_costs_its_scores_only(run_with: Any) -> None:
    run = run_with(measured_by(Raises()))

    assert run.run_json["status"] == "finished"
    assert (
        "measure 'own' failed, the run goes on: RuntimeError: no probe" in run.log_file.read_text()
    )
    assert load(run.model).facts["scores"] == []


def test_scores_that_json_can_not_hold_become_null_or_are_refused(run_with: Any) -> None:
    odd = Score("odd", math.nan, 9, "none", details={"share": math.inf, "rows": [1.0, math.nan]})
    run = run_with(measured_by(Says(odd)))

    (record,) = load(run.model).facts["scores"]
    assert (record["value"], record["void"]) == (None, "the value is nan")
    assert record["details"] == {"share": None, "rows": [1.0, None]}


def test_a_stop_while_measuring_ends_the_run_with_its_model(run_with: Any, tmp_path: Path) -> None:
    with pytest.raises(Preempted):
        run_with(measured_by(Kills()))

    run = folder(tmp_path)
    assert run.run_json["status"] == "stopped"
    assert load(run.model).facts["steps"] == STEPS


def test_weights_that_are_not_finite_are_never_committed(run_with: Any, tmp_path: Path) -> None:
    def poisoned(parts: Parts) -> Parts:
        step = parts.engine.step

        def poison(real: torch.Tensor) -> dict[str, torch.Tensor]:
            metrics = step(real)
            if parts.engine.steps_done == 4:
                next(parts.engine.critic.parameters()).data.fill_(math.nan)
            return metrics

        parts.engine.step = poison  # type: ignore[method-assign]
        return parts

    with pytest.raises(GuardError, match=r"step 4: critic\.\S+ is nan"):
        run_with(poisoned)

    run = folder(tmp_path)
    newest = CheckpointStore(run.checkpoints, run.id).newest([])
    assert newest is not None
    assert newest.step == 2


@pytest.mark.parametrize("phase", ["critic", "generator"])
def test_a_slope_that_is_not_finite_moves_nobody(phase: str) -> None:
    engine = tiny_engine(terms=[Term("steep", Steep(phase))])
    player = engine.critic if phase == "critic" else engine.generator
    before = [parameter.clone() for parameter in player.parameters()]

    with pytest.raises(GuardError, match=f"step 0: the gradient of the {phase}'s loss is nan"):
        engine.step(torch.zeros(4, 2))

    assert all(map(torch.equal, before, player.parameters()))
    assert all(parameter.grad is None for parameter in player.parameters())


class Exits(Regulariser):
    def critic_term(self, seen: Pass) -> torch.Tensor:
        raise SystemExit(0)


class Vector(Regulariser):
    def critic_term(self, seen: Pass) -> torch.Tensor:
        return seen.on_fake.score


@pytest.mark.parametrize(
    ("term", "text"),
    [
        (Exits(), "the term 'odd' failed in the critic's phase: SystemExit: 0"),
        (Vector(), r"the term 'odd' gave a tensor of shape \(4,\); a scalar is due"),
    ],
)
def test_a_term_at_fault_is_named(term: Regulariser, text: str) -> None:
    with pytest.raises(PluginError, match=text):
        tiny_engine(terms=[Term("odd", term)]).step(torch.zeros(4, 2))


class Sees(Regulariser):
    def critic_term(self, seen: Pass) -> None:
        seen.log("real", seen.real.mean())


def test_metrics_are_means_over_micro_batches() -> None:
    real = torch.randn(8, 2, generator=torch.Generator().manual_seed(1))

    metrics = tiny_engine(terms=[Term("sees", Sees())], accumulate=4).step(real)

    torch.testing.assert_close(metrics["sees/real"], real.mean())


def test_a_measure_runs_at_its_own_interval_or_at_that_of_the_run(tmp_path: Path) -> None:
    texts = [*SHORT, "run.evaluate_every=3", "measures.bound.every=2", "measures.bound.samples=100"]
    chosen = load_recipe(RING, HOST, overrides=[Override(text) for text in texts])

    run = launch(chosen, HOST, device=Device(), out=tmp_path, name="run", tell=lambda _: None)

    found = {step: {s["measure"] for s in run.scores(step)[1]} for step in range(1, STEPS + 1)}
    assert found == {1: set(), 2: {"bound"}, 3: {"modes"}, 4: {"bound"}, 5: set()} | {
        6: {"bound", "modes"}
    }
    for step in (2, 3, 4, 6):
        assert all(score["step"] == step for score in run.scores(step)[1])
