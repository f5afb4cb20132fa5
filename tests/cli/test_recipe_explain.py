from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]


def test_a_key_is_explained_to_a_person(gantk: Gantk) -> None:
    assert gantk("recipe", "explain", "run.critic_steps").stdout == (
        "run.critic_steps\n"
        "  Critic steps for each step of the generator.\n"
        "  type     integer\n"
        "  range    at least 1, at most 1_000\n"
        "  default  1\n"
        "  read by  the core\n"
    )


def test_with_a_recipe_the_value_and_its_origin_are_shown(gantk: Gantk, recipe: Path) -> None:
    given = gantk("recipe", "explain", "run.steps", recipe).stdout
    default = gantk("recipe", "explain", "data.grey", recipe).stdout
    absent = gantk("recipe", "explain", "regularisers.read.stop", recipe).stdout

    assert "  value    6\n" in given
    assert given.endswith("tiny.toml:6\n")
    assert default.splitlines()[-3:] == [
        "  read by  dataset 'tiny_dots' of plugin 'tiny_plugin'".replace(
            "tiny_plugin", default.split("plugin '")[1].split("'")[0]
        ),
        "  value    true",
        "  from     default of dataset 'tiny_dots'",
    ]
    assert "  value    absent\n" in absent


def meanings(result: Any) -> list[tuple[str, str]]:
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["meanings"]
    return [(one["read_by"].partition(" of plugin")[0], one["name"]) for one in found]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("name", [("the core", "name")]),
        ("extends", [("the core", "extends")]),
        ("variants", [("the core", "variants")]),
        ("variants.cpu.run.seed", [("the core", "seed")]),
        ("regularisers.information.weight", [("the core", "weight")]),
        ("latents.any.use", [("the core", "use")]),
        ("latents.any.categories", [("latent 'categorical'", "categories")]),
        ("latents.categorical.categories", [("latent 'categorical'", "categories")]),
        ("latent.categorical.categories", [("latent 'categorical'", "categories")]),
        ("latent.categorical", [("latent 'categorical'", "categories")]),
        ("latent.categorical.count", [("the core", "count")]),
        ("latent", [("the core", "use"), ("the core", "enabled"), ("the core", "count")]),
        ("latents", [("the core", "use"), ("the core", "enabled"), ("the core", "count")]),
        ("generator.mlp.hidden", [("generator 'mlp'", "hidden")]),
        ("generator.hidden", [("generator 'mlp'", "hidden")]),
        ("regularisers.a.weights.code", [("regulariser 'mutual_information'", "weights")]),
        ("optimiser.adam.lr.over", [("schedule 'cosine', schedule 'linear'", "over")]),
    ],
)
def test_what_a_key_is_without_a_recipe(
    gantk: Gantk, key: str, expected: list[tuple[str, str]]
) -> None:
    result = gantk("recipe", "explain", key, "--json")
    found = json.loads(result.stdout)["meanings"]

    names = [one["read_by"] for one in found]
    short = [", ".join(p.partition(" of ")[0] for p in name.split(", ")) for name in names]
    assert list(zip(short, [one["name"] for one in found], strict=True)) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("latents.code.count", [("the core", "count")]),
        ("generator", [("the core", "use")]),
        ("generator.mlp.hidden", [("generator 'mlp'", "hidden")]),
        ("optimisers.critic", [("optimiser 'tiny_adam'", "lr")]),
        ("latents", [("the core", "use"), ("the core", "enabled"), ("the core", "count")]),
    ],
)
def test_what_a_key_is_in_a_recipe(
    gantk: Gantk, recipe: Path, key: str, expected: list[tuple[str, str]]
) -> None:
    assert meanings(gantk("recipe", "explain", key, recipe, "--json")) == expected


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("runn.steps",), "runn.steps: there is no 'runn'; did you mean 'run'?"),
        (("run.stepz",), "run.stepz: there is no 'stepz'; did you mean 'steps'?"),
        (("run.steps.more",), "run.steps.more: there is no 'more'"),
        (("latent.categorial.x",), "there is no 'categorial'; did you mean 'categorical'?"),
        (("latents.any.zzz",), "latents.any.zzz: there is no 'zzz'; known: "),
        (("a..b",), "a..b is not a key; dotted names such as run.steps"),
        (("latents.cod.use", "tiny.toml"), "there is no 'cod'; did you mean 'code'?"),
        (("averaging.decay", "tiny.toml"), "averaging.decay: there is no 'averaging'; known: "),
        (("data.gray", "tiny.toml"), "data.gray: there is no 'gray'; did you mean 'grey'?"),
        (("run.steps", "nobody"), "no recipe is named 'nobody'"),
    ],
)
def test_a_key_that_nothing_has(
    gantk: Gantk, recipe: Path, words: tuple[str, ...], text: str
) -> None:
    result = gantk("recipe", "explain", *words)

    assert result.exit_code == 2
    assert result.stderr.startswith("gantk: ")
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_several_meanings_stand_apart(gantk: Gantk) -> None:
    lines = gantk("recipe", "explain", "tracker").stdout.split("\n\n")

    assert [part.splitlines()[0] for part in lines] == ["use", "enabled"]
