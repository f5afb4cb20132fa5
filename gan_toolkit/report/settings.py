"""The recipe as the page shows it: every value, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One value of the recipe, and where it comes from."""

    key: str
    value: str
    origin: str
    given: bool
    """Whether somebody wrote it; else it is a default."""


def settings(
    tables: Mapping[str, Any], places: Mapping[str, str], written: Mapping[str, str]
) -> Iterator[tuple[str, list[Setting]]]:
    """Yield the tables of the resolved recipe, each component in one of its own.

    `written` stands in place of values that came from the environment of one machine: they are
    nobody's business elsewhere.
    """

    def rows(table: Mapping[str, Any], above: str) -> list[Setting]:
        found = []
        for path, value in _leaves(table, ""):
            origin = _nearest(places, f"{above}.{path}")
            shown = written.get(f"{above}.{path}", _toml(value))
            given = not origin.startswith("default")
            found.append(Setting(path, shown, _in_short(origin), given))
        return found

    for key, value in tables.items():
        if not isinstance(value, dict):
            continue
        inner = {} if "use" in value else {k: v for k, v in value.items() if isinstance(v, dict)}
        for name, table in inner.items():
            yield f"{key}.{name}", rows(table, f"{key}.{name}")
        if rest := {k: v for k, v in value.items() if k not in inner}:
            yield key, rows(rest, key)


def _leaves(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def _nearest(places: Mapping[str, str], key: str) -> str:
    """Return where a value comes from: its own place, or that of the table it stands in."""
    while key:
        if key in places:
            return places[key]
        key = key.rpartition(".")[0]
    return ""


def _in_short(origin: str) -> str:
    """Return an origin without what the page says elsewhere, or what nobody can look up in it."""
    if origin.startswith("--"):
        return "command line"
    return "default" if origin.startswith("default") else origin


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)
