"""What stands in `use`: `name`, `name@2`, `plugin:name` or `plugin:name@2`."""

from __future__ import annotations

from typing import NamedTuple


class Used(NamedTuple):
    """The parts of a `use`, as they are written; each but the name may be empty."""

    plugin: str
    """Who must offer it."""
    name: str
    version: str
    """What stands behind the `@`, whatever it is."""
    pinned: bool
    """Whether there is an `@`."""

    @classmethod
    def read(cls, text: str) -> Used:
        """Take a `use` apart; any text will do."""
        whose, at, version = text.partition("@")
        plugin, _, name = whose.rpartition(":")
        return cls(plugin, name, version, bool(at))
