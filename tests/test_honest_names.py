"""A run on a world never says that it was trained on the real set."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gan_toolkit.cli.root import cli
from gan_toolkit.evaluation import EngineView
from gan_toolkit.tensorfile import describe

REAL = re.compile(r"3D.?Chairs", re.IGNORECASE)
SMALL = (
    *("run.steps=2", "run.batch_size=8", "run.log_every=1", "generator.width=8", "critic.width=8"),
    *("data.count=32", "data.held_out=32", "data.ss=1", "regularisers.information.start=0"),
    *("measures.explained.enabled=false", "measures.bound.samples=100"),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """Run the chairs without the real renders; give the folder, the titles and what was said."""
    place = tmp_path_factory.mktemp("honest")
    titles: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(place)
        patched.setenv("GANTK_CACHE", str(place / "cache"))
        patched.setenv("GANTK_DATA", str(place / "data"))
        title = EngineView.title.fget  # type: ignore[attr-defined]
        patched.setattr(
            EngineView, "title", property(lambda view: titles.append(title(view)) or title(view))
        )
        options = [word for setting in SMALL for word in ("--set", setting)]
        arguments = ["run", "infogan_chairs", "--variant", "cpu", "--name", "one", *options]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0, result.output
        yield place / "runs" / "infogan_chairs" / "one", titles


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def test_titles_of_pictures_name_the_world(finished: tuple[Path, list[str]]) -> None:
    _, titles = finished

    assert titles
    assert all("chairs-synthetic" in title and not REAL.search(title) for title in titles)


def test_records_and_facts_name_the_world(finished: tuple[Path, list[str]]) -> None:
    folder, _ = finished
    facts = json.loads((folder / "run.json").read_text())
    (evaluation,) = (folder / "evaluations").glob("*.json")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]

    assert facts["data"]["name"] == "chairs-synthetic"
    assert facts["data"]["source"] == "synthetic"
    for value in (facts, json.loads(evaluation.read_text()), records):
        assert not [text for text in texts(value) if REAL.search(text)]


def test_the_model_file_names_the_world(finished: tuple[Path, list[str]]) -> None:
    folder, _ = finished

    about = describe(folder / "model.safetensors")

    said = {key: value for key, value in about["recipe"].items() if key != "summary"}
    assert about["facts"]["data"]["name"] == "chairs-synthetic"
    assert not [text for text in texts([about["facts"], said]) if REAL.search(text)]


def test_run_elsewhere_the_resolved_recipe_changes_no_data(
    finished: tuple[Path, list[str]],
) -> None:
    folder, _ = finished

    assert 'source = "synthetic"' in (folder / "recipe.resolved.toml").read_text()
