"""A run from its folder: stopped and resumed it is the uninterrupted one, to the bit."""

from __future__ import annotations

import shutil
from collections import namedtuple
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import gan_toolkit.launch
from gan_toolkit import strict_json
from gan_toolkit.assemble import Assembly, Parts
from gan_toolkit.checkpoints import Checkpoint, CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.errors import RecipeError, ResumeError, StorageError, UsageError
from gan_toolkit.interfaces import Measure
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Chosen, Override, Recipe, load_recipe
from gan_toolkit.recipe.keys import MeasureKeys
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = ("data.count=2000", "run.log_every=1", "measures.modes.enabled=false")


def recipe(*more: str) -> Recipe:
    return load_recipe(RING, HOST, overrides=[Override(text) for text in (*SHORT, *more)])


def start(out: Path, steps: int, name: str) -> RunFolder:
    chosen = recipe(f"run.steps={steps}")
    return launch(chosen, HOST, device=Device(), out=out, name=name, tell=lambda _: None)


def last_state(run: RunFolder) -> Snapshot:
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest([])
    assert checkpoint is not None
    return checkpoint.load()


def test_stopped_and_resumed_equals_uninterrupted(tmp_path):
    straight = start(tmp_path, 40, "straight")
    stopped = start(tmp_path, 13, "stopped")

    resumed = resume(stopped.folder, HOST, tell=lambda _: None, steps=40)

    assert difference(last_state(straight), last_state(resumed)) == []
    clock = "samples_per_second"
    logs = [
        [{k: v for k, v in record.items() if k != clock} for record in run.metrics.read()]
        for run in (straight, resumed)
    ]
    assert logs[0] == logs[1]


def test_a_changed_recipe_is_refused_with_the_difference(tmp_path):
    run = start(tmp_path, 5, "run")
    text = run.resolved.read_text()
    run.resolved.write_text(text.replace("batch_size = 128", "batch_size = 64"))

    with pytest.raises(ResumeError, match=r"run.batch_size was 128, is 64"):
        resume(run.folder, HOST, tell=lambda _: None, steps=9)


def test_a_damaged_checkpoint_falls_back_and_none_whole_is_refused(tmp_path):
    run = start(tmp_path, 5, "run")
    resume(run.folder, HOST, tell=lambda _: None, steps=9)
    newest, before = sorted(run.checkpoints.iterdir())[::-1]
    told: list[str] = []
    damage(newest / "critic.safetensors")

    resume(run.folder, HOST, tell=lambda event: told.append(event.get("text", "")), steps=9)

    assert any("critic.safetensors is damaged" in text for text in told)
    for folder in run.checkpoints.iterdir():
        damage(folder / "critic.safetensors")
    with pytest.raises(ResumeError, match=r"no checkpoint of .* is whole"):
        resume(run.folder, HOST, tell=lambda _: None, steps=12)
    assert before.name < newest.name


def test_fewer_steps_than_were_done_are_refused_and_nothing_changes(tmp_path):
    run = start(tmp_path, 5, "run")
    text = run.resolved.read_text()

    with pytest.raises(UsageError, match=r"has done 5 steps; it can't end at 3"):
        resume(run.folder, HOST, tell=lambda _: None, steps=3)

    assert run.resolved.read_text() == text
    assert RunFolder.open(run.folder).run_json["status"] == "finished"


def test_a_checkpoint_of_another_kind_of_device_can_be_resumed(tmp_path, monkeypatch):
    run = start(tmp_path, 5, "run")
    load = Checkpoint.load

    def with_accelerator(self: Checkpoint) -> Snapshot:
        snapshot = load(self)
        snapshot.tensors["random"]["device"] = torch.zeros(16, dtype=torch.uint8)
        return snapshot

    monkeypatch.setattr(Checkpoint, "load", with_accelerator)

    resumed = resume(run.folder, HOST, tell=lambda _: None, steps=7)

    assert resumed.run_json["status"] == "finished"


def test_an_option_that_a_later_version_added_is_no_change(tmp_path):
    run = start(tmp_path, 5, "run")
    (manifest,) = run.checkpoints.glob("*/MANIFEST.json")
    facts = strict_json.parse_object(manifest.read_bytes())
    del facts["recipe"]["regularisers"]["information"]["detach"]
    manifest.write_text(strict_json.dump(facts))
    run.resolved.write_text(run.resolved.read_text().replace("detach = false\n", ""))

    resumed = resume(run.folder, HOST, tell=lambda _: None, steps=7)

    assert resumed.run_json["status"] == "finished"


def test_a_resolved_recipe_names_the_precision_that_was_used(tmp_path):
    run = start(tmp_path, 5, "run")

    assert load_recipe(run.resolved, HOST).run.precision == "f32"


def test_a_disk_too_small_for_the_checkpoints_is_refused_at_the_first_step(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, 9_999))

    with pytest.raises(StorageError, match=r"3 checkpoints of .* don't fit into 9,999 free"):
        start(tmp_path, 5, "run")

    run = RunFolder.open(tmp_path / "infogan_ring" / "run")
    assert (run.run_json["status"], run.run_json["exit_code"]) == ("failed", 8)


def all_measures(parts: Parts) -> Parts:
    """Put every registered measure that can be built for the data in place of the recipe's."""
    built: dict[str, Measure] = {}
    for component in HOST.registry.all("measure"):
        small = {"samples": 100, "real": 200, "steps": 10}
        known = {k: v for k, v in small.items() if k in component.options.model_fields}
        options = component.options(**known)
        one = Chosen("measure", "", component.name, component, options, MeasureKeys())
        with suppress(RecipeError):
            built[component.name] = Assembly(recipe(), HOST.registry).measure(
                one, parts.engine.latents, parts.data
            )
    assert len(built) >= 3
    return replace(parts, measures=built)


@pytest.mark.parametrize("name", ["infogan_ring", "infogan_digits"])
def test_no_measure_changes_a_training(name, tmp_path, monkeypatch):
    """All that apply, at every other step: the same losses and the same last state, to the bit."""
    assembled = gan_toolkit.launch.assemble
    runs = []
    for change in (lambda parts: replace(parts, measures={}), all_measures):
        monkeypatch.setattr(
            gan_toolkit.launch, "assemble", lambda *a, change=change: change(assembled(*a))
        )
        few = ("run.steps=6", "run.log_every=1", "run.evaluate_every=2", "run.batch_size=32")
        chosen = load_recipe(name, HOST, overrides=[Override(text) for text in few])
        out = tmp_path / str(len(runs))
        runs.append(launch(chosen, HOST, device=Device(), out=out, tell=lambda _: None))

    plain, watched = runs

    assert difference(last_state(plain), last_state(watched)) == []
    assert losses(plain) == losses(watched)
    assert len(list(watched.evaluations.iterdir())) == 3
    assert "failed" not in (watched.log_file.read_text() if watched.log_file.exists() else "")


def losses(run: RunFolder) -> list[dict[str, float]]:
    logs = [record for record in run.metrics.read() if record["event"] == "log"]
    return [{k: v for k, v in record.items() if k != "samples_per_second"} for record in logs]


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "change", "cause"),
    [
        ("MANIFEST.json", {"journal": "x"}, "can't be taken back: TypeError: "),
        ("MANIFEST.json", {"latents": 3}, "can't be taken back: TypeError: "),
        ("state.json", {"steps_done": "x"}, "does not fit the recipe: its steps are 'x'"),
        ("state.json", {"optimisers": {}}, "can't be taken back: KeyError: 'generator'"),
    ],
)
def test_a_checkpoint_that_no_run_writes_is_refused_with_its_cause(
    tmp_path, monkeypatch, name, change, cause
):
    run = start(tmp_path, 5, "run")
    (path,) = run.checkpoints.glob(f"*/{name}")
    path.write_text(strict_json.dump(strict_json.parse_object(path.read_bytes()) | change))
    monkeypatch.setattr(Checkpoint, "_check_hash", lambda *_: None)
    monkeypatch.setattr(Checkpoint, "_check_size", lambda *_: None)
    monkeypatch.setattr("gan_toolkit.files.read_bytes", lambda path, limit: path.read_bytes())

    with pytest.raises(ResumeError) as caught:
        resume(run.folder, HOST, tell=lambda _: None, steps=7)

    assert cause in str(caught.value)


def test_a_checkpoint_with_weights_of_nan_is_refused(tmp_path, monkeypatch):
    run = start(tmp_path, 5, "run")
    load = Checkpoint.load

    def poisoned(self: Checkpoint) -> Snapshot:
        snapshot = load(self)
        next(iter(snapshot.tensors["generator"].values())).fill_(torch.nan)
        return snapshot

    monkeypatch.setattr(Checkpoint, "load", poisoned)

    with pytest.raises(ResumeError, match=r"generator\..* is not finite; remove it to resume"):
        resume(run.folder, HOST, tell=lambda _: None, steps=7)


def test_a_fault_without_a_checkpoint_is_no_fault_of_one(tmp_path, monkeypatch):
    run = start(tmp_path, 5, "run")
    run.update(status="created")
    shutil.rmtree(run.checkpoints)
    monkeypatch.setattr("gan_toolkit.journal.Journal.cut", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        resume(run.folder, HOST, tell=lambda _: None, steps=7)
