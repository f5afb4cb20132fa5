"""`gantk recipe diff`: what two recipes ask differently, by meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.options import recipe_changes
from gan_toolkit.cli.recipe_sides import Changes, Side, origin_of, read_side
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.recipe.difference import Change


class Row(NamedTuple):
    """A key that differs, with both values and where each comes from."""

    group: str
    key: str
    a: Any
    b: Any
    a_from: str
    b_from: str


@click.command(short_help="What two recipes ask differently.")
@click.argument("a", metavar="A", shell_complete=completing.recipes)
@click.argument("b", metavar="B", required=False, shell_complete=completing.recipes)
@recipe_changes
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def diff(
    session: Session,
    a: str,
    b: str | None,
    variants: tuple[str, ...],
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Show what B asks differently from A, once every value of both is written out.

    Each is a recipe, a run, or a model file. --variant, --set and --unset change B, which is A
    itself when it is not given. What a model file does not keep is not compared.

    The exit code is 0 whether they differ or not; for scripts, --json says `equal`.
    """
    changes = Changes(variants, settings, removals)
    if b is None and not changes:
        raise UsageError("there is nothing to compare with: give a second recipe, or --variant")
    if a == "-" and b in (None, "-"):
        raise UsageError("standard input can be read once only; give one side as a file")
    left, right = _sides(session, (a, b or a), changes)
    rows = [_row(change, left, right) for change in _compared(session, left, right)]
    if as_json:
        found = [row._asdict() for row in rows]
        put_json({"a": left.label, "b": right.label, "equal": not rows, "changes": found})
    elif rows:
        _show(rows, left.label, right.label)
    else:
        session.say(f"the same: {left.label} and {right.label} ask for the same run")


def _sides(session: Session, names: tuple[str, str], changes: Changes) -> tuple[Side, Side]:
    shareable = any(name.endswith(".safetensors") for name in names)
    left = read_side(names[0], session.host, shareable=shareable)
    right = read_side(names[1], session.host, changes, shareable=shareable)
    for note in dict.fromkeys((*left.notes, *right.notes)):
        session.say(note)
    return left, right


def _compared(session: Session, left: Side, right: Side) -> list[Change]:
    from gan_toolkit.recipe.difference import every_difference
    from gan_toolkit.tensorfile import SHARED

    tables: list[Mapping[str, Any]] = [left.table, right.table]
    if "model" in (left.what, right.what):
        left_out = [key for key in {**tables[0], **tables[1]} if key not in SHARED]
        tables = [{k: v for k, v in one.items() if k in SHARED} for one in tables]
        if left_out:
            session.say(f"not compared, as a model file has none: {', '.join(left_out)}")
    return every_difference(*tables)


def _row(change: Change, left: Side, right: Side) -> Row:
    from gan_toolkit.recipe.difference import group_of

    places = [
        "" if side.what == "model" else origin_of(change.path, side.origins)
        for side in (left, right)
    ]
    values = (change.old, change.new)
    a_from, b_from = (
        "" if value is None else place for value, place in zip(values, places, strict=True)
    )
    return Row(group_of(change.path), change.path, *values, a_from, b_from)


def _show(rows: Sequence[Row], left: str, right: str) -> None:
    put(f"a: {left}")
    put(f"b: {right}")
    for group in dict.fromkeys(row.group for row in rows):
        put()
        heading(group)
        cells = [
            (row.key, _shown(row.a), _shown(row.b), _place(row.a_from), _place(row.b_from))
            for row in rows
            if row.group == group
        ]
        table(cells, ("key", "a", "b", "a from", "b from"), indent="  ")


def _place(origin: str) -> str:
    """Return an origin, of a file only its name."""
    return re.sub(r"^.*[/\\]", "", origin) or "-"


def _shown(value: Any) -> str:
    from gan_toolkit.cli.fields import toml_of

    return "-" if value is None else toml_of(value)
