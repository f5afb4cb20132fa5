"""What a key of a recipe is: which options model holds it, and whose that is.

A key is asked for as it stands in a recipe (`regularisers.information.weight`, `run.steps`), or by
kind and component (`latent.<component>.<key>`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.checking import TOP_KEYS
from gan_toolkit.recipe.expectation import Place, is_options
from gan_toolkit.recipe.keys import (
    KIND_OF_SECTION,
    KIND_OF_TABLE,
    Around,
    Choosing,
    Head,
    RunOptions,
    keys_of,
)
from gan_toolkit.recipe.messages import keys_in
from gan_toolkit.recipe.options import Options
from gan_toolkit.recipe.paths import KeyPath, dotted
from gan_toolkit.recipe.used import Used
from gan_toolkit.registry import KINDS, Component, UnknownComponent

CORE = "the core"


@dataclass(frozen=True)
class Explained:
    """An options model and one key of it; no key stands for the whole table."""

    owner: str
    """Who reads the key."""
    model: type[Options]
    key: str = ""


def explain(path: KeyPath, host: PluginHost, table: Mapping[str, Any] | None) -> list[Explained]:
    """Return what a key may be: several things when `table`, a resolved recipe, does not say.

    Raises UsageError, with the nearest, for a key that nothing has.
    """
    return _Question(path, host, table).answer()


class _Question:
    def __init__(self, path: KeyPath, host: PluginHost, table: Mapping[str, Any] | None) -> None:
        self.path = path
        self.host = host
        self.table = table

    def answer(self) -> list[Explained]:
        first, *rest = self.path
        if first == "variants" and len(rest) > 1:
            return _Question(tuple(rest[1:]), self.host, self.table).answer()
        for model in (Head, Around):
            if first in keys_in(model):
                return [Explained(CORE, model, first)]
        if first == "run":
            return self.within([(CORE, RunOptions)], rest)
        if kind := KIND_OF_TABLE.get(first):
            return self.chosen(kind, [first], rest)
        if kind := KIND_OF_SECTION.get(first):
            return self.chosen(kind, [first, *rest[:1]], rest[1:])
        if first in KINDS:
            return self.offered(first, rest)
        raise self.unknown(first, TOP_KEYS | {*KINDS})

    def chosen(self, kind: str, table: list[str], rest: list[str]) -> list[Explained]:
        """Explain what follows the table of a component."""
        names = self.host.registry.names(kind)
        if len(table) == 1 and table[0] in KINDS and rest and rest[0] in names:
            return self.offered(kind, rest)  # "generator" is a kind, too
        if self.table is None:
            if table[-1] in names:
                return self.offered(kind, [table[-1], *rest])
            return self.of(kind, self.host.registry.all(kind), rest)
        found: Any = self.table
        for key in table:
            if key not in found:
                raise self.unknown(key, found)
            found = found[key]
        used = Used.of(found)
        if used is None:
            return self.of(kind, [], rest)
        return self.of(kind, [self.component(kind, used.name)], rest)

    def offered(self, kind: str, rest: list[str]) -> list[Explained]:
        """Explain what follows a kind: the name of a component."""
        if not rest:
            return self.of(kind, [], rest)
        return self.of(kind, [self.component(kind, rest[0])], rest[1:])

    def component(self, kind: str, name: str) -> Component:
        try:
            return self.host.registry.get(kind, name)
        except UnknownComponent as error:
            raise self.unknown(name, error.known) from None

    def of(self, kind: str, components: list[Component], rest: list[str]) -> list[Explained]:
        """Explain a key in the table of one of some components."""
        core = [(CORE, model) for model in (Choosing, keys_of(kind))]
        own = [(f"{kind} {c.name!r} of plugin {c.plugin!r}", c.options) for c in components]
        if rest:
            return self.within([*core, *own], rest)
        whole = len(own) == 1 and own[0][1].model_fields
        return self.within(own if whole else core, rest)

    def within(self, models: list[tuple[str, type[Options]]], rest: list[str]) -> list[Explained]:
        """Explain a key that one of some models has, or all they have."""
        if not rest:
            return [Explained(owner, model) for owner, model in models if model.model_fields]
        key, *inner = rest
        found = [(owner, model) for owner, model in models if key in keys_in(model)]
        if not found:
            raise self.unknown(key, {key for _, model in models for key in keys_in(model)})
        if not inner:
            return [Explained(owner, model, key) for owner, model in found]
        return [one for owner, model in found for one in self.inside(owner, model, key, inner)]

    def inside(
        self, owner: str, model: type[Options], key: str, inner: list[str]
    ) -> list[Explained]:
        """Explain what follows an option: a key of a schedule, of a model, or a user's own."""
        place = Place.of(model).inner(key)
        assert place is not None, "a key of this model was asked for"
        if place.schedulable:
            return self.of("schedule", self.host.registry.all("schedule"), inner)
        if is_options(place.annotation):
            return self.within([(owner, place.annotation)], inner)
        if place.inner(inner[0]) is None:
            raise self.unknown(inner[0], ())
        return [Explained(owner, model, key)]

    def unknown(self, key: str, known: Iterable[str]) -> UsageError:
        names = sorted(known)
        near = did_you_mean(key, names)
        listed = f"; known: {', '.join(names)}" if names and not near else ""
        return UsageError(f"{dotted(self.path)}: there is no {key!r}{near or listed}")
