"""`gantk data`: the data sets on offer, what one would be on this machine, and how to get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.data_sets import component_of, facts_of, opened, published
from gan_toolkit.cli.fetch import fetch
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.prepare import prepare
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.show import show
from gan_toolkit.cli.text import command, heading, put, put_json, shape_of, table
from gan_toolkit.errors import DataError, MissingFilesError, RecipeError

if TYPE_CHECKING:
    from gan_toolkit.interfaces import Factor
    from gan_toolkit.registry import Component

MADE_HERE = "made here"


@click.group(cls=Group, short_help="The data sets there are, and how to get them.")
def data() -> None:
    """The data sets a recipe can name, what each is on this machine, and how to get it."""


for _command in (fetch, prepare, show):
    data.add_command(_command)


@data.command("list", short_help="All data sets.")
@click.option("--here", is_flag=True, help="Only those that lack nothing, or no more than a part.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_data(session: Session, *, here: bool, as_json: bool) -> None:
    """List all data sets, whether each is here, and the folder where files are looked for.

    No file is opened: that names are there is all that is looked at.
    """
    from gan_toolkit.folders import cache_folder, data_folder

    found = [
        {"name": c.name, "plugin": c.plugin, "here": _held(c), "summary": c.summary}
        for c in session.host.registry.all("dataset")
    ]
    if here:
        found = [one for one in found if one["here"] != "no"]
    if as_json:
        put_json(found)
        return
    table(map(tuple, (one.values() for one in found)), ("data set", "plugin", "here", "what it is"))
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

    A data set that is rendered is prepared first. Of one that is missing, show how to get it, and
    exit with 4. Of one that must be told where its files are (--set 'root="pictures"'), show what
    it takes, and exit with 2.
    """
    component = component_of(session, name)
    try:
        dataset = opened(session, component, settings)
    except RecipeError:
        if not settings and not as_json:  # what an option must name, the card says
            _tell_missing(component, "", as_json=False)
        raise
    except MissingFilesError as error:
        cause = str(error).removesuffix(f"; more: {command('data', 'info', name)}")
        _tell_missing(component, cause, as_json=as_json)
        raise DataError(cause) from error
    facts = facts_of(dataset)
    if as_json:
        put_json({"opened": True, **facts, "published": published(component.source)})
        return
    heading(dataset.name)
    shown = [(key, facts[key]) for key in ("source", "samples", "fingerprint", "notice")]
    shown.insert(2, ("held out", facts["held_out"]))
    shown.insert(3, ("shape", shape_of(dataset.sample_shape)))
    if dataset.classes:
        shown.insert(4, ("classes", _listed(dataset.classes)))
    table([(key, value) for key, value in shown if value not in ("", None)])
    if dataset.factors:
        put()
        heading("Factors")
        rows = [
            (f.name, f.kind, _span(f), "" if f.scored else "not scored") for f in dataset.factors
        ]
        table(rows, indent="  ")


def _held(component: Component) -> str:
    from gan_toolkit.folders import data_folder

    source = component.source
    return source.held(data_folder()) if source and source.needed else MADE_HERE


def _tell_missing(component: Component, cause: str, *, as_json: bool) -> None:
    """Write to stdout what a person, or a program, can do about it."""
    if as_json:
        facts: dict[str, Any] = {"opened": False, "name": component.name, "cause": cause}
        put_json({**facts, "published": published(component.source)})
    elif component.source:
        for line in component.source.about().splitlines():
            put(line)


def _span(factor: Factor) -> str:
    if factor.values:
        return f"{len(factor.values)}: {_listed(factor.values)}"
    return f"{factor.low:g} to {factor.high:g} {factor.unit}".rstrip()


def _listed(names: Sequence[str]) -> str:
    """Return names in one line: a data set may have a thousand classes."""
    return ", ".join(names if len(names) <= 20 else (*names[:3], "...", names[-1]))
