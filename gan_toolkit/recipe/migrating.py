"""A recipe of old brought up to date: its format, the names and the versions it pins.

Reading migrates too, each time; this changes the file once, and leaves its comments where they are.
A table that says only what it changes, in a variant or a child of `extends`, is migrated together
with what it changes, and keeps what then differs.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, NamedTuple

import tomlkit
from tomlkit.container import Container
from tomlkit.items import InlineTable, Item, Key, SingleKey, Table

from gan_toolkit.errors import ExitCode, Problem, RecipeError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.extending import merge_documents
from gan_toolkit.recipe.keys import (
    FORMAT,
    KIND_OF_SECTION,
    KIND_OF_TABLE,
    from_the_future,
    keys_of,
)
from gan_toolkit.recipe.messages import keys_in
from gan_toolkit.recipe.paths import KeyPath, dotted
from gan_toolkit.recipe.reading import Document
from gan_toolkit.recipe.used import Used
from gan_toolkit.recipe.writing import plain
from gan_toolkit.registry import Component, UnknownComponent, UnreadableVersion

FORMATS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For a format n, what turns the top-level keys of a recipe into those of format n + 1.

Format 1 is the first, so there is none yet.
"""


class Edit(NamedTuple):
    """A table that becomes another."""

    path: KeyPath
    old: dict[str, Any]
    new: dict[str, Any]


class Migrated(NamedTuple):
    """A recipe brought up to date."""

    text: str
    notes: list[str]
    """What was changed, a line each."""


def migrate(document: Document, host: PluginHost) -> Migrated:
    """Return the text of a recipe as one would write it today; the same text if nothing is old.

    What is merely wrong is left as it is. Raises RecipeError for what is newer than this toolkit
    or can't be migrated, PluginError when a plugin's own step fails.
    """
    edits = [*_of_format(document), *_of_components(document, host)]
    if not edits:
        return Migrated(document.text, [])
    expected: Any = deepcopy(document.table)
    for path, _, new in edits:
        _put(expected, path, new)
    text = _removed_and_set(_renamed(document.text, edits), edits)
    same = _canonical(tomllib.loads(text)) == _canonical(expected)
    assert same, "an edit changes what it names, and nothing else"
    return Migrated(text, [_note(document, edit) for edit in edits])


# --- what to change --------------------------------------------------------------------------


def _of_format(document: Document) -> Iterator[Edit]:
    found = document.table.get("format", FORMAT)
    if type(found) is not int or found < 1:
        return
    if text := from_the_future(found):
        raise _refused(document, ("format",), text, ExitCode.RECIPE)
    top = dict(document.table)
    for number in range(found, FORMAT):
        top = {**FORMATS[number](deepcopy(top)), "format": number + 1}
    if top != document.table:
        yield Edit((), document.table, top)


def _of_components(document: Document, host: PluginHost) -> Iterator[Edit]:
    own = document.table
    parents = merge_documents(replace(document, table=_only(own, "extends")), host).table
    merged = merge_documents(document, host).table
    for kind, path in _places(own):
        yield from _edited(document, host, kind, path, _at(parents, path))
    variants = own.get("variants")
    for name, variant in variants.items() if isinstance(variants, dict) else ():
        for kind, path in _places(variant):
            inside = ("variants", name, *path)
            yield from _edited(document, host, kind, inside, _at(merged, path))


def _places(tables: Any) -> Iterator[tuple[str, KeyPath]]:
    """Yield kind and path of each table that chooses a component."""
    if not isinstance(tables, dict):
        return
    for key, table in tables.items():
        if key in KIND_OF_TABLE and isinstance(table, dict):
            yield KIND_OF_TABLE[key], (key,)
        elif key in KIND_OF_SECTION and isinstance(table, dict):
            named = ((name, inner) for name, inner in table.items() if isinstance(inner, dict))
            yield from ((KIND_OF_SECTION[key], (key, name)) for name, _ in named)


def _edited(
    document: Document, host: PluginHost, kind: str, path: KeyPath, base: dict[str, Any]
) -> Iterator[Edit]:
    table = _at(document.table, path)
    use, below = Used.of(table), Used.of(base)
    chosen = use or below
    if chosen is None or any(used.faulty for used in (use, below) if used):
        return
    try:
        component = host.registry.get(kind, chosen.name)
        replaces = below is not None and below.name != chosen.name
        meant = _today(component, table if replaces else {**base, **table}, chosen)
        there = {}
        if below is not None and host.registry.get(kind, below.name) is component:
            there = _today(component, base, below)
        new = {**_use(use, component), **_difference(component, table, meant, there)}
    except UnknownComponent:
        return
    except UnreadableVersion as error:
        raise _refused(document, (*path, "use"), str(error), ExitCode.PLUGIN) from None
    except ValueError as error:
        raise _refused(document, path, str(error), ExitCode.RECIPE) from None
    if new != table:
        yield Edit(path, table, new)


def _use(use: Used | None, component: Component) -> dict[str, str]:
    """Return `use` as it would be written today, if it is written at all."""
    if use is None:
        return {}
    whose = f"{use.plugin}:" if use.plugin else ""
    return {"use": whose + (component.pinned if use.pinned else component.name)}


def _today(component: Component, table: dict[str, Any], used: Used) -> dict[str, Any]:
    """Return the keys of a table without `use`, options as those of the installed version."""
    ours = keys_in(keys_of(component.kind))
    shared = {key: value for key, value in table.items() if key in ours}
    own = {key: value for key, value in table.items() if key not in {"use", *ours}}
    return shared | component.migrated(own, int(used.version or component.version))


def _difference(
    component: Component, table: dict[str, Any], meant: dict[str, Any], there: dict[str, Any]
) -> dict[str, Any]:
    """Return what a table must say over what is `there`, so that `meant` comes of both.

    A value that is there and not meant gives way to its default, which a table can only spell out.
    """
    said = {k: v for k, v in meant.items() if k in table or k not in there or there[k] != v}
    for key in there.keys() - meant.keys():
        said[key] = _default(component, key)
    return said


def _default(component: Component, key: str) -> Any:
    for model in (component.options, keys_of(component.kind)):
        for name, place in model.model_fields.items():
            if (place.alias or name) == key and not place.is_required():
                default = place.get_default(call_default_factory=True, validated_data={})
                if default is not None:
                    return plain(default)
    raise ValueError(f"{key!r} would have to go, and no value says so; write the table whole")


# --- changing the text -----------------------------------------------------------------------


def _renamed(text: str, edits: list[Edit]) -> str:
    """Give keys their new names where they stand, so that their comments stay beside them."""
    document = tomlkit.parse(text)
    for path, old, new in edits:
        table: Any = _at(document, path)
        names = dict(_pairs(old, new))
        body = _body(table)
        for place, (key, item) in enumerate(body):
            if isinstance(key, SingleKey) and key.key in names:
                space = key.as_string()[len(key.as_string().rstrip()) :]
                name = tomlkit.key(names[key.key]).as_string()
                body[place] = (SingleKey(names[key.key], sep=key.sep, original=name + space), item)
    return tomlkit.dumps(document)


def _body(table: Any) -> list[tuple[Key | None, Item]]:
    """Return keys, comments and blank lines of a table; nothing of one written in pieces."""
    if isinstance(table, Table | InlineTable):
        return table.value.body
    return table.body if isinstance(table, Container) else []


def _pairs(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which key took the place of which: by its value, or as the only one to come and go."""
    gone = {key: value for key, value in old.items() if key not in new}
    come = {key: value for key, value in new.items() if key not in old}
    for key, value in list(gone.items()):
        same = [name for name in come if come[name] == value]
        if len(same) == 1:
            yield key, same[0]
            del gone[key], come[same[0]]
    if len(gone) == len(come) == 1:
        yield from zip(gone, come, strict=True)


def _removed_and_set(text: str, edits: list[Edit]) -> str:
    document = tomlkit.parse(text)
    for path, _, new in edits:
        table: Any = _at(document, path)
        for key in [key for key in table if key not in new]:
            del table[key]
        for key, value in new.items():
            if key not in table or table[key] != value:
                table[key] = value
    return tomlkit.dumps(document)


# --- tables ----------------------------------------------------------------------------------


def _at(table: Any, path: KeyPath) -> Any:
    """Return the table at a path; an empty one where there is none."""
    for key in path:
        table = table.get(key) if isinstance(table, Mapping) else None
    return {} if table is None else table


def _canonical(table: dict[str, Any]) -> str:
    return json.dumps(table, sort_keys=True, default=str)


def _put(table: Any, path: KeyPath, new: dict[str, Any]) -> None:
    if not path:
        table.clear()
        table.update(new)
        return
    _at(table, path[:-1])[path[-1]] = new


def _only(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key in keys}


def _note(document: Document, edit: Edit) -> str:
    place, _ = document.place(edit.path)
    key = "use" if edit.path else "format"
    where = dotted((*edit.path, key))
    old, new = edit.old.get(key), edit.new.get(key)
    if old == new:
        return f"{place}: {dotted(edit.path)}: brought up to date with the table it changes"
    return f"{place}: {where}: {old!r} is now {new!r}"


def _refused(document: Document, path: KeyPath, text: str, code: ExitCode) -> RecipeError:
    place, line = document.place(path)
    return RecipeError([Problem(line, place, dotted(path), text, code)])
