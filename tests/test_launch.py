"""A run from its folder: stopped and resumed it is the uninterrupted one, to the bit."""

from __future__ import annotations

import shutil
from collections import namedtuple
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

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


RATE = "optimisers.critic.lr=1e-3"


def changed(run: RunFolder, *overrides: str, **options: Any) -> list[str]:
    """Resume with changes, and return the notes."""
    told: list[str] = []
    resume(
        run.folder,
        HOST,
        tell=lambda event: told.append(event.get("text", "")),
        overrides=[Override(text) for text in overrides],
        **options,
    )
    return [text for text in told if text]


def test_what_enters_no_training_step_may_change_freely(tmp_path):
    straight = start(tmp_path, 9, "straight")
    run = start(tmp_path, 5, "run")

    notes = changed(run, "run.steps=9", "panels.samples.every=3", "run.log_every=2")

    assert notes == []
    assert difference(last_state(straight), last_state(run)) == []
    assert "changes" not in RunFolder.open(run.folder).run_json


def test_a_rate_may_change_if_that_is_allowed_and_run_and_journal_say_so(tmp_path):
    run = start(tmp_path, 5, "run")
    text = run.resolved.read_text()

    with pytest.raises(ResumeError, match=r"critic.lr was 0.002, is 0.001; .*--allow-change"):
        changed(run, RATE, "run.steps=9")
    assert run.resolved.read_text() == text
    notes = changed(run, RATE, "run.steps=9", allow_change=True)

    wanted = "changed at step 5: optimisers.critic.lr was 0.002, is 0.001"
    assert notes == [wanted]
    again = RunFolder.open(run.folder)
    assert {"event": "note", "step": 5, "text": wanted} in again.metrics.read()
    (change,) = again.run_json["changes"]
    assert change == {"step": 5, "key": "optimisers.critic.lr", "was": 0.002, "now": 0.001}
    assert "lr = 0.001" in again.resolved.read_text()
    assert difference(last_state(start(tmp_path, 9, "straight")), last_state(run))


def test_an_allowed_change_is_allowed_again_after_a_stop_before_the_next_checkpoint(tmp_path):
    """It is told again: the journal was cut back to the checkpoint."""
    run = start(tmp_path, 5, "run")
    checkpoints = tmp_path / "before"
    shutil.copytree(run.checkpoints, checkpoints)
    changed(run, RATE, "run.steps=9", allow_change=True)
    shutil.rmtree(run.checkpoints)
    shutil.copytree(checkpoints, run.checkpoints)

    notes = changed(run)

    assert notes == ["changed at step 5: optimisers.critic.lr was 0.002, is 0.001"]
    assert len(RunFolder.open(run.folder).run_json["changes"]) == 1
    assert len([r for r in run.metrics.read() if r["event"] == "note"]) == 1


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("generator.hidden=[32, 32]", "does not fit the recipe"),
        ("data.sigma=0.02", "is not the data of the checkpoint"),
    ],
)
def test_what_can_not_go_on_is_refused_even_if_changes_are_allowed(tmp_path, override, text):
    run = start(tmp_path, 5, "run")
    before = {path: path.read_bytes() for path in run.folder.rglob("*.toml")}

    with pytest.raises(ResumeError, match=text):
        changed(run, override, "run.steps=9", allow_change=True)

    assert {path: path.read_bytes() for path in run.folder.rglob("*.toml")} == before
    assert "changes" not in RunFolder.open(run.folder).run_json


def test_another_version_of_a_plugin_in_use_is_told(tmp_path):
    run = start(tmp_path, 5, "run")
    versions = run.run_json["plugins"]
    run.update(plugins=versions | {"networks": "0.0.1", "worlds": "0.0.2", "measures": "0"})

    notes = changed(run, "run.steps=6", "measures.bound.enabled=false")

    now = versions["networks"]
    assert [note.partition(":")[0] for note in notes] == [
        f"plugin 'networks' was 0.0.1, is {now}",
        f"plugin 'worlds' was 0.0.2, is {now}",
    ]


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


def test_a_resolved_recipe_run_again_takes_the_same_steps(tmp_path):
    first = start(tmp_path, 20, "first")
    again = load_recipe(first.resolved, HOST)

    second = launch(again, HOST, device=Device(), out=tmp_path, name="second", tell=lambda _: None)

    assert difference(last_state(first), last_state(second)) == []
    losses = [
        [record["critic/loss"] for record in run.metrics.read() if record["event"] == "log"]
        for run in (first, second)
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 20
    assert second.resolved.read_text() == first.resolved.read_text()


PLAIN = {
    "format": 1,
    "name": "plain",
    "run": {"steps": 2, "batch_size": 4, "log_every": 1},
    "data": {"use": "strokes", "count": 16, "held_out": 4},
    "latents": {"noise": {"use": "gaussian", "size": 4}},
    "generator": {"use": "dcgan", "width": 4},
    "critic": {"use": "dcgan", "width": 4},
    "objective": {"use": "hinge"},
    "optimisers": {"generator": {"use": "adam"}, "critic": {"use": "adam"}},
}


def test_a_plain_game_trains_where_the_method_is_blocked(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "cache"))
    host = load_plugins(environ={"GANTK_BLOCK_PLUGINS": "infogan"})

    with pytest.raises(RecipeError, match="plugin 'infogan' is blocked by GANTK_BLOCK_PLUGINS"):
        load_recipe(RING, host)
    run = launch(load_recipe(PLAIN, host), host, device=Device(), out=tmp_path, tell=lambda _: None)

    assert run.run_json["status"] == "finished"
    assert [record["step"] for record in run.metrics.read() if record["event"] == "log"] == [1, 2]


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
