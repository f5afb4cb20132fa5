"""`gantk components`: what a recipe can name in `use`, and the options of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table
from gan_toolkit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from gan_toolkit.cli.fields import Option
    from gan_toolkit.registry import Component


@click.group(cls=Group, short_help="What a recipe can name in `use`.")
def components() -> None:
    """What a recipe can name in `use`, by kind, and the options of each."""


@components.command("list", short_help="All components, or those of one kind.")
@click.argument("kind", required=False, shell_complete=completing.kinds)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_components(session: Session, kind: str | None, *, as_json: bool) -> None:
    """List all components, or those of KIND."""
    registry = session.host.registry
    if kind is not None:
        check_kind(kind)
    found = registry.all(kind)
    if as_json:
        put_json([_brief(component) for component in found])
        return
    rows, last = [], ""
    for component in found:
        shown = component.kind if component.kind != last else ""
        last = component.kind
        rows.append((shown, component.name, component.plugin, component.summary))
    table(rows, ("kind", "name", "plugin", "what it is"))


@components.command("show", short_help="One component with its options.")
@click.argument("kind", shell_complete=completing.kinds)
@click.argument("name", shell_complete=completing.components)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def show_component(session: Session, kind: str, name: str, *, as_json: bool) -> None:
    """Show the component NAME of KIND, with type, default, range and meaning of each option."""
    from gan_toolkit.cli.fields import options_of
    from gan_toolkit.recipe.keys import keys_of
    from gan_toolkit.registry import UnknownComponent

    check_kind(kind)
    try:
        component = session.host.registry.get(kind, name)
    except UnknownComponent as error:
        known = ", ".join(error.known)
        raise UsageError(
            f"no {kind} is named {name!r}; known: {known}{did_you_mean(name, error.known, 0.5)}"
        ) from None
    own, shared_keys = options_of(component.options), options_of(keys_of(kind))
    if as_json:
        options = [vars(option) for option in own]
        keys = [vars(option) for option in shared_keys]
        put_json({**_brief(component), "options": options, "keys": keys})
        return
    heading(f"{component.kind} {component.name}")
    if component.summary:
        put(component.summary)
    put(f"plugin {component.plugin}, version {component.version}" + _aliases(component))
    _show_options("Options", own)
    _show_options(f"Keys of every {kind}", shared_keys)


def _show_options(title: str, options: list[Option]) -> None:
    if not options:
        return
    put()
    heading(title)
    for option in options:
        required = "required" if option.required else f"default {option.default}"
        facts = [option.type, option.range, required]
        table([(option.name, ", ".join(fact for fact in facts if fact))], indent="  ")
        if option.help:
            table([("", option.help)], indent="  ")


def _aliases(component: Component) -> str:
    return f", also called {', '.join(component.aliases)}" if component.aliases else ""


def _brief(component: Component) -> dict[str, Any]:
    return {
        "kind": component.kind,
        "name": component.name,
        "version": component.version,
        "plugin": component.plugin,
        "summary": component.summary,
        "aliases": list(component.aliases),
    }


def check_kind(kind: str) -> None:
    """Raise UsageError, with the nearest name, unless there are components of this kind."""
    from gan_toolkit.registry import KINDS

    if kind not in KINDS:
        raise UsageError(
            f"no kind is named {kind!r}; known: {', '.join(KINDS)}{did_you_mean(kind, KINDS)}"
        )
