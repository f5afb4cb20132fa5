"""A registered component on trial: built by its `trial` options, apart from the user's data."""

from __future__ import annotations

import atexit
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, get_origin
from unittest import mock

import torch
from pydantic.fields import FieldInfo

from gan_toolkit.batches import ArrayDataset
from gan_toolkit.recipe.options import Options, Reference, Relative, marks_of
from gan_toolkit.registry import Component, Registry

NAMES = {"latents": "coin", "regularisers": "information"}
"""What a required reference to a table of the recipe refers to."""

Thing = TypeVar("Thing")


def untried(component: Component) -> str:
    """Return why a component can't be tried by its options alone, or nothing."""
    if component.trial:
        return ""
    if component.source is not None and component.source.needed:
        return f"it reads files: {component.source.what}"
    fields = component.options.model_fields.items()
    paths = [field.alias or name for name, field in fields if _is_needed_path(field)]
    return f"{paths[0]!r} is a path that only the user knows" if paths else ""


def _is_needed_path(field: FieldInfo) -> bool:
    return field.is_required() and any(isinstance(mark, Relative) for mark in marks_of(field))


def options_of(component: Component) -> Options:
    """Return the options of the trial: those of `trial`, defaults, and names of what is there.

    Raises AssertionError for an option that has neither a default nor a value in `trial`.
    """
    given = dict(component.trial)
    for name, field in component.options.model_fields.items():
        key = field.alias or name
        if key in given or not field.is_required():
            continue
        marks = list(marks_of(field))
        referred = [NAMES.get(mark.section, "") for mark in marks if isinstance(mark, Reference)]
        assert any(referred), f"option {key!r} has no default: say registry.add(..., trial={{...}})"
        given[key] = [referred[0]] if get_origin(field.annotation) is list else referred[0]
    return component.options.model_validate(given)


class Trial:
    """Builds one component again and again."""

    def __init__(self, component: Component, registry: Registry) -> None:
        self.component = component
        self.registry = registry

    @property
    def options(self) -> dict[str, Any]:
        """The options, as the builder takes them."""
        return dict(options_of(self.component))

    def build(self, base: type, **facts: Any) -> Any:
        """Build it with the facts that its signature names; it must be a `base`."""
        builder = self.component.load()
        wanted = inspect.signature(builder).parameters
        known = {name: fact for name, fact in facts.items() if name in wanted}
        with folders_of_its_own():
            built = builder(**self.options, **known)
        assert isinstance(built, base), f"it is built as a {type(built).__name__}"
        return built

    def fitting(self, given: Sequence[Thing], build: Callable[[Thing], object]) -> Thing:
        """Return the first of `given` that the builder does not refuse."""
        refusals = []
        for one in given:
            try:
                build(one)
            except ValueError as error:
                refusals.append(str(error))
            else:
                return one
        raise AssertionError(f"it refuses everything it was offered, at last: {refusals[-1]}")


def data_of(shape: tuple[int, ...]) -> ArrayDataset:
    """Return four empty samples of a shape."""
    dtype = torch.uint8 if len(shape) == 3 else torch.float32
    return ArrayDataset("empty", "synthetic", torch.zeros(4, *shape, dtype=dtype))


@cache
def _cache() -> str:
    folder = TemporaryDirectory(prefix="gantk-trial-")
    atexit.register(folder.cleanup)
    return folder.name


@contextmanager
def folders_of_its_own() -> Iterator[None]:
    """Keep prepared data of trials apart from the user's, and the user's data out of trials."""
    places = {"GANTK_CACHE": f"{_cache()}/cache", "GANTK_DATA": f"{_cache()}/data"}
    with mock.patch.dict(os.environ, places):
        yield
