"""`gantk plugins check`: whether plugins keep what they promise, before a run finds out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.root import Root
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import count_of, heading, put, put_json, table, waiting
from gan_toolkit.errors import PluginError, UsageError

if TYPE_CHECKING:
    from gan_toolkit.testing.checking import Finding, Outcome

OUTCOMES: tuple[Outcome, ...] = ("ok", "skipped", "failed")


@click.command("check", short_help="Whether plugins keep what they promise.")
@click.argument("plugins", nargs=-1, metavar="[NAME|PATH]...", shell_complete=completing.installed)
@click.option("--all", "everything", is_flag=True, help="Show every check, those that passed too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def check_plugins(
    session: Session, plugins: tuple[str, ...], *, everything: bool, as_json: bool
) -> None:
    """Check plugins and each component they offer, as the conformance tests do.

    NAME is an installed plugin, PATH a folder with pyproject.toml or a .py file; without either,
    all plugins are checked. Components are built with the options of their trial. The exit code is
    3 when a check failed.
    """
    if not __debug__:
        raise UsageError("checks are assertions, which python -O leaves out: run it without -O")
    found = list(_findings(session, plugins))
    if as_json:
        put_json([finding._asdict() for finding in found])
    else:
        _show(found, everything=everything)
    failed = sum(finding.outcome == "failed" for finding in found)
    if failed:
        raise PluginError(f"{failed} of {count_of(len(found), 'check')} failed")


def _findings(session: Session, words: Sequence[str]) -> Iterator[Finding]:
    from gan_toolkit.testing.checking import check_plugin
    from gan_toolkit.testing.installed import entry_points, records_of

    host = session.host
    asked = [record for word in words for record in records_of(word, host)]
    compared: set[str] = set()
    for record in asked or list(host.records):
        with waiting(f"checking {record.name}"):
            yield from check_plugin(record, host, Root)
            if record.distribution not in compared:
                compared.add(record.distribution)
                yield from entry_points(record)


def _show(found: Sequence[Finding], *, everything: bool) -> None:
    if everything:
        header = ("plugin", "component", "check", "outcome", "")
        table([(f.plugin, f.component, f.check, f.outcome, f.detail) for f in found], header)
    else:
        _show_summary(found)
    for finding in found:
        if finding.printed:
            put()
            heading(f"Printed: {finding.component or finding.plugin}, {finding.check}")
            for line in finding.printed:
                put(f"  {line}")


def _show_summary(found: Sequence[Finding]) -> None:
    things = list(dict.fromkeys((f.plugin, f.component) for f in found))
    rows = [(*thing, *_counts(found, thing)) for thing in things]
    table(rows, ("plugin", "component", *OUTCOMES), right=range(2, 5))
    failed = [(f.plugin, f.component, f.check, f.detail) for f in found if f.outcome == "failed"]
    if failed:
        put()
        heading("Failed")
        table(failed)


def _counts(found: Sequence[Finding], thing: tuple[str, str]) -> list[str]:
    own = Counter(f.outcome for f in found if (f.plugin, f.component) == thing)
    return [str(own[outcome] or "-") for outcome in OUTCOMES]
