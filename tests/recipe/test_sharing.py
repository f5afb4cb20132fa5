"""What of a recipe may leave a machine, and reading only some of its tables again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import pytest
from pydantic import Field

from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Override, load_recipe, load_tables
from gan_toolkit.recipe.difference import is_free
from gan_toolkit.recipe.marks import local_keys
from gan_toolkit.recipe.options import Options, RecipePath, Secret

Write = Callable[..., str]


class Inner(Options):
    folder: RecipePath = "here"


class Everything(Options):
    path: RecipePath
    maybe: RecipePath | None = None
    several: list[RecipePath] = Field(default=[])
    token: Secret | None = None
    nested: Inner = Field(default_factory=Inner)
    renamed: RecipePath = Field(default="x", alias="from")
    width: Annotated[int, Field(ge=1)] = 1
    names: list[str] = Field(default=[])


def test_paths_and_secrets_are_found_wherever_they_stand() -> None:
    assert local_keys(Everything) == {"path", "maybe", "several", "token", "nested", "from"}


def test_a_shared_recipe_holds_no_path_and_no_secret(host: PluginHost, write: Write) -> None:
    boards = '[trackers.board]\nuse = "jsonl"\ntoken = "${env:TOKEN}"\ntitle = "t"\n'
    name = write(boards)
    changed = [Override('data.root="renders"')]

    recipe = load_recipe(name, host, overrides=changed, environ={"TOKEN": "secret"})
    shared = recipe.shareable()

    assert recipe.to_dict()["data"]["root"].endswith("/renders")
    assert shared["data"] == {"use": "chairs@1", "size": 64}
    assert shared["trackers"]["board"] == {"use": "jsonl@1", "title": "t"}
    assert shared["run"] == recipe.to_dict()["run"]


def test_some_tables_are_read_where_others_are_missing(host: PluginHost) -> None:
    tables = {"data": {"use": "chairs"}, "latents": 5, "generator": {"use": "nothing"}}

    chosen = load_tables(tables, host, ("data", "measures"), overrides=[Override("data.size=32")])

    assert chosen["data"].options.size == 32
    assert chosen["measures"] == {}


def test_what_is_wrong_with_them_is_told_with_its_switch(host: PluginHost) -> None:
    own = Override('measures.m={use="bund"}', given_to="--measure")

    with pytest.raises(RecipeError, match=r"(?s)--set #1: data.sise: .*--measure #1: .*'bound'"):
        load_tables(
            {"data": {"use": "chairs"}},
            host,
            ("data", "measures"),
            overrides=[Override("data.sise=32"), own],
        )


def test_a_file_of_a_stranger_gets_nothing_of_the_environment(host: PluginHost) -> None:
    tables = {"data": {"use": "chairs", "root": "${env:HOME}"}}

    with pytest.raises(RecipeError, match="environment variable HOME is not set"):
        load_tables(tables, host, ("data",), environ={})


@pytest.mark.parametrize(
    ("key", "free"),
    [
        ("measures", True),
        ("measures.bound.samples", True),
        ("name", True),
        ("run.steps", True),
        ("run.seed", False),
        ("names", False),
        ("data.use", False),
    ],
)
def test_what_enters_no_training_step(key: str, free: bool) -> None:
    assert is_free(key) is free
