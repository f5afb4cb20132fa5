from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit import files
from gan_toolkit.testing.disks import FailingDisk

Gantk = Callable[..., Any]


def test_the_list_names_recipes_with_summary_and_variants(gantk: Gantk) -> None:
    found = json.loads(gantk("recipe", "list", "--json").stdout)

    assert found
    assert all(entry["summary"] and entry["path"] for entry in found)
    shown = gantk("recipe", "list").stdout
    assert all(entry["name"] in shown for entry in found)


def test_show_prints_the_file_as_it_is(gantk: Gantk, recipe: Path) -> None:
    assert gantk("recipe", "show", recipe).stdout == recipe.read_text()


def test_show_resolved_has_every_value(gantk: Gantk, recipe: Path) -> None:
    text = gantk("recipe", "show", recipe, "--resolved").stdout

    assert 'use = "tiny_coin@1"' in text
    assert "critic_steps = 1" in text
    assert "variants" not in text


def test_show_with_changes_shows_their_effect(gantk: Gantk, recipe: Path) -> None:
    result = gantk("recipe", "show", recipe, "--variant", "long", "--unset", "measures.two")

    assert "steps = 100000" in result.stdout
    assert "tiny_two" not in result.stdout


def test_what_is_unset_can_be_set_anew(gantk: Gantk, recipe: Path) -> None:
    result = gantk(
        "recipe", "show", recipe, "--set", "run.seed=9", "--unset", "run.seed", "--resolved"
    )

    assert "seed = 9" in result.stdout


def test_origins_say_where_each_value_comes_from(gantk: Gantk, recipe: Path) -> None:
    result = gantk("recipe", "show", recipe, "--origins", "--set", "run.seed=2", "--json")

    origins = {entry["key"]: entry["origin"] for entry in json.loads(result.stdout)}
    assert origins["run.seed"] == "--set #1"
    assert origins["run.steps"].endswith("tiny.toml:6")
    assert origins["data.grey"] == "default of dataset 'tiny_dots'"


def test_validate_checks_variants(gantk: Gantk, recipe: Path) -> None:
    result = gantk("recipe", "validate", recipe)

    assert result.exit_code == 0
    assert result.stdout == f"{recipe}: well, 2 variants: cpu, long\n"


def test_validate_says_all_that_is_wrong_in_any_variant(gantk: Gantk, recipe: Path) -> None:
    text = recipe.read_text().replace("seed = 1", "sede = 1").replace("100_000", "0")
    recipe.write_text(text)

    result = gantk("recipe", "validate", recipe)

    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert "sede" in lines[0]
    assert "run.steps" in lines[-2]
    assert lines[-1].startswith(f"{len(lines) - 1} errors")


def test_validate_goes_on_after_a_bad_recipe(gantk: Gantk, recipe: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("format = ")

    result = gantk("recipe", "validate", bad, recipe)

    assert result.exit_code == 2
    assert f"{recipe}: well" in result.stdout
    assert "not TOML" in result.stderr


def test_validate_build_finds_what_does_not_fit(gantk: Gantk, recipe: Path) -> None:
    well = gantk("recipe", "validate", "--build", recipe)
    recipe.write_text(recipe.read_text().replace('code = "code"', 'code = "cod"'))
    bad = gantk("recipe", "validate", "--build", recipe)

    assert well.exit_code == 0
    assert "tiny_images" in well.stderr
    assert bad.exit_code != 0


def test_copy_never_overwrites(gantk: Gantk, recipe: Path) -> None:
    first = gantk("recipe", "copy", recipe, "mine.toml")
    again = gantk("recipe", "copy", recipe, "mine.toml")

    assert first.stdout == "mine.toml\n"
    assert Path("mine.toml").read_text() == recipe.read_text()
    assert again.exit_code == 2
    assert "mine.toml exists" in again.stderr


def test_copy_into_a_folder_keeps_the_name(gantk: Gantk, recipe: Path) -> None:
    Path("there").mkdir()

    assert gantk("recipe", "copy", recipe, "new/folder/").stdout == "new/folder/tiny.toml\n"
    assert gantk("recipe", "copy", recipe, "there").stdout == "there/tiny.toml\n"
    assert gantk("recipe", "copy", recipe, "new/mine.toml").stdout == "new/mine.toml\n"


def test_a_copy_is_run_with_a_command_that_can_be_pasted(gantk: Gantk, recipe: Path) -> None:
    assert "gantk run 'a b.toml'" in gantk("recipe", "copy", recipe, "a b.toml").stderr


def test_a_copy_that_can_not_be_written_leaves_nothing(
    gantk: Gantk, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").write_text("")
    below = gantk("recipe", "copy", recipe, "file/mine.toml")
    monkeypatch.setattr(files, "disk", FailingDisk(1))
    full = gantk("recipe", "copy", recipe, "mine.toml")

    assert (below.exit_code, full.exit_code) == (8, 8)
    assert below.stderr == "gantk: file is not a folder; choose another\n"
    assert full.stderr.startswith("gantk: disk full: mine.toml: needed ")
    assert not list(Path().glob("*mine.toml")) + list(Path().glob(".tmp*"))


@pytest.mark.skipif(os.name == "nt", reason="named pipes")
@pytest.mark.parametrize("command", [("run",), ("recipe", "show"), ("recipe", "copy")])
def test_a_pipe_is_refused_and_not_waited_for(gantk: Gantk, command: tuple[str, ...]) -> None:
    os.mkfifo("pipe")

    result = gantk(*command, "pipe")

    assert result.exit_code == 2
    assert result.stderr == "gantk: pipe is not a regular file; a recipe is one, or - for stdin\n"


@pytest.mark.parametrize("command", ["show", "validate", "copy"])
def test_an_unknown_name_is_exit_2(gantk: Gantk, command: str) -> None:
    result = gantk("recipe", command, "nothing_like_it")

    assert result.exit_code == 2
    assert "nothing_like_it" in result.stderr


@pytest.mark.parametrize(
    ("top", "text", "code"),
    [
        ('extends = "mine.toml"', "mine.toml:1: extends: circle mine.toml -> mine.toml; remove", 2),
        ('extends = "gone.toml"', 'mine.toml:1: extends: there is no file "gone.toml" in ', 2),
        ('extends = "tiny:gone"', "mine.toml:1: extends: no recipe is named 'tiny:gone'", 2),
        ('requires = ["worlds>=99"]', "mine.toml:1: requires: worlds ", 3),
        ('requires = ["absent"]', "mine.toml:1: requires: absent is not installed; the recipe", 3),
    ],
)
def test_what_a_recipe_builds_on_or_needs_must_be_there(
    gantk: Gantk, recipe: Path, top: str, text: str, code: int
) -> None:
    Path("mine.toml").write_text(f"{top}\n{recipe.read_text()}")

    for command in ("validate", "show"):
        options = ("--resolved",) if command == "show" else ()
        result = gantk("recipe", command, "mine.toml", *options)

        assert result.exit_code == code
        assert result.stderr.startswith(text)
        assert result.stderr.count("\n") == 1


def test_recipes_of_a_plugin_are_listed_shown_and_extended(gantk: Gantk, recipe: Path) -> None:
    folder = Path("brought")
    folder.mkdir()
    (folder / "dots.toml").write_text(recipe.read_text())
    Path("bringer.py").write_text(
        "from gan_toolkit import hookimpl\n"
        "@hookimpl\n"
        f"def gantk_recipes():\n    return [{str(folder.absolute())!r}]\n"
    )
    Path("child.toml").write_text('extends = "bringer:dots"\nname = "child"\n')

    listed = gantk("-P", "./bringer.py", "recipe", "list").stdout
    shown = gantk("-P", "./bringer.py", "recipe", "show", "bringer:dots").stdout
    checked = gantk("-P", "./bringer.py", "recipe", "validate", "child.toml")

    assert "bringer:dots" in listed
    assert shown == recipe.read_text()
    assert checked.stdout == "child.toml: well, 2 variants: cpu, long\n"


def test_validate_build_pushes_a_batch_of_shapes_through(gantk: Gantk, recipe: Path) -> None:
    text = (
        recipe.read_text()
        .replace('"tiny_images"', '"mlp"')
        .replace("[measures.two]", "[measures.a]")
    )
    recipe.write_text(text.replace('"tiny_judge"', '"dcgan"'))

    result = gantk("recipe", "validate", "--build", recipe)

    assert result.exit_code == 2, result.stderr
    assert "critic" in result.stderr or "generator" in result.stderr
    assert gantk("recipe", "validate", recipe).exit_code == 0


def test_a_terminal_is_shown_no_control_characters(
    gantk: Gantk, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe.write_text(recipe.read_text() + "# \x9b2J\u202e loud\n", "utf-8")
    monkeypatch.setattr("gan_toolkit.cli.recipe.is_terminal", lambda _: True)

    shown = gantk("recipe", "show", recipe).stdout

    assert shown.endswith("\n# 2J loud\n")
