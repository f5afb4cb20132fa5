"""The example, installed as a stranger would: the toolkit finds it, and no core file knows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUNDLED = [
    path
    for pattern in ("gan_toolkit/**/*.py", "plugins/*/gantk_*/**/*.py", "recipes/*.toml")
    for path in ROOT.glob(pattern)
    if "example" not in path.parts
]
ITS_WORDS = re.compile(r"gantk_example|gantk-example|\bdial\b")


def test_nothing_that_is_bundled_knows_it():
    assert len(BUNDLED) > 100
    assert [path for path in BUNDLED if ITS_WORDS.search(path.read_text())] == []


def test_plugins_list_shows_it(installed, tmp_path):
    records = json.loads(installed.gantk("plugins", "list", "--json", here=tmp_path))
    (record,) = [record for record in records if record["name"] == "example"]

    assert record["status"] == "loaded"
    assert record["distribution"] == "gantk-example"
    assert record["components"] == {"latent": ["dial"], "regulariser": ["diversity"]}


def test_its_own_tests_pass(installed):
    installed.python("-m", "pytest", "-q", "-p", "no:cacheprovider", here=installed.example)


@pytest.mark.slow
def test_its_recipe_runs_and_its_model_can_be_set_by_the_dial(installed, tmp_path):
    changes = ("--steps", "3", "--set", "data.count=256", "--set", "measures.bound.samples=250")

    last = installed.gantk("run", "example:dial_ring", *changes, here=tmp_path).splitlines()[-1]
    installed.gantk("sample", last, "--code", "place=7", "-o", "seven.npy", here=tmp_path)

    records = [
        json.loads(line) for line in (tmp_path / last / "metrics.jsonl").read_text().splitlines()
    ]
    assert {"information/place", "diversity/ratio", "generator/diversity"} <= records[0].keys()
    assert [record["step"] for record in records if record["event"] == "log"] == [1, 3]


def test_without_it_the_recipe_says_what_is_missing(installed, tmp_path):
    recipe = next(installed.example.rglob("dial_ring.toml"))

    with pytest.raises(AssertionError) as failure:
        installed.gantk("-P", "no:example", "run", str(recipe), here=tmp_path)

    assert "gave 3" in str(failure.value)
    assert "plugin 'example' is blocked by -P no:example" in str(failure.value)
