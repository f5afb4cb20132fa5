from __future__ import annotations

from pathlib import Path

import pytest

from gan_toolkit.errors import UsageError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import finding
from gan_toolkit.recipe.finding import find_recipe, list_recipes


@pytest.fixture
def stocked(host: PluginHost, tmp_path: Path) -> PluginHost:
    brought = tmp_path / "brought"
    brought.mkdir()
    (brought / "base.toml").touch()
    host.recipes = lambda: [("boards", brought), ("gone", tmp_path / "gone")]  # type: ignore[method-assign]
    return host


def test_our_own_come_first_then_those_of_plugins(stocked: PluginHost) -> None:
    listed = list_recipes(stocked)

    assert [(recipe.name, recipe.origin) for recipe in listed] == [
        ("infogan-chairs", "gan-toolkit"),
        ("boards:base", "boards"),
    ]
    for recipe in listed:
        assert find_recipe(recipe.name, stocked) == recipe.path


def test_a_file_wins_over_a_name(stocked: PluginHost, tmp_path: Path) -> None:
    (tmp_path / "infogan-chairs").touch()

    assert find_recipe("infogan-chairs", stocked) == Path("infogan-chairs")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "infogan-chair",
            "no recipe is named 'infogan-chair'; known: infogan-chairs, boards:base; "
            "did you mean 'infogan-chairs'?",
        ),
        ("mine.tml.toml", "there is no file mine.tml.toml; did you mean 'mine.toml'?"),
        (
            "a_whole_folder.toml",
            "there is no file a_whole_folder.toml; recipes with a name: gantk recipe list",
        ),
        ("some/where", "there is no file some/where; recipes with a name: gantk recipe list"),
        ("a\0b", "no recipe is named 'a\\x00b'; known: infogan-chairs, boards:base"),
    ],
)
def test_nothing_of_that_name(name: str, text: str, stocked: PluginHost, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").touch()
    (tmp_path / "a_whole_folder.toml").mkdir()

    with pytest.raises(UsageError) as caught:
        find_recipe(name, stocked)

    assert str(caught.value) == text
    assert caught.value.exit_code == 2


def test_our_own_folder_is_in_the_package_or_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    package = tmp_path / "gan_toolkit"
    (package / "recipe").mkdir(parents=True)
    monkeypatch.setattr(finding, "__file__", str(package / "recipe" / "finding.py"))
    (tmp_path / "recipes").mkdir()

    assert finding.own_folder() is None
    (tmp_path / "pyproject.toml").touch()
    assert finding.own_folder() == tmp_path / "recipes"
    (package / "recipes").mkdir()
    assert finding.own_folder() == package / "recipes"
