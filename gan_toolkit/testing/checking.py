"""The checks of conformance without pytest: every plugin, every component, one finding a check.

The checks are the methods of the classes in `gan_toolkit.testing.conformance`; here they are only
called, and what they raise becomes a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple
from unittest import SkipTest

import click

from gan_toolkit.events import untouched_randomness
from gan_toolkit.plugin_records import PluginRecord, line_of
from gan_toolkit.plugins import PluginHost
from gan_toolkit.randomness import seed_globals
from gan_toolkit.registry import Component
from gan_toolkit.testing.assertions import said_by
from gan_toolkit.testing.conformance.kinds import CHECK, checks_in, checks_of, conformance_of
from gan_toolkit.testing.conformance.plugins import PluginConformance
from gan_toolkit.testing.conformance.trial import untried
from gan_toolkit.testing.printing import kept_quiet

Outcome = Literal["ok", "skipped", "failed"]


class Finding(NamedTuple):
    """What became of one check."""

    plugin: str
    component: str
    """As `kind name`; empty for the plugin itself."""
    check: str
    outcome: Outcome
    detail: str = ""
    printed: tuple[str, ...] = ()
    """The last lines of what was printed by a check that failed."""


def check_plugin(
    record: PluginRecord, host: PluginHost, cli: Callable[[], click.Group] = click.Group
) -> Iterator[Finding]:
    """Yield what is found of one plugin, and of each component it offers.

    `cli` makes the group that its commands are added to, which knows what names are taken.
    """
    if record.status != "loaded":
        wanted = record.status in ("blocked", "skipped") or record.quiet
        outcome: Outcome = "skipped" if wanted else "failed"
        yield Finding(record.name, "", "it loads", outcome, f"{record.status}: {record.reason}")
        return
    yield Finding(record.name, "", "it loads", "ok", f"{record.milliseconds:.0f} ms")
    yield _hooks(record, host, cli)
    components = [one for one in host.registry.all() if one.plugin == record.name]
    whole = _whole(record, components)
    for check in checks_in(PluginConformance):
        if check != PluginConformance.test_component.__name__:
            yield _finding(record.name, "", check, getattr(whole, check))
    for component in components:
        yield from _check_component(record.name, component, host)


def _check_component(plugin: str, component: Component, host: PluginHost) -> Iterator[Finding]:
    named = f"{component.kind} {component.name}"
    checks = checks_of(component)
    if not checks:
        yield Finding(plugin, named, "it keeps its contract", "skipped", untried(component))
    for check in checks:

        def call(check: str = check) -> None:
            getattr(conformance_of(component, host.registry), check)()

        yield _finding(plugin, named, check, call)


def _finding(plugin: str, component: str, check: str, call: Callable[[], object]) -> Finding:
    """Call a check; only KeyboardInterrupt gets out, and nothing is printed."""
    with kept_quiet() as printed:
        outcome, detail = _outcome(call)
    words = check.removeprefix(CHECK).replace("_", " ")
    shown = tuple(printed) if outcome == "failed" else ()
    return Finding(plugin, component, words, outcome, detail, shown)


def _outcome(call: Callable[[], object]) -> tuple[Outcome, str]:
    try:
        with untouched_randomness():
            seed_globals(0)
            call()
    except KeyboardInterrupt:
        raise
    except SkipTest as reason:
        return "skipped", line_of(reason, always_named=True).partition(": ")[2]
    except AssertionError as error:
        return "failed", said_by(error)
    except BaseException as error:  # noqa: BLE001 - a plugin may raise what it likes
        return "failed", line_of(error, always_named=True)
    return "ok", ""


def _hooks(record: PluginRecord, host: PluginHost, cli: Callable[[], click.Group]) -> Finding:
    """Call the hooks that are contained when they raise: what a user sees only as a note."""

    def call() -> None:
        host.recipes()
        host.checks()
        host.add_commands(cli())
        assert not record.notes, "; ".join(record.notes)

    return _finding(record.name, "", "its hooks do what they say", call)


def _whole(record: PluginRecord, components: Iterable[Component]) -> PluginConformance:
    offered = list(components)

    class Checked(PluginConformance):
        def module(self) -> str:
            return record.target

        def offered(self) -> list[Component]:
            return offered

        def test_offering_loads_no_torch(self) -> None:
            if record.target.endswith(".py"):
                raise SkipTest("a single file is loaded when it is asked for, not at every start")
            super().test_offering_loads_no_torch()

    return Checked()
