"""One data set by its name: found, opened as a run would, and told of as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gan_toolkit.cli.options import toml_value
from gan_toolkit.cli.session import Session
from gan_toolkit.errors import (
    DataError,
    GantkError,
    PluginError,
    Problem,
    RecipeError,
    UsageError,
    did_you_mean,
)

if TYPE_CHECKING:
    from gan_toolkit.interfaces import Dataset
    from gan_toolkit.registry import Component, Registry
    from gan_toolkit.sources import Source


def component_of(session: Session, name: str) -> Component:
    """Return the data set NAME; UsageError with the nearest when there is none."""
    from gan_toolkit.registry import UnknownComponent

    try:
        return session.host.registry.get("dataset", name)
    except UnknownComponent as error:
        known = ", ".join(error.known)
        raise UsageError(
            f"no data set is named {name!r}; known: {known}{did_you_mean(name, error.known, 0.5)}"
        ) from None


def opened(session: Session, component: Component, settings: Sequence[str]) -> Dataset:
    """Build a data set with the options of `--set`."""
    options = _options(component, dict(map(_setting, settings)))
    return _build(component, options, session.host.registry)


def facts_of(dataset: Dataset) -> dict[str, Any]:
    """Return what there is to know of a data set, as JSON."""
    held_out = dataset.held_out()
    return {
        "name": dataset.name,
        "source": dataset.source,
        "samples": len(dataset),
        "held_out": None if held_out is None else len(held_out),
        "shape": list(dataset.sample_shape),
        "classes": list(dataset.classes),
        "factors": [{**vars(factor), "values": list(factor.values)} for factor in dataset.factors],
        "fingerprint": dataset.fingerprint(),
        "notice": dataset.notice,
    }


def published(source: Source | None) -> dict[str, Any] | None:
    """Return what a source says of the files of a data set, as JSON."""
    return None if source is None else dataclasses.asdict(source)


def _options(component: Component, settings: dict[str, Any]) -> dict[str, Any]:
    """Check options as a recipe would, and complain in its words."""
    from pydantic import ValidationError

    from gan_toolkit.recipe.messages import complaints

    try:
        return dict(component.options(**settings))
    except ValidationError as error:
        told = dict.fromkeys(complaints(error, component.options, settings))
        raise RecipeError(
            [
                Problem(order, f"--set {'.'.join(map(str, path))}", "", text)
                for order, (path, text) in enumerate(told)
            ]
        ) from None


def _build(component: Component, options: dict[str, Any], registry: Registry) -> Dataset:
    """Build a data set as a run would, and say what failed in the words of a command."""
    from gan_toolkit.assemble import build_dataset

    try:
        return build_dataset(registry, component, options)
    except GantkError:
        raise
    except ValueError as error:
        raise DataError(f"{component.name}: {error}") from error
    except Exception as error:
        raised = f"raised {type(error).__name__}: {error}"
        whose = f"dataset {component.name!r} of plugin {component.plugin!r}"
        raise PluginError(f"{whose} {raised}") from error


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write KEY=VALUE")
    return key.strip(), toml_value(value, f"--set {text}")
