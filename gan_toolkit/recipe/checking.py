"""From merged tables to a Recipe, or to all that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gan_toolkit.errors import Problem
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.chosen import Chosen, Recipe
from gan_toolkit.recipe.components import ComponentReader
from gan_toolkit.recipe.environment import Unset, expand
from gan_toolkit.recipe.expectation import found
from gan_toolkit.recipe.finding import list_recipes
from gan_toolkit.recipe.keys import (
    KIND_OF_REQUEST,
    KIND_OF_SECTION,
    KIND_OF_TABLE,
    PLAYERS,
    Head,
    RunOptions,
    from_the_future,
    keys_of,
)
from gan_toolkit.recipe.merging import Tree, switched_off
from gan_toolkit.recipe.messages import keys_in, unknown_key
from gan_toolkit.recipe.options import EnvironmentText
from gan_toolkit.recipe.paths import AnyPath, dotted
from gan_toolkit.recipe.requirements import unmet

TOP_KEYS = keys_in(Head) | {"extends", "run", "variants", *KIND_OF_TABLE, *KIND_OF_SECTION}

NAME = re.compile(r"[a-z][a-z0-9_]*")
BAD_NAME = "not a name; lower-case letters, digits and _, a letter first"


def check(
    tree: Tree, host: PluginHost, environ: Mapping[str, str], facts: Mapping[str, Any]
) -> tuple[Recipe | None, list[Problem]]:
    """Return the recipe, if nothing is wrong, and the problems. `facts` go into it as they are."""
    reader = ComponentReader(tree, host)
    if newer := from_the_future(tree.table.get("format")):  # what else it says, we can't judge
        reader.complain(("format",), newer)
        return None, list(reader.problems)
    tree.table = _expanded(tree.table, (), environ, reader)
    for key in tree.table.keys() - TOP_KEYS:
        reader.complain((key,), unknown_key(key, TOP_KEYS))
    parts = {**_head(reader), "run": _run(reader)}
    parts |= {key: _table(reader, key, kind) for key, kind in KIND_OF_TABLE.items()}
    parts |= {key: _section(reader, key, kind) for key, kind in KIND_OF_SECTION.items()}
    _check_latents(reader)
    _check_players(reader)
    if reader.problems:
        return None, list(reader.problems)
    recipe = Recipe(**parts, **facts, notes=tuple(reader.notes))
    return _with_origins(recipe, tree), []


def choose(
    tree: Tree, host: PluginHost, environ: Mapping[str, str], keys: Sequence[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return what the tables and sections `keys` choose, and the problems; no other is read."""
    reader = ComponentReader(tree, host)
    tree.table = _expanded(tree.table, (), environ, reader)
    chosen: dict[str, Any] = {}
    for key in keys:
        if key in KIND_OF_TABLE:
            chosen[key] = _table(reader, key, KIND_OF_TABLE[key])
        else:
            chosen[key] = _section(reader, key, (KIND_OF_SECTION | KIND_OF_REQUEST)[key])
    return chosen, list(reader.problems)


def _expanded(
    value: Any, path: AnyPath, environ: Mapping[str, str], reader: ComponentReader
) -> Any:
    if isinstance(value, dict):
        return {k: _expanded(inner, (*path, k), environ, reader) for k, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(inner, (*path, i), environ, reader) for i, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return expand(value, environ)
    except Unset as error:
        reader.complain(path, str(error))
        reader.silenced.add(path)
        return value


def _head(reader: ComponentReader) -> dict[str, Any]:
    given = {key: value for key, value in reader.tree.table.items() if key in keys_in(Head)}
    if "name" not in given:
        names = [recipe.name for recipe in list_recipes(reader.host)]
        reader.complain(("name",), f'missing; a text such as "{names[0] if names else "first"}"')
        reader.silenced.add(("name",))
    head = reader.validate(Head, given, ())
    if head is None:
        return {}
    for why, code in unmet(head.requires, reader.host):
        reader.complain(("requires",), why, code)
    return dict(head)


def _run(reader: ComponentReader) -> RunOptions | None:
    table = reader.tree.table.get("run", {})
    if not isinstance(table, dict):
        reader.complain(("run",), f"{found(table)} is not a table; a table [run]")
        return None
    run: RunOptions | None = reader.validate(RunOptions, table, ("run",))
    return run


def _table(reader: ComponentReader, key: str, kind: str) -> Chosen | None:
    table = reader.tree.table.get(key)
    optional = "enabled" in keys_in(keys_of(kind))
    if optional and (table is None or switched_off(table)):
        return None
    if table is None:
        offered = ", ".join(reader.host.registry.names(kind)) or "none"
        reader.complain((key,), f"missing; a table [{key}] with 'use': {offered}")
        return None
    return reader.choose(kind, (key,), table)


def _section(reader: ComponentReader, key: str, kind: str) -> dict[str, Chosen]:
    chosen: dict[str, Chosen] = {}
    tables = reader.tree.table.get(key, {})
    if not isinstance(tables, dict):
        remedy = f"named tables such as [{key}.first]"
        reader.complain((key,), f"{found(tables)} is not a table; {remedy}")
        return chosen
    for name, table in tables.items():
        if not NAME.fullmatch(name):
            reader.complain((key, name), BAD_NAME)
        elif not switched_off(table) and (one := reader.choose(kind, (key, name), table)):
            chosen[name] = one
    return chosen


def _check_latents(reader: ComponentReader) -> None:
    tables = reader.tree.table.get("latents", {})
    if isinstance(tables, dict) and not reader.names("latents"):
        reader.complain(("latents",), "missing; at least one table such as [latents.noise]")


def _check_players(reader: ComponentReader) -> None:
    tables = reader.tree.table.get("optimisers", {})
    if not isinstance(tables, dict):
        return
    for player in PLAYERS:
        if player not in tables:
            offered = ", ".join(reader.host.registry.names("optimiser")) or "none"
            text = f"missing; a table [optimisers.{player}] with 'use': {offered}"
            reader.complain(("optimisers", player), text)
        elif isinstance(tables[player], dict) and tables[player].get("enabled") is False:
            text = "a player can't go without its optimiser; remove this line"
            reader.complain(("optimisers", player, "enabled"), text)
    for name in tables:
        if name not in PLAYERS:
            reader.complain(("optimisers", name), unknown_key(name, PLAYERS))


def _with_origins(recipe: Recipe, tree: Tree) -> Recipe:
    given = {path: origin.place for path, origin in tree.origins.items() if path}
    origins = {dotted(path): place for path, place in given.items() if path[0] != "variants"}
    whose = dict(_defaults(recipe))
    for path in _leaves(recipe.to_dict(), ()):
        if dotted(path) not in origins:
            table = next((w for n in (3, 2, 1) if (w := whose.get(dotted(path[:n])))), "the core")
            origins[dotted(path)] = f"default of {table}"
    written: dict[str, str] = {}
    for path, text in _references(tree.table, ()):
        before = written.get(dotted(path))
        written[dotted(path)] = text if before is None else f"{before}, {text}"
    return replace(recipe, origins=origins, written=written)


def _references(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what refers to the environment as it is written, at the key it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _references(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner, path)
    elif isinstance(value, EnvironmentText):
        yield path, value.written


def _defaults(recipe: Recipe) -> Iterator[tuple[str, str]]:
    for key in (*KIND_OF_TABLE, *KIND_OF_SECTION):
        part = getattr(recipe, key)
        for chosen in part.values() if isinstance(part, dict) else filter(None, [part]):
            yield chosen.table, f"{chosen.kind} {chosen.component.name!r}"


def _leaves(table: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)
