"""`gantk data`: the data sets on offer, and what one would be on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.group import Group
from gan_toolkit.cli.options import toml_value
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, heading, put, put_json, shape_of, table
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
    from gan_toolkit.interfaces import Dataset, Factor
    from gan_toolkit.registry import Component, Registry


@click.group(cls=Group, short_help="The data sets there are.")
def data() -> None:
    """The data sets a recipe can name, and what each is on this machine."""


@data.command("list", short_help="All data sets.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_data(session: Session, *, as_json: bool) -> None:
    """List all data sets, and the folder where files are looked for."""
    from gan_toolkit.folders import cache_folder, data_folder

    found = session.host.registry.all("dataset")
    if as_json:
        put_json([{"name": c.name, "plugin": c.plugin, "summary": c.summary} for c in found])
        return
    table([(c.name, c.plugin, c.summary) for c in found], ("data set", "plugin", "what it is"))
    put()
    table(
        [
            ("files are looked for in", f"{data_folder().absolute()} (GANTK_DATA)"),
            ("prepared data is kept in", f"{cache_folder().absolute()} (GANTK_CACHE)"),
        ]
    )


@data.command("info", short_help="One data set, as it is here.")
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One of its options.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def data_info(session: Session, name: str, settings: Sequence[str], *, as_json: bool) -> None:
    """Open the data set NAME and show its source, samples, classes and factors.

    A data set that is rendered is prepared first. Of one that is missing, show how to get it.
    """
    component = _component(session, name)
    options = _options(component, dict(map(_setting, settings)))
    try:
        dataset = _build(component, options, session.host.registry)
    except DataError as error:
        about = str(getattr(component.options, "about", ""))  # a plugin may have more to tell
        for line in () if as_json else about.splitlines():
            put(line)
        this = f"; more: {command('data', 'info', name)}"
        raise DataError(str(error).removesuffix(this)) from error
    facts = facts_of(dataset)
    if as_json:
        put_json(facts)
        return
    heading(dataset.name)
    shown = [(key, facts[key]) for key in ("source", "samples", "fingerprint", "notice")]
    shown.insert(2, ("shape", shape_of(dataset.sample_shape)))
    if dataset.classes:
        shown.insert(3, ("classes", _listed(dataset.classes)))
    table([(key, value) for key, value in shown if value not in ("", None)])
    if dataset.factors:
        put()
        heading("Factors")
        rows = [
            (f.name, f.kind, _span(f), "" if f.scored else "not scored") for f in dataset.factors
        ]
        table(rows, indent="  ")


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


def _component(session: Session, name: str) -> Component:
    from gan_toolkit.registry import UnknownComponent

    try:
        return session.host.registry.get("dataset", name)
    except UnknownComponent as error:
        known = ", ".join(error.known)
        raise UsageError(
            f"no data set is named {name!r}; known: {known}{did_you_mean(name, error.known, 0.5)}"
        ) from None


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
    """Build a data set as a run would; one that stands in for another finds it by `sibling`."""
    import inspect

    def sibling(use: str, **own: Any) -> Dataset:
        other = registry.get("dataset", use)
        return _build(other, dict(other.options(**own)), registry)

    builder = component.load()
    facts = {"sibling": sibling} if "sibling" in inspect.signature(builder).parameters else {}
    try:
        built: Dataset = builder(**options, **facts)
    except GantkError:
        raise
    except ValueError as error:
        raise DataError(f"{component.name}: {error}") from error
    except Exception as error:
        raised = f"raised {type(error).__name__}: {error}"
        whose = f"dataset {component.name!r} of plugin {component.plugin!r}"
        raise PluginError(f"{whose} {raised}") from error
    return built


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: write KEY=VALUE")
    return key.strip(), toml_value(value, f"--set {text}")


def _span(factor: Factor) -> str:
    if factor.values:
        return f"{len(factor.values)}: {_listed(factor.values)}"
    return f"{factor.low:g} to {factor.high:g} {factor.unit}".rstrip()


def _listed(names: Sequence[str]) -> str:
    """Return names in one line: a data set may have a thousand classes."""
    return ", ".join(names if len(names) <= 20 else (*names[:3], "...", names[-1]))
