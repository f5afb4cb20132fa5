"""What stands in `use`: `name`, `name@2`, `plugin:name` or `plugin:name@2`."""

from __future__ import annotations

from typing import Any, NamedTuple


class Used(NamedTuple):
    """The parts of a `use`, as they are written; each but the name may be empty."""

    plugin: str
    """Who must offer it."""
    name: str
    version: str
    """What stands behind the `@`, whatever it is."""
    pinned: bool
    """Whether there is an `@`."""

    @property
    def faulty(self) -> bool:
        """Whether no version stands behind the `@`."""
        number = self.version.isascii() and self.version.isdecimal() and len(self.version) < 10
        return self.pinned and not number

    @classmethod
    def read(cls, text: str) -> Used:
        """Take a `use` apart; any text will do."""
        whose, at, version = text.partition("@")
        plugin, _, name = whose.rpartition(":")
        return cls(plugin, name, version, bool(at))

    @classmethod
    def of(cls, table: Any) -> Used | None:
        """Return what a table says in `use`; None when it says nothing that can be read."""
        use = table.get("use") if isinstance(table, dict) else None
        return cls.read(use) if isinstance(use, str) else None
