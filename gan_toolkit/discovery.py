"""Which plugins are there, and which of them are wanted; nothing is imported to find out."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType

from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.hooks import PROJECT, BrokenPlugin

ONLY = "GANTK_PLUGINS"
BLOCK = "GANTK_BLOCK_PLUGINS"


@dataclass(frozen=True)
class Found:
    """A plugin that could be loaded."""

    name: str
    target: str
    """The module, or the file, that is loaded."""
    distribution: str
    version: str
    load: Callable[[], ModuleType] = field(repr=False, compare=False)


def find_plugins(path: Sequence[str] | None = None) -> list[Found]:
    """Return the installed plugins, first-party ones first, then by name and distribution.

    So nobody takes a first-party name by sorting earlier. `path` stands for `sys.path`.
    """
    found: dict[tuple[str, str], Found] = {}
    installed = (
        metadata.distributions() if path is None else metadata.distributions(path=list(path))
    )
    for distribution in installed:
        for entry in _entries(distribution):
            name = normal(distribution.metadata["Name"] or "")
            # A distribution that stands twice on the path counts once, as in an import.
            found.setdefault((entry.name, name), _found(entry, name, distribution.version or ""))
    return sorted(
        found.values(), key=lambda f: (f.distribution != "gan-toolkit", f.name, f.distribution)
    )


def _entries(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    try:
        return [entry for entry in distribution.entry_points if entry.group == PROJECT]
    except Exception:  # noqa: BLE001 - anybody's damaged metadata; nobody can tell it is a plugin's
        return []


def _found(entry: metadata.EntryPoint, distribution: str, version: str) -> Found:
    def load() -> ModuleType:
        loaded = entry.load()
        if not isinstance(loaded, ModuleType):
            raise BrokenPlugin(f"the entry point must name a module; {entry.value!r} is none")
        return loaded

    return Found(entry.name, entry.value, distribution, version, load)


def plugin_in_file(path: Path) -> Found:
    """Return the plugin in a Python file that isn't installed."""

    def load() -> ModuleType:
        there = sys.modules.get(path.stem)
        if there is not None and getattr(there, "__file__", None) != str(path):
            raise BrokenPlugin(f"a module named {path.stem!r} is loaded already; rename the file")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise BrokenPlugin("not a Python file")
        module = importlib.util.module_from_spec(spec)
        # Under its own name, so that `build = "<file>:Name"` finds it. The same file again is run
        # again: in a notebook it was edited since.
        sys.modules[path.stem] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[path.stem]
            raise
        return module

    return Found(path.stem, str(path), "", "", load)


@dataclass(frozen=True)
class Switches:
    """What the user wants loaded."""

    only: frozenset[str] | None
    blocked: Mapping[str, str]
    """By name: the switch that blocks it."""
    asked: frozenset[str]
    """Named by `-P`, which wins over the environment."""

    def objection(self, found: Found) -> str:
        """Return why a plugin is not wanted, or nothing."""
        names = {found.name, found.distribution} - {""}
        if names & self.asked:
            return ""
        for name in sorted(names & self.blocked.keys()):
            return f"blocked by {self.blocked[name]}"
        if self.only is not None and not names & self.only:
            return f"not named in {ONLY}"
        return ""


def read_switches(
    words: Sequence[str], environ: Mapping[str, str], found: Iterable[Found]
) -> tuple[Switches, list[Path]]:
    """Read `-P` words and environment; return the files to load as well.

    Raises UsageError for a name that nobody has.
    """
    known = {name for f in found for name in (f.name, f.distribution)}
    only = None if ONLY not in environ else frozenset(_names(environ, ONLY, known))
    blocked = dict.fromkeys(_names(environ, BLOCK, known), BLOCK)
    asked: set[str] = set()
    files = []
    for word in words:
        if word.endswith(".py") or "/" in word or "\\" in word:
            files.append(_file(word))
        elif word.startswith("no:"):
            name = _known(word[3:], "-P", known)
            blocked[name] = f"-P {word}"
            asked.discard(name)
        else:
            name = _known(word, "-P", known)
            blocked.pop(name, None)
            asked.add(name)
    return Switches(only, blocked, frozenset(asked)), files


def normal(name: str) -> str:
    """Return the name of a distribution as everybody compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(environ: Mapping[str, str], switch: str, known: set[str]) -> list[str]:
    words = environ.get(switch, "").replace(",", " ").split()
    return [_known(word, switch, known) for word in words]


def _known(name: str, switch: str, known: set[str]) -> str:
    if name in known:
        return name
    if normal(name) in known:
        return normal(name)
    listed = ", ".join(sorted(known)) or "none"
    raise UsageError(
        f"{switch}: no plugin is named {name!r}; known: {listed}{did_you_mean(name, known)}"
    )


def _file(word: str) -> Path:
    path = Path(word)
    if path.is_dir():
        raise UsageError(f"-P: {word} is a folder; one .py file, or: pip install -e {word}")
    if not path.is_file():
        raise UsageError(f"-P: there is no file {word}")
    return path.resolve()
