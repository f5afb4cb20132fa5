"""What shells are offered, asked as they ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from gan_toolkit.cli.root import cli
from gan_toolkit.cli.session import Session

Offered = Callable[..., list[str]]


@pytest.fixture
def offered(
    recipe: Path, plugin: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Offered:
    """Return what may follow words, the last of them half typed; files as `<file>`."""
    monkeypatch.chdir(recipe.parent)
    shell = ShellComplete(cli, {}, "gantk", "_GANTK_COMPLETE")

    def after(*words: str) -> list[str]:
        sys.modules.pop(plugin.stem, None)
        session = Session()
        session.switches = [str(plugin)]
        shell.ctx_args = {"obj": session}
        items = shell.get_completions(list(words[:-1]), words[-1])
        assert capfd.readouterr() == ("", "")
        return [item.value if item.type == "plain" else f"<{item.type}>" for item in items]

    return after


@pytest.mark.parametrize(
    "words",
    [("run",), ("recipe", "validate", "x.toml"), ("recipe", "diff", "x.toml")],
)
def test_recipes_by_name_or_else_files(offered: Offered, words: tuple[str, ...]) -> None:
    assert offered(*words, "infogan_r") == ["infogan_ring"]
    assert offered(*words, "./x") == ["<file>"]


@pytest.mark.parametrize("words", [("resume",), ("report", "a")])
def test_runs_the_newest_first(offered: Offered, words: tuple[str, ...]) -> None:
    for age, name in enumerate(("newer", "new", "old", "none")):
        run = Path("runs/tiny") / name / "run.json"
        run.parent.mkdir(parents=True)
        if name != "none":
            run.write_text("{}")
            os.utime(run, (10**9 - age, 10**9 - age))

    assert offered(*words, "n") == ["newer", "new"]
    assert offered(*words, "x") == ["<file>"]


def test_runs_of_another_folder(offered: Offered) -> None:
    Path("there/tiny/one").mkdir(parents=True)
    Path("there/tiny/one/run.json").touch()

    assert offered("resume", "--out", "there", "") == ["one"]


def test_plugins_kinds_and_components(offered: Offered) -> None:
    assert offered("-P", "wor") == ["worlds"]
    assert offered("recipe", "list", "-P", "no:wor") == ["no:worlds"]
    assert offered("components", "list", "lat") == ["latent"]
    assert offered("plugins", "list", "--kind", "lat") == ["latent"]
    assert offered("components", "show", "latent", "tiny_") == ["tiny_coin", "tiny_noise"]
    assert offered("components", "show", "nothing", "") == []


def test_exporters_and_their_options(offered: Offered) -> None:
    assert offered("export", "one", "--to", "tiny_") == ["tiny_needy", "tiny_text"]
    assert offered("export", "one", "--to", "tiny_text", "--set", "") == ["count=", "fault="]
    assert offered("export", "one", "--set", "") == []


def test_keys_of_the_recipe_on_the_line(offered: Offered) -> None:
    keys = offered("run", "tiny.toml", "--set", "")

    assert {"name=", "run.steps=", "latents.code.count=", "data.grey=", "generator.use="} <= {*keys}
    assert not any(key.startswith("averaging") for key in keys)
    assert offered("recipe", "show", "tiny.toml", "--set", "data.g") == ["data.grey="]
    assert offered("recipe", "diff", "tiny.toml", "--set", "data.g") == ["data.grey="]
    assert offered("run", "tiny.toml", "--unset", "regularisers.read") == [
        *(f"regularisers.read.{key}" for key in ("code", "enabled", "every", "start", "stop")),
        *("regularisers.read.use", "regularisers.read.weight", "regularisers.read"),
    ]
    assert offered("run", "tiny.toml", "--variant", "") == ["cpu", "long", "base"]


def test_an_average_is_a_table_as_well(offered: Offered) -> None:
    recipe = Path("tiny.toml")
    recipe.write_text(recipe.read_text() + '[averaging]\nuse = "ema"\n')

    assert offered("run", "tiny.toml", "--set", "averaging.d") == ["averaging.decay="]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("data.grey=", ["true", "false"]),
        ('latents.code.use="tiny_c', ['"tiny_coin"']),
        ("latents.code.use=tiny_c", ['"tiny_coin"']),
        ("run.precision=", ['"auto"', '"f32"', '"tf32"', '"bf16"']),
        ("run.steps=", []),
        ("run.nothing=", []),
    ],
)
def test_values_that_can_be_told(offered: Offered, typed: str, values: list[str]) -> None:
    key = typed.partition("=")[0]

    assert offered("run", "tiny.toml", "--set", typed) == [f"{key}={value}" for value in values]


def test_keys_to_explain(offered: Offered) -> None:
    assert offered("recipe", "explain", "run.crit") == ["run.critic_steps"]
    assert offered("recipe", "explain", "latent.cat") == [
        "latent.categorical",
        "latent.categorical.categories",
    ]


def test_what_is_wrong_offers_nothing_and_says_nothing(offered: Offered) -> None:
    Path("tiny.toml").write_text("format = ")
    Path("broken.py").write_text("import nothing_there")

    assert offered("run", "tiny.toml", "--set", "run") == []
    assert offered("run", "--set", "run") == []
    assert offered("-P", "./broken.py", "run", "nothing_like_it") == ["<file>"]
