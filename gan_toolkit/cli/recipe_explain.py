"""`gantk recipe explain`: what a key means, whose it is, and what a recipe makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.recipe_sides import Side, origin_of, read_side
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.cli.fields import Option
    from gan_toolkit.recipe.paths import KeyPath


@click.command(short_help="What a key of a recipe means.")
@click.argument("key", shell_complete=completing.keys)
@click.argument("source", metavar="RECIPE", required=False, shell_complete=completing.recipes)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def explain(session: Session, key: str, source: str | None, *, as_json: bool) -> None:
    """Say what KEY means, with type, default and range, and who reads it.

    KEY is as in a recipe, such as regularisers.information.weight or run.steps, or that of a
    component: latent.COMPONENT.KEY. With RECIPE, which may be a run or a model file, its value is
    shown too, and where that comes from.
    """
    path = _path(key)
    side = None if source is None else read_side(source, session.host)
    blocks = _blocks(path, session, side)
    value = {} if side is None else _value(path, side)
    if as_json:
        put_json({"key": key, "meanings": [_as_json(*block) for block in blocks], **value})
        return
    for number, (owner, option) in enumerate(blocks):
        if number:
            put()
        heading(option.name if len(blocks) > 1 else key)
        table([("", option.help)], indent="")
        table([*_rows(owner, option), *_shown(value if len(blocks) == 1 else {})], indent="  ")


def _path(key: str) -> KeyPath:
    from gan_toolkit.recipe.overrides import BadOverride, read_key

    try:
        return read_key(key)
    except BadOverride as error:
        raise UsageError(f"{error.path} {error}") from None


def _blocks(path: KeyPath, session: Session, side: Side | None) -> list[tuple[str, Option]]:
    """Return what a key may be, with all who read just that."""
    from gan_toolkit.cli.fields import options_of
    from gan_toolkit.recipe.explaining import explain as explained

    owners: dict[Option, dict[str, None]] = {}
    for one in explained(path, session.host, None if side is None else side.table):
        for option in options_of(one.model):
            if one.key in ("", option.name):
                owners.setdefault(option, {})[one.owner] = None
    return [(", ".join(whose), option) for option, whose in owners.items()]


def _value(path: KeyPath, side: Side) -> dict[str, Any]:
    """Return the value of a key, None where it is absent, and its origin; of tables, nothing."""
    from gan_toolkit.recipe.paths import dotted

    found: Any = side.table
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        return {}
    return {"value": found, "origin": origin_of(dotted(path), side.origins)}


def _rows(owner: str, option: Option) -> list[tuple[str, str]]:
    rows = [
        ("type", option.type),
        ("range", option.range),
        ("default", "none: it must be given" if option.required else option.default),
        ("read by", owner),
    ]
    return [(name, text) for name, text in rows if text]


def _shown(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    from gan_toolkit.cli.fields import toml_of

    if not value:
        return []
    rows = [("value", toml_of(value["value"])), ("from", value["origin"])]
    return [(name, text) for name, text in rows if text]


def _as_json(owner: str, option: Option) -> dict[str, Any]:
    return {"read_by": owner, **vars(option)}
