"""A stranger's run is resumed or refused with its cause: nothing in it is run, or leads out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

Case = Callable[[str], Path]
Strangers = Callable[[str], dict[str, dict[str, Any]]]
Change = Callable[[Path], object]


def newest(run: Path) -> Path:
    return max((run / "checkpoints").iterdir())


def seal(folder: Path) -> None:
    """Make the manifest agree with what lies there, as a stranger would."""
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for name, facts in manifest["files"].items():
        content = (folder / name).read_bytes()
        facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


def in_json(name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    def act(run: Path) -> None:
        path = newest(run) / name
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        seal(newest(run))

    return act


def in_tensors(group: str, change: Callable[[dict[str, torch.Tensor]], object]) -> Change:
    def act(run: Path) -> None:
        path = newest(run) / f"{group}.safetensors"
        tensors = safetensors.torch.load(path.read_bytes())
        change(tensors)
        path.write_bytes(safetensors.torch.save(tensors))
        manifest = newest(run) / "MANIFEST.json"
        content = json.loads(manifest.read_text())
        content["files"][path.name]["tensors"] = len(tensors)
        manifest.write_text(json.dumps(content))
        seal(newest(run))

    return act


def pickled(name: str) -> Change:
    def act(run: Path) -> None:
        (newest(run) / name).write_bytes(b"cos\nsystem\n(S'touch hostile.ran'\ntR.")
        seal(newest(run))

    return act


def instead(name: str, content: str) -> Change:
    return lambda run: (run / name).write_text(content)


def linked(name: str) -> Change:
    """Replace a file or folder of the run by a link to one outside."""

    def act(run: Path) -> None:
        outside = run.parent.parent / "outside"
        there = run / name
        if there.is_dir():
            there.rename(outside / f"{run.name}-kept")
        else:
            there.unlink(missing_ok=True)
        there.symlink_to(outside if there.suffix == "" else outside / "precious")

    return act


def manifest(**changes: object) -> Change:
    return in_json("MANIFEST.json", lambda content: content.update(changes))


def facts(**changes: object) -> Change:
    return in_json("state.json", lambda content: content.update(changes))


def without(name: str, key: str) -> Change:
    return in_json(name, lambda content: content.pop(key))


OLDER = "checkpoint passed over"
CASES: dict[str, tuple[Change, str]] = {
    "a pickle for tensors": (pickled("generator.safetensors"), "its header claims"),
    "a pickle for facts": (pickled("state.json"), "is damaged"),
    "a pickle for the manifest": (
        lambda run: (newest(run) / "MANIFEST.json").write_bytes(b"cos\nsystem\n."), OLDER,
    ),
    "a terabyte in the manifest": (
        lambda run: (newest(run) / "MANIFEST.json").write_text(
            (newest(run) / "MANIFEST.json").read_text().replace('"bytes": ', '"bytes": 1000000000')
        ),
        OLDER,
    ),
    "a file that leads out": (
        in_json("MANIFEST.json", lambda m: m["files"].pop("critic.safetensors")), "critic",
    ),
    "a step of text": (manifest(step="hostile.Run"), OLDER),
    "another run": (manifest(run="stranger"), OLDER),
    "no journal": (without("MANIFEST.json", "journal"), "can't be taken back"),
    "a journal of text": (manifest(journal="hostile.Run"), "can't be taken back"),
    "latents of numbers": (manifest(latents=[1, 2]), "the latents were|can't be taken back"),
    "a recipe of text": (manifest(recipe="hostile.Run"), "can't be taken back|recipe changed"),
    "a fingerprint of numbers": (manifest(data_fingerprint=3), "can't be taken back"),
    "versions of text": (manifest(versions="hostile"), "can't be taken back"),
    "no steps": (without("state.json", "steps_done"), "its steps are None"),
    "steps of text": (facts(steps_done="hostile.Run"), "its steps are 'hostile.Run'"),
    "no optimisers": (facts(optimisers={}), "can't be taken back"),
    "optimisers of text": (facts(optimisers="hostile.Run"), "can't be taken back"),
    "random states of text": (facts(random="hostile.Run"), "can't be taken back"),
    "random states of another kind": (facts(random={"numpy": ["hostile", 1, 2, 3]}), "taken back"),
    "random states too short": (
        in_tensors("random", lambda t: t.update(torch=t["torch"][:8].clone())), "taken back",
    ),
    "no random states": (in_tensors("random", lambda t: t.clear()), "can't be taken back"),
    "a weight of another shape": (
        in_tensors("generator", lambda t: t.update({"out.bias": torch.zeros(3)})), "does not fit",
    ),
    "a weight of another name": (
        in_tensors("generator", lambda t: t.update({"../out": torch.zeros(3)})), "does not fit",
    ),
    "a weight of NaN": (
        in_tensors("generator", lambda t: t["out.bias"].fill_(torch.nan)), "not finite",
    ),
    "an optimiser of nobody": (
        in_tensors("optimisers", lambda t: t.update({"nobody/exp_avg": torch.zeros(1)})),
        "does not fit",
    ),
    "a recipe that is none": (instead("recipe.resolved.toml", "hostile"), "not TOML"),
    "a recipe that names code": (
        lambda run: (run / "recipe.resolved.toml").write_text(
            (run / "recipe.resolved.toml").read_text().replace("tiny_images", "hostile.Run")
        ),
        "no generator is named",
    ),
    "a record that is none": (instead("run.json", '{"id": 1}'), "names no run id"),
    "a record of text": (instead("run.json", "[" * 100_000), "is damaged"),
    "a journal that is none": (instead("metrics.jsonl", "hostile"), "shorter than it was"),
    "no checkpoint at all": (linked("checkpoints"), "is a link"),
    "a linked journal": (linked("metrics.jsonl"), "link"),
    "a linked log": (linked("log.txt"), ""),
    "a linked lock": (linked("run.lock"), "is a link"),
    "a linked record": (linked("run.json"), "link"),
    "linked samples": (linked("samples"), ""),
    "linked evaluations": (linked("evaluations"), ""),
    "a linked model": (linked("model.safetensors"), ""),
    "a linked report": (linked("report.html"), ""),
}  # fmt: skip


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    for number in range(3):
        (folder / f"000{number}").write_text("precious")
    (folder / "precious").write_text("precious")
    return folder


def test_each_hostile_run_is_resumed_or_refused_with_its_cause(
    case: Case, strangers: Strangers, hostile: list[str], outside: Path
) -> None:
    assert len(CASES) >= 25
    for name, (change, _) in CASES.items():
        change(case(name))
    before = contents(outside)

    found = strangers("resume")

    assert contents(outside) == before
    for name, (_, cause) in CASES.items():
        assert any(part in found[name]["text"] for part in cause.split("|")), (name, found[name])
        if cause == OLDER:
            assert found[name]["outcome"] == "done", name


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: object) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


ODD: tuple[object, ...] = ("hostile.Run", ["hostile.Run"], {"_target_": "hostile.Run"}, None, -1)


@pytest.mark.parametrize("name", ["MANIFEST.json", "state.json", "run.json"])
@pytest.mark.parametrize("step", [60, pytest.param(1, marks=pytest.mark.slow)])
def test_text_lists_and_tables_in_place_of_any_fact_run_nothing(
    trained: Path, case: Case, strangers: Strangers, hostile: list[str], name: str, step: int
) -> None:
    """Every fact of the file in turn; in the quick count, of every sixtieth."""
    there = trained if name == "run.json" else newest(trained)
    whole = json.loads((there / name).read_text())
    for number, path in enumerate([*places(whole)][::step]):
        run = case(f"{number:04}")
        content = json.loads(json.dumps(whole))
        put(content, path, ODD[number % len(ODD)])
        target = (run if name == "run.json" else newest(run)) / name
        target.write_text(json.dumps(content))
        if name == "state.json":
            seal(newest(run))

    assert strangers("resume")


@pytest.mark.parametrize("every", [65_536, pytest.param(4096, marks=pytest.mark.slow)])
def test_a_file_cut_anywhere_is_passed_over(
    trained: Path, case: Case, strangers: Strangers, every: int
) -> None:
    cut = 0
    for path in sorted(newest(trained).iterdir()):
        for end in range(0, path.stat().st_size, every):
            os.truncate(newest(case(f"{path.stem}-{end}")) / path.name, end)
            cut += 1

    found = strangers("resume")

    assert len(found) == cut >= 6
    for one in found.values():
        assert one["outcome"] == "done", one
        assert OLDER in one["text"]
