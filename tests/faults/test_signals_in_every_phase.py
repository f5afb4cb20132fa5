"""A signal in any phase of a run, once or twice: the right exit code, and nothing lost.

Sixteen phases by three signals, each sent once and twice: 96 cases. The signal comes while a
function of the core works, so that the phase is certain. Afterwards the run is resumed, or started
again where there was nothing to keep, and ends with the model of a run that was left alone.
"""

from __future__ import annotations

import importlib
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gan_toolkit.cli.root import cli

TINY = Path(__file__).parent.parent / "cli"
SIGNALS = {"SIGINT": 130, "SIGTERM": 75, "SIGHUP": 75}
STEPS = 6

# The function that is at work, and which of its calls it is.
BEFORE = {
    "data": ("assemble:Assembly.data", 1),
    "rehearsal": ("assemble:rehearse", 1),
    "networks": ("assemble:Assembly.networks", 2),
    "engine": ("assemble:Assembly.engine", 2),
    "watchers": ("assemble:Assembly.watchers", 1),
}
DURING = {
    "first step": ("engine:Engine.step", 1),
    "first record": ("journal:Journal.append", 1),
    "step before a checkpoint": ("engine:Engine.step", 2),
    "checkpoint": ("checkpoints:CheckpointStore.save", 1),
    "snapshot": ("engine:Engine.snapshot", 3),
    "evaluation": ("train:evaluate", 1),
    "last step": ("engine:Engine.step", STEPS),
}
AFTER = {
    "first model file": ("train:save_model", 1),
    "last evaluation": ("train:evaluate", 2),
    "last model file": ("train:save_model", 2),
    "report": ("report.reporter:Reporter.write", 1),
}
PHASES = BEFORE | DURING | AFTER


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder of its own, with a recipe that trains in milliseconds."""
    monkeypatch.chdir(tmp_path)
    plugin = tmp_path / f"tiny_{tmp_path.name.replace('-', '_')}.py"
    shutil.copy(TINY / "tiny_plugin.py", plugin)
    shutil.copy(TINY / "tiny.toml", "tiny.toml")
    yield plugin
    sys.modules.pop(plugin.stem, None)


def gantk(plugin: Path, *arguments: str) -> Result:
    sys.modules.pop(plugin.stem, None)
    return CliRunner().invoke(cli, ["-P", str(plugin), *arguments])


def run(plugin: Path, name: str, *report: str) -> Result:
    changes = ("run.checkpoint_every=2", "run.evaluate_every=3")
    sets = [word for change in changes for word in ("--set", change)]
    return gantk(plugin, "run", "tiny.toml", "--name", name, "--variant", "base", *sets, *report)


def interrupt(
    monkeypatch: pytest.MonkeyPatch, place: str, call: int, send: Callable[[], None]
) -> list[int]:
    """Send while the given call of a function of the core is at work; return its calls so far."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(f"gan_toolkit.{module}")
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    real, calls = getattr(owner, name), [0]

    def at_work(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == call:
            send()
        return real(*arguments, **named)

    monkeypatch.setattr(owner, name, at_work)
    return calls


def saved_step(folder: Path) -> int:
    manifests = folder.glob("checkpoints/*-step*/MANIFEST.json")
    return max((json.loads(path.read_text())["step"] for path in manifests), default=0)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_in_any_phase_ends_the_run_and_loses_nothing(
    phase: str, name: str, times: int, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = () if phase == "report" else ("--no-report",)
    run(tiny, "undisturbed", *report)
    folder = Path("runs/tiny/one")
    place, call = PHASES[phase]
    with monkeypatch.context() as patch:
        calls = interrupt(patch, place, call, lambda: send(name, times))
        result = run(tiny, "one", *report)

    assert calls[0] >= call, "the phase was never reached"
    assert result.exit_code == code(phase, name, times), result.stderr
    assert "Traceback" not in result.stderr
    if phase in DURING and times == 1:
        assert saved_step(folder) == finished_steps(phase)
    again = (
        gantk(tiny, "resume", str(folder), *report)
        if folder.exists()
        else run(tiny, "one", *report)
    )
    assert again.exit_code == 0, again.stderr
    model = (folder / "model.safetensors").read_bytes()
    assert model == Path("runs/tiny/undisturbed/model.safetensors").read_bytes()


def send(name: str, times: int) -> None:
    for _ in range(times):
        signal.raise_signal(getattr(signal, name))


def code(phase: str, name: str, times: int) -> int:
    """A second signal while the loop listens stops at once, as Ctrl-C does.

    Asked to stop during the last thing it owes, a run is done.
    """
    if phase == "last model file" and times == 1:
        return 0
    heard = phase in DURING or (phase in AFTER and phase != "report")
    return 130 if heard and times == 2 else SIGNALS[name]


def finished_steps(phase: str) -> int:
    """Return the step that the first signal lets finish and saves."""
    at = {"first step": 1, "first record": 1, "snapshot": 2, "evaluation": 3, "last step": STEPS}
    return at.get(phase, 2)
