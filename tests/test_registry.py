from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.errors import PluginError
from gan_toolkit.recipe.options import NoOptions, Options
from gan_toolkit.registry import KINDS, RegistrationError, Registry, UnknownComponent


class Sized(Options):
    size: int = 1


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    with made.owned_by("alpha"):
        made.add("latent", "beta", options=Sized, build="m:B", aliases=("old_beta",), summary="x")
        made.add("latent", "alpha", build="m:A")
        made.add("critic", "alpha", build="m:C", version=3)
    return made


def test_a_component_is_found_by_kind_and_name(registry: Registry) -> None:
    component = registry.get("latent", "beta")

    assert (component.plugin, component.options, component.summary) == ("alpha", Sized, "x")
    assert registry.get("latent", "alpha").options is NoOptions
    assert registry.get("critic", "alpha").pinned == "alpha@3"


def test_an_alias_leads_to_the_component_and_is_not_listed(registry: Registry) -> None:
    assert registry.get("latent", "old_beta").name == "beta"
    assert registry.names("latent") == ["alpha", "beta"]
    assert [(c.kind, c.name) for c in registry.all()] == [
        ("latent", "alpha"),
        ("latent", "beta"),
        ("critic", "alpha"),
    ]


def test_an_unknown_name_tells_what_is_known(registry: Registry) -> None:
    with pytest.raises(UnknownComponent, match="did you mean 'beta'") as caught:
        registry.get("latent", "bta")

    assert caught.value.known == ["alpha", "beta"]


def test_restore_forgets_what_came_after_the_snapshot(registry: Registry) -> None:
    snapshot = registry.snapshot()
    registry.add("latent", "gamma", build="m:G")

    registry.restore(snapshot)

    assert registry.names("latent") == ["alpha", "beta"]


@pytest.mark.parametrize("name", ["beta", "old_beta"])
def test_a_taken_name_is_refused_whole(registry: Registry, name: str) -> None:
    with pytest.raises(RegistrationError, match=f"latent '{name}' is already registered by alpha"):
        registry.add("latent", "new", build="m:N", aliases=(name,))

    assert "new" not in registry.names("latent")


class Reserved(Options):
    weight: float = 1.0


class Tupled(Options):
    betas: tuple[float, ...] | None = None


class Nested(Options):
    sizes: list[set[int]] = []  # noqa: RUF012 - pydantic copies it


class Located(Options):
    folder: Path | None = None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "regularizer"}, "no kind is named 'regularizer'.*did you mean 'regulariser'"),
        ({"name": "Upper"}, "'Upper': a name is lower-case"),
        ({"name": "a-b"}, "a name is lower-case"),
        ({"aliases": ("A",)}, "'A': a name is lower-case"),
        ({"build": "just.a.module"}, "build is 'package.module:Name'"),
        ({"build": "os:system('x')"}, "build is 'package.module:Name'"),
        ({"version": 0}, "version is an integer of at least 1"),
        ({"version": True}, "version is an integer of at least 1"),
        ({"options": dict}, "options must be a subclass"),
        ({"kind": "regulariser", "options": Reserved}, "'weight' is a key of the core"),
        ({"options": Tupled}, "option 'betas' is a tuple, which TOML has not"),
        ({"options": Nested}, "option 'sizes' is a set"),
        ({"options": Located}, "option 'folder' is a Path"),
    ],
)
def test_what_cannot_be_registered(change: dict[str, Any], text: str) -> None:
    registry = Registry()

    with pytest.raises(RegistrationError, match=text):
        registry.add(**{"kind": "latent", "name": "good", "build": "m:B", **change})

    assert registry.all() == []


def test_an_option_may_have_a_name_that_is_a_key_of_another_kind() -> None:
    registry = Registry()

    registry.add("latent", "good", options=Reserved, build="m:B")

    assert registry.names("latent") == ["good"]


def test_load_imports_the_builder() -> None:
    registry = Registry()
    registry.add("latent", "counter", build="collections:Counter")

    assert registry.get("latent", "counter").load()("aab") == {"a": 2, "b": 1}


@pytest.mark.parametrize("build", ["nothing_there:A", "collections:Nothing", "string:digits"])
def test_a_builder_that_cannot_be_loaded_names_plugin_and_text(build: str) -> None:
    registry = Registry()
    with registry.owned_by("boards"):
        registry.add("latent", "lost", build=build)

    with pytest.raises(PluginError, match=r"plugin 'boards'.*'lost'") as caught:
        registry.get("latent", "lost").load()

    assert build in str(caught.value)
    assert caught.value.exit_code == 3


class Shape:
    """Made in this process."""


def test_what_is_made_here_is_built_without_looking_for_it() -> None:
    registry = Registry()

    def inner() -> Shape:
        return Shape()

    registry.offer("latent", "shape", Shape, summary="a shape")
    registry.offer("latent", "inner", inner)
    registry.offer("latent", "part", partial(dict, a=1))

    assert registry.get("latent", "shape").load() is Shape
    assert registry.get("latent", "inner").load() is inner
    assert registry.get("latent", "part").load()() == {"a": 1}
    assert registry.get("latent", "shape").plugin == "here"


def test_a_cell_that_is_run_again_replaces_what_it_offered() -> None:
    registry = Registry()
    for made in (Shape, Counter):
        registry.offer("latent", "shape", made)

    assert registry.get("latent", "shape").load() is Counter
    assert registry.names("latent") == ["shape"]


def test_what_is_made_here_takes_no_name_of_a_plugin_nor_gives_up_its_own() -> None:
    registry = Registry()
    with registry.owned_by("boards"):
        registry.add("latent", "shape", build="collections:Counter")
    registry.offer("latent", "mine", Shape)

    with pytest.raises(RegistrationError, match="'shape' is already registered by boards"):
        registry.offer("latent", "shape", Shape)
    with pytest.raises(RegistrationError, match="'mine' is already registered by here"):
        registry.add("latent", "mine", build="collections:Counter")
    with pytest.raises(RegistrationError, match="no kind is named"):
        registry.offer("latnt", "shape", Shape)


def test_kinds_are_named_once() -> None:
    assert len(set(KINDS)) == len(KINDS) == 15
