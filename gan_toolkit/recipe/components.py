"""From the table of a component to what it chooses, every fault noted on the way."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gan_toolkit.errors import ExitCode, PluginError, Problem, did_you_mean
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.chosen import Chosen
from gan_toolkit.recipe.expectation import found
from gan_toolkit.recipe.keys import KIND_OF_SECTION, keys_of
from gan_toolkit.recipe.marks import prepare
from gan_toolkit.recipe.merging import Tree, switched_off
from gan_toolkit.recipe.messages import complaints, keys_in, unknown_key
from gan_toolkit.recipe.options import Choice, Options
from gan_toolkit.recipe.paths import AnyPath, dotted
from gan_toolkit.recipe.requirements import trouble_of
from gan_toolkit.recipe.used import Used
from gan_toolkit.registry import Component, UnknownComponent, UnreadableVersion

ENOUGH = 100
"""Problems after which further dangling references are not looked into."""
MOST_NAMES = 4096
"""Names in one section, each latent of a `count` included: all are looked through and listed."""
LISTED = 20
"""Names that a message lists."""


class _Failed(Choice):
    """Stands for a schedule that was refused, so that the refusal is told once."""

    def to_dict(self) -> dict[str, Any]:
        raise LookupError("a refused schedule is never written")


@dataclass
class ComponentReader:
    """Reads tables of a merged recipe; what is wrong goes to `problems`."""

    tree: Tree
    host: PluginHost
    problems: dict[Problem, None] = field(default_factory=dict)
    """In the order they were found, each once."""
    notes: list[str] = field(default_factory=list)
    silenced: set[AnyPath] = field(default_factory=set)
    """Paths whose fault has been told already."""
    _names: dict[str, dict[str, None]] = field(default_factory=dict)

    def complain(self, path: AnyPath, text: str, code: ExitCode = ExitCode.RECIPE) -> None:
        """Note a problem, once."""
        if path not in self.silenced:
            origin = self.tree.origin(path)
            self.problems[Problem(origin.order, origin.place, dotted(path), text, code)] = None

    def choose(self, kind: str, path: AnyPath, table: Any) -> Chosen | None:
        """Return what a table chooses, or None when something is wrong with it."""
        component = self._component(kind, path, table)
        return None if component is None else self._read(component, path, table)

    def validate(
        self,
        model: type[Options],
        raw: dict[str, Any],
        path: AnyPath,
        component: Component | None = None,
    ) -> Any:
        """Return the options in a raw table, or None."""
        prepared = prepare(model, raw, path, self)
        try:
            return model.model_validate(prepared)
        except ValidationError as error:
            for inner, text in complaints(error, model, prepared):
                self.complain((*path, *inner), text)
        except Exception as error:
            if component is None:
                raise
            raise PluginError(
                f"plugin {component.plugin!r}: the options of {component.kind} "
                f"{component.name!r} raised {type(error).__name__}: {error}"
            ) from error
        return None

    # --- what marked options ask -------------------------------------------------------------

    def refer(self, section: str, name: str, path: AnyPath) -> None:
        """Complain unless `section` has a table `name`."""
        known = self.names(section)
        if name in known or len(self.problems) >= ENOUGH:
            return
        kind = KIND_OF_SECTION.get(section, section.removesuffix("s"))
        text = f"no {kind} is named {name!r} in this recipe"
        tables = self.tree.table.get(section)
        if isinstance(tables, dict) and switched_off(tables.get(name.partition(".")[0])):
            text += ": its table says enabled = false"
        listed = ", ".join(sorted(known)[:LISTED]) or "none"
        listed += ", …" if len(known) > LISTED else ""
        self.complain(_without_index(path), f"{text}; known: {listed}{did_you_mean(name, known)}")

    def complete(self, text: str, path: AnyPath) -> str:
        """Return a path completed with the folder of its file; a default's is the current one."""
        there = _without_index(path)
        folder = self.tree.origin(there).folder if there in self.tree.origins else Path.cwd()
        completed = os.path.normpath(folder / text)
        if not _is_utf8(completed):
            # The recipe kept with the run could not be read again, and the run not be resumed.
            self.complain(
                path,
                f"it lies in {str(folder)!a}, a name that is not UTF-8; rename the folder",
            )
        return completed

    def schedule(self, table: dict[str, Any], path: AnyPath) -> Choice:
        """Return the schedule a table chooses."""
        return self.choose("schedule", path, table) or _Failed()

    def names(self, section: str) -> Collection[str]:
        """Return the names that references to a section may use, MOST_NAMES at most."""
        if section not in self._names:
            found = islice(self._each_name(section), MOST_NAMES + 1)
            self._names[section] = dict.fromkeys(found)
            if len(self._names[section]) > MOST_NAMES:
                self.complain((section,), f"too many, with each of a count; at most {MOST_NAMES}")
        return self._names[section]

    def _each_name(self, section: str) -> Iterator[str]:
        tables = self.tree.table.get(section)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if not switched_off(table):
                yield name
                count = table.get("count") if isinstance(table, dict) else None
                if section == "latents" and type(count) is int and count <= 1024:
                    yield from (f"{name}.{i}" for i in range(count))

    # --- the steps of choosing ---------------------------------------------------------------

    def _read(self, component: Component, path: AnyPath, table: dict[str, Any]) -> Chosen | None:
        kind, keys = component.kind, keys_of(component.kind)
        shared = {key: value for key, value in table.items() if key in keys_in(keys)}
        own = {key: value for key, value in table.items() if key not in {"use", *shared}}
        migrated = self._migrated(component, path, str(table["use"]), own)
        if migrated is None:
            return None
        known = self._known(component, path, migrated)
        options = self.validate(component.options, known, path, component)
        read_keys = self.validate(keys, shared, path)
        if options is None or read_keys is None:
            return None
        plugin = Used.read(str(table["use"])).plugin
        return Chosen(kind, dotted(path), str(path[-1]), component, options, read_keys, plugin)

    def _component(self, kind: str, path: AnyPath, table: Any) -> Component | None:
        offered = ", ".join(self.host.registry.names(kind)) or "none"
        use = table.get("use") if isinstance(table, dict) else None
        if not isinstance(table, dict):
            self.complain(path, f"{found(table)} is not a table; a table with 'use'")
        elif use is None:
            self.complain((*path, "use"), f"missing; one of: {offered}")
        elif not isinstance(use, str):
            self.complain((*path, "use"), f"{found(use)} is not a text; one of: {offered}")
        else:
            return self._named(kind, path, use)
        return None

    def _named(self, kind: str, path: AnyPath, use: str) -> Component | None:
        where = (*path, "use")
        used = Used.read(use)
        try:
            component = self.host.registry.get(kind, used.name)
        except UnknownComponent as error:
            self._complain_of_unknown(where, error)
            return None
        if used.plugin not in ("", component.plugin):
            self._complain_of_owner(where, component, used.plugin)
            return None
        if used.faulty:
            self.complain(where, f"{found(use)} is not a name; {component.pinned}")
            return None
        if used.name != component.name:
            place = self.tree.origin(where).place
            told = (
                f"{dotted(where)}: {used.name!r} is another name of {component.name!r}; write that"
            )
            self.notes.append(f"{place}: {told}" if place else told)
        return component

    def _complain_of_unknown(self, where: AnyPath, error: UnknownComponent) -> None:
        suspects = [
            f"{trouble} and may offer it; see: gantk plugins info {record.name}"
            for record in self.host.records
            if (trouble := trouble_of(record))
        ]
        parts = [
            f"no {error.kind} is named {error.name!r}",
            f"known: {', '.join(error.known) or 'none'}",
            *suspects,
        ]
        text = "; ".join(parts) + did_you_mean(error.name, error.known, cutoff=0.5)
        self.complain(where, text, ExitCode.PLUGIN if suspects else ExitCode.RECIPE)

    def _complain_of_owner(self, where: AnyPath, component: Component, plugin: str) -> None:
        """Say why the component of this name is not the one that is asked for."""
        text = f"{component.kind} {component.name!r} is offered by {component.plugin!r}"
        record = self.host.record_of(plugin)
        if record is None:
            known = [record.name for record in self.host.records]
            text += f"; no plugin is named {plugin!r}{did_you_mean(plugin, known)}"
        elif trouble := trouble_of(record):
            text += f"; {trouble}; see: gantk plugins info {plugin}"
        else:
            text += f', not by {plugin!r}; write "{component.plugin}:{component.name}"'
        code = ExitCode.PLUGIN if record and record.status != "loaded" else ExitCode.RECIPE
        self.complain(where, text, code)

    def _known(self, component: Component, path: AnyPath, own: dict[str, Any]) -> dict[str, Any]:
        """Return the options without the keys nobody reads, after complaining of those."""
        readable = keys_in(component.options)
        known = {"use"} | readable | keys_in(keys_of(component.kind))
        for key in own.keys() - readable:
            self.complain((*path, key), self._unknown(component, path, key, known))
        return {key: value for key, value in own.items() if key in readable}

    def _unknown(self, component: Component, path: AnyPath, key: str, known: set[str]) -> str:
        gone = self.tree.replaced.get(path)  # type: ignore[arg-type]
        if gone is not None:
            try:
                before = self.host.registry.get(component.kind, gone.use)
            except UnknownComponent:
                before = component
            if key in keys_in(before.options):
                whose = f"the table of {gone.file}" if gone.file else "the table"
                return (
                    f'not a key of {component.name!r}; {whose} (use = "{gone.use}") was replaced '
                    f"because 'use' changed; known: {', '.join(sorted(known))}"
                )
        return unknown_key(key, known)

    def _migrated(
        self, component: Component, path: AnyPath, use: str, own: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Return options of an older version as those of the installed one."""
        asked = int(Used.read(use).version or component.version)
        try:
            own = component.migrated(own, asked)
        except UnreadableVersion as error:
            self.complain((*path, "use"), str(error), ExitCode.PLUGIN)
            return None
        if asked < component.version:
            told = f"options of {component.name} version {asked} were read as {component.version}"
            self.notes.append(f"{dotted(path)}: {told}")
        return own


def _without_index(path: AnyPath) -> AnyPath:
    while path and isinstance(path[-1], int):
        path = path[:-1]
    return path


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
