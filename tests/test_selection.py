"""Runs scored by each other: all see the same samples, and none is written to."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

import gan_toolkit
from gan_toolkit.comparison import Side, read_sides
from gan_toolkit.device import Device
from gan_toolkit.errors import DataError, PluginError, RecipeError, StorageError, UsageError
from gan_toolkit.interfaces import Comparison, Score, View
from gan_toolkit.launch import launch
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.recipe.options import Options
from gan_toolkit.runs import RunFolder
from gan_toolkit.selection import Request, Selection, select

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
SHORT = (
    "run.steps=6",
    "data.count=600",
    *(f"measures.{name}.enabled=false" for name in ("bound", "modes")),
    *(f"panels.{name}.enabled=false" for name in ("samples", "mode", "bound")),
)


class Order(Comparison):
    """Scores a run by its place; the details tell what it was shown."""

    def __init__(self, name: str, factor: float = 1.0) -> None:
        if factor < 0:
            raise ValueError(f"factor = {factor}: not below 0")
        self.name, self.factor = name, factor

    def compare(self, views: Sequence[View]) -> list[list[Score]]:
        torch.rand(1)
        random.random()
        return [
            [Score(self.name, self.factor * place, 3, "place", details=_seen(view))]
            for place, view in enumerate(views)
        ]


def _seen(view: View) -> dict[str, Any]:
    return {"real": view.real(3).samples.tolist(), "title": view.title}


class Broken(Comparison):
    """Returns the scores of one model too few."""

    def compare(self, views: Sequence[View]) -> list[list[Score]]:
        return [[Score("short", 1.0, 1, "none")] for _ in views[1:]]


class Leaving(Comparison):
    least = 3

    def compare(self, views: Sequence[View]) -> list[list[Score]]:
        raise SystemExit(3)


class FactorOptions(Options):
    factor: float = 1.0
    """What the place is multiplied by."""


@pytest.fixture(scope="module")
def host() -> PluginHost:
    host = load_plugins(environ={})
    registry, here = host.registry, f"{__name__}:"
    registry.add("comparison", "order", options=FactorOptions, build=here + "Order", version=2)
    registry.add("comparison", "broken", build=here + "Broken")
    registry.add("comparison", "leaving", build=here + "Leaving")
    registry.add("comparison", "view", build=here + "View")
    return host


def start(host: PluginHost, out: Path, name: str, *more: str) -> RunFolder:
    recipe = load_recipe(RING, host, overrides=[Override(text) for text in (*SHORT, *more)])
    return launch(recipe, host, device=Device(), out=out, name=name, tell=lambda _: None)


@pytest.fixture(scope="module")
def trained(host: PluginHost, tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    out = tmp_path_factory.mktemp("runs")
    runs = [start(host, out, f"s{seed}", f"run.seed={seed}") for seed in range(3)]
    return [*runs, start(host, out, "other", "data.seed=1")]


@pytest.fixture
def sides(trained: list[RunFolder], tmp_path: Path) -> list[Side]:
    """Copies of three runs, to be changed at will."""
    folders = [Path(shutil.copytree(r.folder, tmp_path / r.folder.name)) for r in trained[:3]]
    return read_sides([RunFolder.open(folder) for folder in folders])


class Told(list[str]):
    """What was said."""

    def __call__(self, event: Any) -> None:
        self.append(event["text"] if event["event"] == "note" else event["name"])


def selected(
    sides: Sequence[Side], host: PluginHost, *names: str, told: Told | None = None, **more: Any
) -> Selection:
    request = Request(dict.fromkeys(names, "") | more.pop("options", {}), **more)
    return select(sides, host, request, Told() if told is None else told)


def test_all_runs_see_the_same_samples_in_the_order_they_were_given(
    sides: list[Side], host: PluginHost
) -> None:
    found = selected([sides[2], sides[0]], host, "order")

    (first,), (second,) = found.scores
    assert (first["value"], second["value"]) == (0.0, 1.0)
    assert first["details"]["real"] == second["details"]["real"]
    assert [r["details"]["title"].split(" ")[0] for r in (first, second)] == ["s2", "s0"]


def test_a_record_says_how_it_was_found(sides: list[Side], host: PluginHost) -> None:
    found = selected(sides, host, "order", seed=5, effort="fast")

    record = found.scores[1][0]
    assert (record["measure"], record["use"], record["name"]) == ("order", "order@2", "order")
    assert (record["seed"], record["effort"], record["step"]) == (5, "fast", 6)
    assert record["data"]["name"] == "ring"


def test_options_reach_the_comparison(sides: list[Side], host: PluginHost) -> None:
    found = selected(sides, host, options={"order": "factor = 4.0"})

    assert [records[0]["value"] for records in found.scores] == [0.0, 4.0, 8.0]


def test_nothing_is_written_and_no_generator_is_touched(
    sides: list[Side], host: PluginHost
) -> None:
    def contents() -> dict[Path, bytes]:
        files = (path for side in sides for path in side.run.folder.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files}

    before, state = contents(), torch.get_rng_state()

    selected(sides, host, "order")

    assert contents() == before
    assert torch.equal(torch.get_rng_state(), state)


def test_what_fails_costs_its_own_scores_and_is_told(sides: list[Side], host: PluginHost) -> None:
    told = Told()

    found = selected(sides, host, "broken", "order", "leaving", told=told)

    assert [[r["measure"] for r in records] for records in found.scores] == [["order"]] * 3
    assert [failure.partition(" ")[0] for failure in found.failures] == ["broken", "leaving"]
    assert "comparison 'leaving' failed: SystemExit: 3" in told
    assert "order" in told


def test_runs_on_other_data_are_refused(
    sides: list[Side], trained: list[RunFolder], host: PluginHost
) -> None:
    with pytest.raises(DataError) as caught:
        selected([*sides, *read_sides(trained[3:])], host, "order")

    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("other was trained on ring (fingerprint ")
    assert "s0 on ring (fingerprint " in text


def test_data_that_is_no_longer_the_same_is_refused(sides: list[Side], host: PluginHost) -> None:
    for side in sides:
        side.run.update(data={**side.run.run_json["data"], "fingerprint": "feed"})

    with pytest.raises(DataError, match="no longer the data of the training"):
        selected(sides, host, "order")


def test_too_few_runs_are_refused(sides: list[Side], host: PluginHost) -> None:
    with pytest.raises(UsageError, match="--select leaving needs at least 3 runs; 2 were named"):
        selected(sides[:2], host, "leaving")


def test_a_name_that_nobody_offers_is_refused_with_the_nearest(
    sides: list[Side], host: PluginHost
) -> None:
    with pytest.raises(RecipeError, match=r"no comparison is named 'ordre'.*did you mean 'order'"):
        selected(sides, host, "ordre")


def test_what_a_builder_refuses_is_blamed_on_the_switch(
    sides: list[Side], host: PluginHost
) -> None:
    with pytest.raises(RecipeError, match=r"--select: comparisons\.order: factor = -1\.0"):
        selected(sides, host, options={"order": "factor = -1.0"})


def test_what_is_no_comparison_is_refused(sides: list[Side], host: PluginHost) -> None:
    with pytest.raises(PluginError, match="comparison 'view'"):
        selected(sides, host, "view")


def test_a_run_that_left_nothing_to_look_at_is_named(sides: list[Side], host: PluginHost) -> None:
    sides[1].run.model.unlink()
    told = Told()

    selected(sides, host, "order", told=told)
    shutil.rmtree(sides[1].run.checkpoints)

    assert told[0] == "s1: from the checkpoint of step 6: the run did not end there"
    with pytest.raises(StorageError, match="s1 has no model and no whole checkpoint"):
        selected(sides, host, "order")
