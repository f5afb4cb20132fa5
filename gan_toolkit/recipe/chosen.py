"""A recipe, checked: what the rest of the toolkit sees of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gan_toolkit.recipe.keys import KIND_OF_SECTION, KIND_OF_TABLE, RunOptions
from gan_toolkit.recipe.marks import local_keys
from gan_toolkit.recipe.options import Choice, Options
from gan_toolkit.recipe.writing import plain, toml
from gan_toolkit.registry import Component

__all__ = ["Chosen", "Recipe", "RunOptions"]


@dataclass(frozen=True)
class Chosen(Choice):
    """A table that chooses a component, checked."""

    kind: str
    table: str
    """Its dotted path, such as "latents.shape"."""
    name: str
    """The last part of the path, such as "shape"."""
    component: Component
    options: Options
    """The component's own options."""
    shared: Any
    """The core's keys, an options model of the kind: weight, every, count, …"""
    plugin: str = field(default="", compare=False)
    """Who must offer it, if `use` says so."""

    def to_dict(self) -> dict[str, Any]:
        """Return the table with every value and a pinned `use`; `enabled` goes without saying."""
        keys = {key: value for key, value in plain(self.shared).items() if key != "enabled"}
        whose = f"{self.plugin}:" if self.plugin else ""
        return {"use": whose + self.component.pinned, **keys, **plain(self.options)}

    def shareable(self) -> dict[str, Any]:
        """Return the table without what means nothing on another machine: paths and secrets."""
        local = local_keys(type(self.options))
        return {key: value for key, value in self.to_dict().items() if key not in local}


@dataclass(frozen=True)
class Recipe:
    """A recipe, checked and complete. Two are equal when they ask for the same."""

    format: int
    name: str
    summary: str
    requires: list[str]
    run: RunOptions
    data: Chosen
    augments: dict[str, Chosen]
    latents: dict[str, Chosen]
    generator: Chosen
    critic: Chosen
    objective: Chosen
    regularisers: dict[str, Chosen]
    optimisers: dict[str, Chosen]
    averaging: Chosen | None
    panels: dict[str, Chosen]
    measures: dict[str, Chosen]
    trackers: dict[str, Chosen]
    variants: tuple[str, ...] = field(default=(), compare=False)
    """Names of the variants on offer."""
    applied: tuple[str, ...] = field(default=(), compare=False)
    """Names of the variants that were applied, in order."""
    source: str = field(default="", compare=False)
    """What messages call it."""
    text: str = field(default="", compare=False)
    """The file as given."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)
    """For each dotted path: `file:line`, `--set #n`, or whose default it is."""
    written: Mapping[str, str] = field(default_factory=dict, compare=False)
    """For each dotted path that was read from the environment: the text with its references."""
    notes: tuple[str, ...] = field(default=(), compare=False)
    """What the user should know: old names used, options migrated."""

    def to_dict(self) -> dict[str, Any]:
        """Return every value as TOML types, components pinned; variants and `extends` are gone.

        Secrets are the references they were read from. What would pass for a reference and is
        none has one more dollar, as in any recipe.
        """
        return self._whole(Chosen.to_dict)

    def shareable(self) -> dict[str, Any]:
        """Return the same without paths and secrets, which mean nothing on another machine."""
        return self._whole(Chosen.shareable)

    def components(self) -> Iterator[Chosen]:
        """Yield everything that is chosen, table by table."""
        for table in KIND_OF_TABLE:
            chosen: Chosen | None = getattr(self, table)
            if chosen is not None:
                yield chosen
        for section in KIND_OF_SECTION:
            yield from getattr(self, section).values()

    def component_of(self, section: str, name: str) -> str:
        """Return the pinned component behind a panel or measure: its own, or that of its term."""
        own = getattr(self, section).get(name) or self.regularisers.get(name.partition(".")[0])
        return "" if own is None else own.component.pinned

    def _whole(self, table_of: Callable[[Chosen], dict[str, Any]]) -> dict[str, Any]:
        whole = {key: plain(getattr(self, key)) for key in ("format", "name", "summary")}
        if self.requires:
            whole["requires"] = plain(self.requires)
        whole["run"] = plain(self.run)
        for key in ("data", "augments", "latents", "generator", "critic", "objective"):
            whole[key] = _tables(getattr(self, key), table_of)
        for key in ("regularisers", "optimisers", "averaging", "panels", "measures", "trackers"):
            whole[key] = _tables(getattr(self, key), table_of)
        return {key: value for key, value in whole.items() if value not in (None, {})}

    def to_toml(self) -> str:
        """Return the resolved recipe; read again, it gives an equal one."""
        return toml(self.to_dict())

    def digest(self) -> str:
        """Return the SHA-256 of the resolved recipe, in hexadecimal."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()


def _tables(
    value: Chosen | dict[str, Chosen] | None, table_of: Callable[[Chosen], dict[str, Any]]
) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return {name: table_of(chosen) for name, chosen in value.items()}
    return None if value is None else table_of(value)
