"""Runs that fall ill, and alarms that say so; runs that are well, and alarms that do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import gan_toolkit.launch
from gan_toolkit.alarms import COVERAGE, RIGHT
from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.errors import ExitCode, GuardError
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import difference
from gan_toolkit.variety import Variety

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = (
    "data.count=2000",
    "run.batch_size=64",
    "run.checkpoint_every=100000",
    "measures.modes.enabled=false",
    "measures.bound.enabled=false",
    *(f"panels.{name}.enabled=false" for name in ("samples", "mode", "bound")),
)
BARE = (
    *SHORT,
    "run.batch_size=32",
    "generator.hidden=[8]",
    "critic.hidden=[8]",
    "regularisers.information.enabled=false",
    "regularisers.smooth.enabled=false",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunFolder]:
    """Run the ring with its parts changed."""
    assemble = gan_toolkit.launch.assemble

    def running(
        *texts: str, change: Callable[[Parts], None] = lambda _: None, name: str = "run"
    ) -> RunFolder:
        def changed(*arguments: Any) -> Parts:
            parts = assemble(*arguments)
            change(parts)
            return parts

        monkeypatch.setattr(gan_toolkit.launch, "assemble", changed)
        chosen = load_recipe(RING, HOST, overrides=[Override(text) for text in texts])
        return launch(chosen, HOST, device=Device(), out=tmp_path, name=name, tell=lambda _: None)

    return running


def alarms(run: RunFolder) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for record in run.metrics.read():
        if record["event"] == "alarm":
            found.setdefault(record["alarm"], []).append((record["step"], record["state"]))
    return found


def collapsed_from(step: int) -> Callable[[Parts], None]:
    """Let the generator be constant once so many steps are done."""

    def change(parts: Parts) -> None:
        engine = parts.engine
        made = engine.generator.forward
        point = torch.tensor([1.0, 0.0])

        def forward(latent: Tensor, condition: Tensor | None = None) -> Tensor:
            samples = made(latent, condition)
            return samples if engine.steps_done < step else 0 * samples + point

        engine.generator.forward = forward  # type: ignore[method-assign]

    return change


def test_a_generator_that_collapses_is_heard_of_within_200_steps(run):
    ill = run(*BARE, "run.steps=350", change=collapsed_from(160))

    found = alarms(ill)
    assert found["collapse"] == [(300, "raised")]
    assert found["twins"][0][0] <= 300
    assert set(found) <= {"collapse", "twins", "fading", "coverage", "critic_wins"}
    assert "alarm collapse: the samples are nearly all alike" in ill.log_file.read_text()


def test_a_critic_that_is_too_strong_is_heard_of(run):
    ill = run(
        *BARE,
        "run.steps=700",
        "optimisers.generator.lr=1e-9",
        "optimisers.critic.lr=1e-2",
    )

    assert alarms(ill)["critic_wins"][0][1] == "raised"


def test_a_critic_that_learns_nothing_is_heard_of(run):
    def silent(parts: Parts) -> None:
        for parameter in parts.engine.critic.parameters():
            parameter.data.zero_()

    ill = run(*BARE, "run.steps=550", "optimisers.critic.lr=1e-30", change=silent)

    assert alarms(ill)["critic_lost"] == [(500, "raised")]


@pytest.mark.parametrize(
    "texts",
    [
        ("regularisers.information.weight=0.0",),
        ("regularisers.information.weights.mode=0.0",),
    ],
    ids=["term", "code"],
)
def test_a_code_that_nothing_rewards_is_named(run, texts):
    ill = run(*SHORT, "run.steps=300", "run.log_every=5", *texts)

    (step, state), *_ = alarms(ill)["no_gain information/mode"]
    assert state == "raised"
    assert 30 <= step <= 50


@pytest.mark.parametrize("seed", [0, 1])
def test_a_run_that_is_well_raises_none(run, seed):
    assert alarms(run(*SHORT, "run.steps=500", f"run.seed={seed}")) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_long_runs_that_are_well_raise_none(run, seed):
    texts = ("run.steps=2000", f"run.seed={seed}", "run.log_every=10", "data.count=20000")

    assert alarms(run(*SHORT, "run.batch_size=128", *texts)) == {}


def newest(run: RunFolder) -> Any:
    found = CheckpointStore(run.checkpoints, run.id).newest([])
    assert found is not None
    return found.load()


def test_weights_are_the_same_whether_alarms_listen_or_not(run):
    off, on = (
        run(*SHORT, "run.steps=60", "run.log_every=7", f'run.on_alarm="{word}"', name=word)
        for word in ("off", "note")
    )

    assert difference(newest(off), newest(on)) == []
    names = [{name for record in one.metrics.read() for name in record} for one in (off, on)]
    assert [{RIGHT, COVERAGE} & some for some in names] == [set(), {RIGHT, COVERAGE}]


def test_an_alarm_may_stop_the_run_which_a_resume_goes_on_with(run, tmp_path):
    texts = (*BARE, "run.steps=260", 'run.on_alarm="stop"')
    with pytest.raises(GuardError, match=r"step 100: alarm collapse: .*; the run is saved"):
        run(*texts, change=collapsed_from(0))
    stopped = RunFolder.open(tmp_path / "infogan_ring" / "run")
    assert stopped.run_json["exit_code"] == ExitCode.STOPPED
    assert newest(stopped).facts["steps_done"] == 100

    resumed = resume(stopped.folder, HOST, tell=lambda _: None)

    assert resumed.run_json["status"] == "finished"
    assert alarms(resumed)["collapse"] == [(100, "raised")]


def test_a_look_that_fails_costs_its_values_only(run, monkeypatch):
    def failing(self: Variety, view: Any) -> Any:
        raise RuntimeError("no samples")

    monkeypatch.setattr(Variety, "look", failing)

    found = run(*SHORT, "run.steps=60")

    assert found.run_json["status"] == "finished"
    assert "the look at the samples failed, the run goes on" in found.log_file.read_text()


def test_stopped_and_resumed_alarms_say_what_they_would_have_said(run):
    texts = (*BARE, "run.log_every=10")
    straight = run(*texts, "run.steps=260", change=collapsed_from(20), name="straight")
    stopped = run(*texts, "run.steps=120", change=collapsed_from(20), name="stopped")

    resumed = resume(stopped.folder, HOST, tell=lambda _: None, steps=260)

    assert alarms(resumed) == alarms(straight) != {}
