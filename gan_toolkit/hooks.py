"""What a plugin may implement: the hooks, their arguments, and the version of this promise.

A new argument may be added to a hook at any time: an implementation receives those it names.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from gan_toolkit.errors import did_you_mean

if TYPE_CHECKING:
    import click

    from gan_toolkit.registry import Registry

PROJECT = "gan_toolkit"
"""Name of the markers and of the group of entry points."""

GANTK_API = (1, 0)
"""A plugin with another major number, or a higher minor one, is not loaded."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class SkipPlugin(Exception):
    """Raised by a plugin that doesn't want to be loaded here; its text is shown as the reason."""


class BrokenPlugin(Exception):
    """A plugin breaks the contract; the text is the reason shown."""


class IncompatiblePlugin(BrokenPlugin):
    """A plugin was made for another version of the plugin API."""


class Hooks:
    """The hooks."""

    @hookspec
    def gantk_register(self, registry: Registry) -> None:
        """Offer components; called once, when the plugin is loaded."""

    @hookspec
    def gantk_recipes(self) -> list[Path]:  # type: ignore[empty-body]
        """Return folders of recipes inside the package."""

    @hookspec
    def gantk_commands(self, cli: click.Group) -> None:
        """Add commands, one of the name "data check" to a group; import heavy things in bodies."""

    @hookspec
    def gantk_checks(self) -> list[tuple[str, bool, str]]:  # type: ignore[empty-body]
        """Return lines for `gantk doctor`: what was looked at, whether it is well, the remedy."""


def _arguments(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


SPECIFIED = {name: _arguments(hook) for name, hook in vars(Hooks).items() if name[:6] == "gantk_"}
"""The arguments of each hook."""


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hooks and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


def check_api(module: Any) -> None:
    """Raise IncompatiblePlugin or BrokenPlugin unless `module` fits this version of the API."""
    wanted = getattr(module, "GANTK_API", (1, 0))
    if not (isinstance(wanted, tuple) and [type(part) for part in wanted] == [int, int]):
        raise BrokenPlugin(f"GANTK_API must be two integers such as (1, 0); found {wanted!r}")
    if wanted[0] != GANTK_API[0] or wanted[1] > GANTK_API[1]:
        asked, ours = (".".join(map(str, version)) for version in (wanted, GANTK_API))
        raise IncompatiblePlugin(f"needs plugin API {asked}, this is {ours}")


def check_hooks(manager: pluggy.PluginManager, module: Any) -> list[str]:
    """Return the names of the hooks that `module` implements; BrokenPlugin names a wrong one.

    pluggy refuses most of this too, in three lines of which only the last says what is wrong, and
    looks for neither misspelt names nor forgotten markers of one plugin.
    """
    implemented = []
    for name in dir(module):
        if manager.parse_hookimpl_opts(module, name) is not None:
            _check_hook(name, getattr(module, name))
            implemented.append(name)
        elif name.startswith("gantk_") and inspect.isroutine(getattr(module, name)):
            raise BrokenPlugin(f"{name!r} lacks @hookimpl")
    return implemented


def _check_hook(name: str, function: Any) -> None:
    if name not in SPECIFIED:
        raise BrokenPlugin(f"unknown hook {name!r}{did_you_mean(name, SPECIFIED)}")
    for argument in _arguments(function):
        if argument not in SPECIFIED[name]:
            known = ", ".join(SPECIFIED[name]) or "none"
            raise BrokenPlugin(f"hook {name!r} has no argument {argument!r}; it has: {known}")
