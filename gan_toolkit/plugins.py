"""Loading plugins one by one, so that a broken one harms nobody but itself.

Each is loaded in a transaction: whatever it does, short of ending the process, leaves the registry
as it was before, and a record that says why.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_toolkit.discovery import Found, find_plugins, plugin_in_file, read_switches
from gan_toolkit.errors import PluginError
from gan_toolkit.hooks import (
    GANTK_API,
    BrokenPlugin,
    SkipPlugin,
    check_api,
    check_hooks,
    hookimpl,
    new_manager,
)
from gan_toolkit.plugin_records import PluginRecord, blame, line_of
from gan_toolkit.registry import Registry

if TYPE_CHECKING:
    import click

__all__ = [
    "GANTK_API",
    "Check",
    "PluginHost",
    "PluginRecord",
    "SkipPlugin",
    "hookimpl",
    "load_plugins",
]

STRICT = "GANTK_STRICT_PLUGINS"

_told: set[str] = set()  # each plugin is named on stderr once in a process


class Check(NamedTuple):
    """One line of `gantk doctor`."""

    plugin: str
    name: str
    well: bool
    remedy: str


class PluginHost:
    """The plugins, what they offer, and what became of them."""

    def __init__(
        self, records: Sequence[PluginRecord] = (), registry: Registry | None = None
    ) -> None:
        self.records = list(records)
        self.registry = registry or Registry()
        self._manager = new_manager()
        self._modules: dict[str, Any] = {}

    @property
    def failed(self) -> list[PluginRecord]:
        """The plugins that should be there and are not: suspects when a component is missing."""
        return [r for r in self.records if r.status in ("failed", "incompatible")]

    def add(self, found: Found) -> PluginRecord:
        """Load a plugin; the record says what became of it. Only KeyboardInterrupt gets out."""
        record = PluginRecord(found.name, found.target, found.distribution, found.version)
        self.records.append(record)
        started = time.perf_counter()
        snapshot = self.registry.snapshot()
        try:
            self._refuse_duplicate(record)
            if record.status == "loaded":
                self._load(found, record)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise what it likes
            self._modules.pop(found.name, None)
            if self._manager.has_plugin(found.name):
                self._manager.unregister(name=found.name)
            self.registry.restore(snapshot)
            blame(record, error)
        record.milliseconds = 1000 * (time.perf_counter() - started)
        return record

    def recipes(self) -> list[tuple[str, Path]]:
        """Return the folders of recipes that plugins bring, with their names."""
        folders = []
        for plugin in self._with("gantk_recipes"):
            with self._dropping(plugin, "gantk_recipes"):
                given = [Path(folder) for folder in self._call(plugin, "gantk_recipes") or ()]
                folders += [(plugin, folder) for folder in given]
        return folders

    def add_commands(self, cli: click.Group) -> None:
        """Let plugins add commands; one that raises, or takes a taken name, adds none."""
        for plugin in self._with("gantk_commands"):
            before = dict(cli.commands)
            with self._dropping(plugin, "gantk_commands", partial(_reset, cli, before)):
                self._call(plugin, "gantk_commands", cli=cli)
                for name, command in before.items():
                    if cli.commands.get(name) is not command:
                        raise BrokenPlugin(f"there is a command {name!r} already")

    def checks(self) -> list[Check]:
        """Return what plugins have to say in `gantk doctor`."""
        lines = []
        for plugin in self._with("gantk_checks"):
            with self._dropping(plugin, "gantk_checks"):
                given = self._call(plugin, "gantk_checks") or ()
                lines += [Check(plugin, str(n), bool(well), str(r)) for n, well, r in given]
        return lines

    def record_of(self, plugin: str) -> PluginRecord | None:
        """Return the record of a loaded plugin, or the first record of that name."""
        named = [record for record in self.records if record.name == plugin]
        return next((r for r in named if r.status == "loaded"), named[0] if named else None)

    # --- one plugin -------------------------------------------------------------------------

    def _refuse_duplicate(self, record: PluginRecord) -> None:
        for there in self.records[:-1]:
            if there.name == record.name and there.status not in ("blocked", "duplicate"):
                record.status = "duplicate"
                record.quiet = there.target == record.target
                record.reason = f"already provided by {there.distribution or there.target}"
                if not record.quiet:
                    record.reason += f" as {there.target}; block one of them"
                return

    def _load(self, found: Found, record: PluginRecord) -> None:
        # What a plugin prints must not get into the JSON on stdout.
        with contextlib.redirect_stdout(sys.stderr):
            module = found.load()
            check_api(module)
            record.hooks = tuple(check_hooks(self._manager, module))
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                self._manager.register(module, name=found.name)
            record.notes += [str(warning.message) for warning in told]  # a hook is on its way out
            self._modules[found.name] = module
            before = self.registry.snapshot()
            with self.registry.owned_by(found.name):
                if "gantk_register" in record.hooks:
                    self._call(found.name, "gantk_register", registry=self.registry)
        if not record.hooks:
            record.notes.append("implements no hook")
        new = {id(c) for c in self.registry.snapshot().values()} - {id(c) for c in before.values()}
        record.components = tuple(f"{c.kind} {c.name}" for c in self.registry.all() if id(c) in new)

    def _with(self, hook: str) -> list[str]:
        loaded = (record for record in self.records if record.status == "loaded")
        return [record.name for record in loaded if hook in record.hooks]

    def _call(self, plugin: str, hook: str, **arguments: Any) -> Any:
        """Call one plugin's hook: pluggy's call of all loses every result when one raises."""
        caller = getattr(self._manager.hook, hook)
        for implementation in caller.get_hookimpls():
            if implementation.plugin is self._modules[plugin]:
                wanted = {name: arguments[name] for name in implementation.argnames}
                with contextlib.redirect_stdout(sys.stderr):
                    return implementation.function(**wanted)
        raise LookupError(f"plugin {plugin!r} implements no {hook}")

    @contextlib.contextmanager
    def _dropping(
        self, plugin: str, hook: str, undo: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Contain a hook that raises: note it, undo what it did, don't call it again."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise what it likes
            record = self.record_of(plugin)
            assert record is not None, "hooks are called by the name of a record"
            record.notes.append(f"{hook} raised {line_of(error, always_named=True)}")
            record.hooks = tuple(name for name in record.hooks if name != hook)
            undo()


def load_plugins(
    switches: Sequence[str] = (),
    environ: Mapping[str, str] = os.environ,
    path: Sequence[str] | None = None,
) -> PluginHost:
    """Load the installed plugins and those of `switches`, the values of `-P`.

    `path` stands for `sys.path` in the search. Raises UsageError for a name nobody has, and, with
    GANTK_STRICT_PLUGINS set, PluginError when a plugin failed.
    """
    found = find_plugins(path)
    wanted, files = read_switches(switches, environ, found)
    host = PluginHost()
    for candidate in [*found, *map(plugin_in_file, files)]:
        if objection := wanted.objection(candidate):
            facts = (candidate.name, candidate.target, candidate.distribution, candidate.version)
            host.records.append(PluginRecord(*facts, status="blocked", reason=objection))
        else:
            host.add(candidate)
    _tell(host)
    if host.failed and environ.get(STRICT, "0") not in ("", "0"):
        names = ", ".join(repr(record.name) for record in host.failed)
        raise PluginError(f"{STRICT} is set, and these plugins failed to load: {names}")
    return host


def _tell(host: PluginHost) -> None:
    for line in filter(None, (record.trouble for record in host.records)):
        if line not in _told:
            _told.add(line)
            sys.stderr.write(f"gantk: {line}\n")


def _reset(cli: click.Group, commands: Mapping[str, Any]) -> None:
    cli.commands.clear()
    cli.commands.update(commands)
