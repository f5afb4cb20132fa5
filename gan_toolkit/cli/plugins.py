"""`gantk plugins`: what is installed, what it offers, and why something is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.check import check_plugins
from gan_toolkit.cli.components import check_kind
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.new import new_plugin
from gan_toolkit.cli.root import Root
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.streams import write
from gan_toolkit.cli.text import count_of, heading, put, put_json, table
from gan_toolkit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from gan_toolkit.plugins import PluginHost, PluginRecord


@click.group(cls=Group, short_help="The plugins that are installed.")
def plugins() -> None:
    """The plugins that are installed, and what became of each when it was loaded."""


plugins.add_command(check_plugins)
plugins.add_command(new_plugin)


@plugins.command("list", short_help="All plugins, with what they offer.")
@click.option(
    "--kind",
    shell_complete=completing.kinds,
    help="Only plugins that offer components of this kind.",
)
@click.option("--all", "everything", is_flag=True, help="Name every component.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_plugins(session: Session, *, kind: str | None, everything: bool, as_json: bool) -> None:
    """List plugins: name, version, status, components, milliseconds to load.

    Hooks for recipes and commands are called, so that one that raises is told.
    """
    host = session.host
    if kind is not None:
        check_kind(kind)
    records = host.records if kind is None else _offering(kind, host)
    _call_hooks(host)
    if as_json:
        put_json([facts_of(record, host) for record in records])
        return
    offer = _named if everything else _offer
    table(
        [(r.name, r.version or "-", r.status, offer(r, host), _ms(r)) for r in records],
        ("plugin", "version", "status", "offers", "ms"),
        right=[4],
    )
    for record in records:
        for line in filter(None, (record.reason, *record.notes)):
            put(f"{record.name}: {line}")


@plugins.command("info", short_help="One plugin in full.")
@click.argument("name", shell_complete=completing.installed)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def plugin_info(session: Session, name: str, *, as_json: bool) -> None:
    """Show the plugin NAME: where it comes from, its components, and its traceback if it failed.

    Hooks for recipes and commands are called, so that one that raises is told.
    """
    host = session.host
    _call_hooks(host)
    found = [record for record in host.records if name in (record.name, record.distribution)]
    if not found:
        names = [record.name for record in host.records]
        raise UsageError(
            f"no plugin is named {name!r}; known: {', '.join(names)}{did_you_mean(name, names)}"
        )
    if as_json:
        put_json([facts_of(record, host) for record in found])
        return
    for record in found:
        _show(record, host)


def _call_hooks(host: PluginHost) -> None:
    """Let those that raise leave a note."""
    host.recipes()
    host.add_commands(Root())


def _show(record: PluginRecord, host: PluginHost) -> None:
    facts = facts_of(record, host)
    shown = ("name", "distribution", "version", "target", "status", "reason", "milliseconds")
    rows = [(key, facts[key]) for key in shown if facts[key] not in ("", None)]
    rows.append(("hooks", ", ".join(facts["hooks"]) or "none"))
    table(rows + [("note", note) for note in record.notes])
    components = [c for c in host.registry.all() if c.plugin == record.name]
    if components:
        put()
        heading(count_of(len(components), "component"))
        table([(c.kind, c.name, c.summary) for c in components], indent="  ")
    if record.traceback:
        put()
        heading("Traceback")
        for line in record.traceback.splitlines():
            write(click.unstyle(line))


def facts_of(record: PluginRecord, host: PluginHost) -> dict[str, Any]:
    """Return a record as JSON."""
    components: dict[str, list[str]] = {}
    for component in host.registry.all():
        if component.plugin == record.name:
            components.setdefault(component.kind, []).append(component.name)
    return {
        "name": record.name,
        "distribution": record.distribution,
        "version": record.version,
        "target": record.target,
        "status": record.status,
        "reason": record.reason,
        "hooks": sorted(record.hooks),
        "components": components,
        "notes": list(record.notes),
        "milliseconds": round(record.milliseconds, 1),
    }


def _offering(kind: str, host: PluginHost) -> list[PluginRecord]:
    owners = {component.plugin for component in host.registry.all(kind)}
    return [record for record in host.records if record.name in owners]


def _named(record: PluginRecord, host: PluginHost) -> str:
    offered: dict[str, list[str]] = facts_of(record, host)["components"]
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in offered.items()) or "-"


def _offer(record: PluginRecord, host: PluginHost) -> str:
    kinds: dict[str, int] = {}
    for component in host.registry.all():
        if component.plugin == record.name:
            kinds[component.kind] = kinds.get(component.kind, 0) + 1
    return ", ".join(count_of(count, kind) for kind, count in kinds.items()) or "-"


def _ms(record: PluginRecord) -> str:
    return f"{record.milliseconds:.0f}" if record.status == "loaded" else "-"
