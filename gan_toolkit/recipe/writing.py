"""Writing a recipe: options become TOML types, and those a document that reads back the same."""

from __future__ import annotations

import unicodedata
from datetime import date, time
from enum import Enum
from typing import Any

import tomlkit

from gan_toolkit.recipe.environment import escape
from gan_toolkit.recipe.options import Choice, Options, Secret


def plain(value: Any) -> Any:
    """Return options, and what they hold, as TOML types; what is None is left out."""
    if isinstance(value, Choice):
        return value.to_dict()
    if isinstance(value, Secret):
        return value.reference
    if isinstance(value, Options):
        fields = type(value).model_fields
        named = {field.alias or name: getattr(value, name) for name, field in fields.items()}
        return {key: plain(inner) for key, inner in named.items() if inner is not None}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, int | float | date | time):
        return value
    raise TypeError(f"a {type(value).__name__} can't be written to a recipe")


def toml(table: dict[str, Any]) -> str:
    """Return a document of a header for each component, its dicts in line.

    Control characters are escaped, those that TOML would let pass included: a terminal obeys them.
    """
    document = tomlkit.document()
    for key, value in table.items():
        document.add(tomlkit.key(key), _section(value))
    return "".join(map(_visible, tomlkit.dumps(document)))


def _visible(character: str) -> str:
    """Return a character as a basic string, the only kind we write, can hold it."""
    if character == "\n" or unicodedata.category(character)[0] != "C":
        return character
    return f"\\U{ord(character):08x}"


def in_line(value: Any) -> str:
    """Return one value as it stands behind a `=`; a table in braces."""
    return _in_line(value).as_string()


def _section(value: Any) -> Any:
    """Return a top-level value: a table, or a table of the tables that choose components."""
    if not isinstance(value, dict):
        return tomlkit.item(value)
    inner_tables = [isinstance(inner, dict) for inner in value.values()]
    nested = "use" not in value and bool(value) and all(inner_tables)
    section = tomlkit.table(is_super_table=nested)
    for key, inner in value.items():
        section.add(tomlkit.key(key), _section(inner) if nested else _in_line(inner))
    return section


def _in_line(value: Any) -> Any:
    if isinstance(value, dict):
        table = tomlkit.inline_table()
        for key, inner in value.items():
            table.add(tomlkit.key(key), _in_line(inner))
        return table
    if isinstance(value, list):
        array = tomlkit.array()
        for inner in value:
            array.append(_in_line(inner))
        return array
    return tomlkit.item(value)
