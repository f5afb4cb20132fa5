"""`--set a.b=VALUE` and `--unset a.b`: the strongest layer, with the errors of a file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from gan_toolkit.recipe.paths import KeyPath
from gan_toolkit.recipe.tokens import TooMuch, check_limits


@dataclass(frozen=True)
class Override:
    """One change from the command line, as it was typed."""

    text: str
    unset: bool = False
    given_to: str = ""
    """Another switch than these two, for which it stands."""
    if_there: bool = False
    """Whether there may be nothing to unset."""

    @property
    def switch(self) -> str:
        """The switch it was given to."""
        return self.given_to or ("--unset" if self.unset else "--set")


def table_override(address: str, use: str, options: str, switch: str) -> Override:
    """Return the change that `switch` stands for: a table at `address` that chooses `use`.

    `options` are TOML `key = value` with commas between them; an empty `use` leaves the choice as
    it is.
    """
    chosen = f'use = "{use}"' if use else ""
    table = ", ".join(filter(None, (chosen, options.strip())))
    return Override(f"{address}={{{table}}}", given_to=switch)


class BadOverride(ValueError):
    """An override can't be read; `path` is its key as typed."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


def read_override(override: Override) -> tuple[KeyPath, Any]:
    """Return the key and the value of an override, None to unset; or raise BadOverride."""
    key, equals, value = override.text.partition("=")
    if override.unset:
        return read_key(override.text), None
    if not equals:
        raise BadOverride(key, f"has no value; {key}=VALUE")
    return read_key(key), _value(key.strip(), value)


def read_key(text: str) -> KeyPath:
    """Return the path of a dotted key as it is typed; BadOverride when it is none."""
    table = _parsed(f"{text.strip()} = 0")
    path = []
    while isinstance(table, dict) and len(table) == 1:
        ((key, table),) = table.items()
        path.append(key)
    if table != 0 or "\n" in text:
        raise BadOverride(text.strip(), "is not a key; dotted names such as run.steps")
    return tuple(path)


def _value(key: str, text: str) -> Any:
    table = _parsed(f"value = {text}")
    if table is None or set(table) != {"value"}:
        word = text.replace("\\", "\\\\").replace('"', '\\"')
        raise BadOverride(
            key, f"{text} is not a TOML value; a number, or a text in quotes: {key}='\"{word}\"'"
        )
    return table["value"]


def _parsed(text: str) -> Any:
    try:
        check_limits(text)
        return tomllib.loads(text)
    except (TooMuch, ValueError, RecursionError):
        return None
