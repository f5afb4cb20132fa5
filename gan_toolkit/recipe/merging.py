"""Layers of a recipe merged, weakest first, each value keeping the place it came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gan_toolkit.recipe.paths import AnyPath, KeyPath
from gan_toolkit.recipe.used import Used


@dataclass(frozen=True)
class Origin:
    """Where a value stands."""

    place: str
    """`file:line`, `--set #n`, or empty for a mapping."""
    order: int
    """What problems are sorted by."""
    folder: Path
    """What a relative path there is relative to."""
    file: str = ""


@dataclass(frozen=True)
class Replaced:
    """A table that gave way to one with another `use`."""

    use: str
    file: str


@dataclass
class Tree:
    """The merged tables of a recipe."""

    table: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    replaced: dict[KeyPath, Replaced] = field(default_factory=dict)

    def merge(self, table: dict[str, Any], origin_of: Callable[[KeyPath], Origin]) -> None:
        """Lay `table` over what is there.

        Tables are merged key by key, everything else is replaced, and so is a table whose `use`
        changes. A table keeps the place where it first appeared.
        """
        self._merge(self.table, table, (), origin_of)

    def origin(self, path: AnyPath) -> Origin:
        """Return where `path`, or the nearest key above it, stands."""
        for end in range(len(path), 0, -1):
            if found := self.origins.get(path[:end]):  # type: ignore[arg-type]
                return found
        return self.origins[()]

    def remove(self, path: KeyPath) -> bool:
        """Remove a key; return whether it was there."""
        *above, last = path
        table: Any = self.table
        for key in above:
            table = table.get(key) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last not in table:
            return False
        self._forget(path, table.pop(last))
        return True

    def _merge(
        self,
        into: dict[str, Any],
        table: dict[str, Any],
        above: KeyPath,
        origin_of: Callable[[KeyPath], Origin],
    ) -> None:
        for key, value in table.items():
            path = (*above, key)
            there = into.get(key)
            if isinstance(value, dict) and isinstance(there, dict):
                if not _use_changes(there, value):
                    self._merge(there, value, path, origin_of)
                    continue
                file = self.origin((*path, "use")).file
                self.replaced[path] = Replaced(_used(there), file)
            self._forget(path, there)
            self.origins[path] = origin_of(path)
            into[key] = value
            if isinstance(value, dict):
                into[key] = {}
                self._merge(into[key], value, path, origin_of)

    def _forget(self, path: KeyPath, value: Any) -> None:
        self.origins.pop(path, None)
        if isinstance(value, dict):
            for key, inner in value.items():
                self._forget((*path, key), inner)


def _use_changes(there: dict[str, Any], table: dict[str, Any]) -> bool:
    return "use" in there and "use" in table and _used(there) != _used(table)


def switched_off(table: Any) -> bool:
    """Return whether a table says `enabled = false`."""
    return isinstance(table, dict) and table.get("enabled") is False


def _used(table: dict[str, Any]) -> str:
    return Used.read(str(table["use"])).name
