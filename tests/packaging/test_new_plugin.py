"""Plugins that the installed wheel wrote, from templates it must bring, installed in their turn.

Every kind alone, and all kinds as one plugin. Fresh is the environment of `conftest.py`: it holds
the wheel, what is installed here, and the packages of this environment, but no path to a source of
the toolkit; nothing was in it before, and nobody's settings are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gan_toolkit import scaffold
from gan_toolkit.registry import KINDS
from gan_toolkit.testing.conformance import (
    CONTRACTS,
    PluginConformance,
    RecipeConformance,
    checks_in,
)

ALONE = {f"a_{kind}": kind for kind in KINDS}
WITH_RECIPE = {
    kind for kind in KINDS if any("recipes" in path for path in scaffold.render("x", [kind]))
}
WRITE_ALONE = """
import sys
from pathlib import Path
from gan_toolkit import scaffold
from gan_toolkit.registry import KINDS

for name in sys.argv[1:]:
    texts = scaffold.render(name, [name.removeprefix("a_")])
    scaffold.write_plugin(Path(scaffold.distribution_of(name)), texts)
"""
TESTS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib")


@pytest.fixture(scope="module")
def plugins(installed, tmp_path_factory) -> Path:
    """Return a folder of plugins that are installed: all kinds as `wave`, each alone as `a_…`."""
    place = tmp_path_factory.mktemp("plugins")
    installed.gantk("plugins", "new", "wave", "--kinds", ",".join(KINDS), here=place)
    installed.python("-c", WRITE_ALONE, *ALONE, here=place)
    installed.install(*map(str, sorted(place.glob("gantk-*"))), here=place)
    return place


def test_each_is_found_with_what_it_offers(installed, plugins, tmp_path):
    records = json.loads(installed.gantk("plugins", "list", "--json", here=tmp_path))

    found = {one["name"]: one for one in records}
    assert {name: found[name]["components"] for name in ALONE} == {
        name: {kind: [name]} for name, kind in ALONE.items()
    }
    assert found["wave"]["components"] == {kind: ["wave"] for kind in KINDS}
    assert {found[name]["status"] for name in (*ALONE, "wave")} == {"loaded"}


def test_their_own_tests_pass(installed, plugins):
    """The contract of a kind once, as part of `wave`: `plugins check` holds the others to it."""
    told = installed.python(*TESTS, "-k", "gantk-wave or not test_component", here=plugins)

    recipes = list(plugins.glob("gantk-a-*/*/recipes/*.toml"))
    assert {path.stem.removeprefix("a_") for path in recipes} == WITH_RECIPE
    of_plugins = len(checks_in(PluginConformance)) - 1
    of_contracts = sum(len(checks_in(CONTRACTS[kind])) for kind in KINDS)
    of_recipes = len(checks_in(RecipeConformance))
    counted = [int(number) for number in re.findall(r"(\d+) (?:passed|skipped)", told)]
    assert sum(counted) >= (
        2 * len(KINDS)  # the test of each component, by a value worked out by hand
        + (len(KINDS) + 1) * of_plugins
        + of_contracts
        + (len(recipes) + 1) * of_recipes
    )


def test_check_finds_nothing(installed, plugins, tmp_path):
    checked = json.loads(installed.gantk("plugins", "check", "--json", *ALONE, here=tmp_path))

    assert {finding["outcome"] for finding in checked} == {"ok", "skipped"}
    assert {finding["component"] for finding in checked} - {""} == {
        f"{kind} {name}" for name, kind in ALONE.items()
    }


def test_the_recipe_of_all_of_them_runs(installed, plugins, tmp_path):
    few = ("--steps", "3", "--set", "measures.bound.samples=250")

    last = installed.gantk("run", "wave:wave", *few, here=tmp_path).splitlines()[-1]

    assert (tmp_path / last / "model.safetensors").is_file()
