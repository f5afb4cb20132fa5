from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]


@pytest.fixture
def other(recipe: Path) -> Path:
    """The same with another seed, another rate, and another name; written differently."""
    text = recipe.read_text().replace("seed = 1", "# why\nseed = 0x2")
    text = text.replace('[optimisers.critic]\nuse = "tiny_adam"', "optimisers.critic.lr = 0.5")
    text = 'optimisers.critic.use = "tiny_adam"\noptimisers.critic.lr = 0.5\n' + text.replace(
        "optimisers.critic.lr = 0.5", ""
    )
    path = recipe.with_name("other.toml")
    path.write_text(text.replace('name = "tiny"', 'name = "other"'))
    return path


def changes(result: Any) -> list[tuple[Any, ...]]:
    assert result.exit_code == 0, result.stderr
    return [tuple(change.values()) for change in json.loads(result.stdout)["changes"]]


def test_differences_come_by_group_with_both_origins(
    gantk: Gantk, recipe: Path, other: Path
) -> None:
    found = changes(gantk("recipe", "diff", recipe, other, "--json"))

    assert found == [
        ("seeds", "run.seed", 1, 2, "tiny.toml:8", "other.toml:11"),
        (
            *("training", "optimisers.critic.lr", 0.001, 0.5),
            *("default of optimiser 'tiny_adam'", "other.toml:2"),
        ),
        ("enters no training step", "name", "tiny", "other", "tiny.toml:2", "other.toml:4"),
    ]


def test_a_person_reads_them_as_tables(gantk: Gantk, recipe: Path, other: Path) -> None:
    lines = gantk("recipe", "diff", recipe, other).stdout.splitlines()

    assert [line for line in lines if line and not line.startswith(" ")] == [
        *(f"a: {recipe}", f"b: {other}"),
        *("seeds", "training", "enters no training step"),
    ]
    assert "  run.seed  1  2  tiny.toml:8  other.toml:11" in lines


def test_what_is_written_differently_is_no_difference(gantk: Gantk, recipe: Path) -> None:
    text = recipe.read_text().replace("steps = 6", "steps = 0b110\ncritic_steps = 1")
    Path("same.toml").write_text(text.replace('use = "tiny_coin"', 'use = "tiny_coin@1"'))

    result = gantk("recipe", "diff", recipe, "same.toml")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"the same: {recipe} and same.toml ask for the same run\n"
    assert json.loads(gantk("recipe", "diff", recipe, "same.toml", "--json").stdout)["equal"]


def test_a_recipe_is_compared_with_itself_changed(gantk: Gantk, recipe: Path) -> None:
    result = gantk(
        *("recipe", "diff", recipe, "--variant", "long", "--set", "run.seed=5"),
        *("--unset", "measures.two", "--json"),
    )

    assert [(key, a, b) for _, key, a, b, *_ in changes(result)] == [
        ("run.seed", 1, 5),
        ("run.steps", 6, 100_000),
        ("measures.two.use", "tiny_two@1", None),
        ("measures.two.every", 0, None),
    ]
    assert json.loads(result.stdout)["b"] == f"{recipe}, variant long, changed"


def test_the_order_of_the_latents_counts(gantk: Gantk, recipe: Path) -> None:
    text = recipe.read_text()
    noise = '[latents.noise]\nuse = "tiny_noise"\n'
    Path("turned.toml").write_text(text.replace(noise, "") + noise)

    assert changes(gantk("recipe", "diff", recipe, "turned.toml", "--json")) == [
        (
            "training",
            "latents",
            ["noise", "code"],
            ["code", "noise"],
            "tiny.toml:18",
            "turned.toml:19",
        )
    ]


def test_a_run_and_its_model_are_those_of_their_recipe(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--variant", "base", "--name", "first", "--no-report")
    model = Path("runs/tiny/first/model.safetensors")

    assert changes(gantk("recipe", "diff", recipe, "first", "--json")) == []
    of_model = gantk("recipe", "diff", recipe, model, "--set", "latents.code.count=2", "--json")
    assert of_model.exit_code == 2
    assert "is a model file; --variant, --set and --unset change recipes only" in of_model.stderr
    with_model = gantk("recipe", "diff", model, recipe, "--set", "data.grey=false", "--json")
    assert changes(with_model) == [("training", "data.grey", True, False, "", "--set #1")]
    assert with_model.stderr == (
        "not compared, as a model file has none: run, objective, optimisers\n"
    )
    run_and_model = gantk("recipe", "diff", "first", model)
    assert "the same: " in run_and_model.stderr


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("tiny.toml",), "there is nothing to compare with: give a second recipe, or --variant"),
        (("tiny.toml", "nobody"), "no run in runs is called 'nobody'"),
        (("tiny.toml", "no.toml"), "there is no file no.toml"),
        (("tiny.toml", "."), "has no run.json: it is not a run's folder"),
        (("tiny.toml", "no.safetensors"), "no.safetensors"),
        (("-", "-"), "standard input can be read once only; give one side as a file"),
        (("-", "--set", "run.steps=5"), "standard input can be read once only"),
    ],
)
def test_what_can_not_be_compared(
    gantk: Gantk, recipe: Path, words: tuple[str, ...], text: str
) -> None:
    result = gantk("recipe", "diff", *words)

    assert result.exit_code in (2, 8)
    assert text in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_only_the_second_has_is_listed_value_by_value(gantk: Gantk, recipe: Path) -> None:
    more = 'measures.more={ use = "tiny_two", every = 2 }'

    found = changes(gantk("recipe", "diff", recipe, "--set", more, "--json"))

    assert [change[1:] for change in found] == [
        ("measures.more.use", None, "tiny_two@1", "", "--set #1"),
        ("measures.more.every", None, 2, "", "--set #1"),
    ]


def test_what_the_reader_notes_is_said_once(gantk: Gantk, recipe: Path) -> None:
    Path("leads.py").write_text(
        "from gan_toolkit import hookimpl\n@hookimpl\ndef gantk_register(registry):\n"
        '    registry.add("tracker", "pencil", build="x:Y", aliases=("lead",))\n'
    )
    Path("old.toml").write_text(f'{recipe.read_text()}\n[trackers.log]\nuse = "lead"\n')

    result = gantk("-P", "./leads.py", "recipe", "diff", "old.toml", "--variant", "base")

    assert result.stderr.splitlines() == [
        "old.toml:53: trackers.log.use: 'lead' is another name of 'pencil'; write that",
        "the same: old.toml and old.toml ask for the same run",
    ]


def test_two_models_have_all_that_is_compared(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "first", "--no-report")
    model = "runs/tiny/first/model.safetensors"

    result = gantk("recipe", "diff", model, model)

    assert result.stderr == f"the same: {model} and {model} ask for the same run\n"


def test_a_run_without_origins_has_its_values(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "first", "--no-report", "--seed", "4")
    Path("runs/tiny/first/recipe.origins.json").unlink()

    found = changes(gantk("recipe", "diff", "first", recipe, "--variant", "cpu", "--json"))

    assert [change[1:] for change in found] == [("run.seed", 4, 1, "", "tiny.toml:8")]
