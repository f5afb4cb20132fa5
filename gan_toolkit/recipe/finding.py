"""Where recipes are: files as given, those that come with the toolkit, those of plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.plugins import PluginHost


class Listed(NamedTuple):
    """A recipe that can be named."""

    name: str
    path: Path
    origin: str
    """"gan-toolkit", or the plugin that brings it."""


def own_folder() -> Path | None:
    """Return the folder of the toolkit's own recipes: in the wheel, or beside it in the source."""
    package = Path(__file__).parents[1]
    if (package / "recipes").is_dir():
        return package / "recipes"
    beside = package.parent / "recipes"
    in_source = (package.parent / "pyproject.toml").is_file()
    return beside if in_source and beside.is_dir() else None


def list_recipes(host: PluginHost) -> list[Listed]:
    """Return all recipes that can be named: our own, then `plugin:recipe` of each plugin."""
    folder = own_folder()
    listed = list(_in_folder(folder, "", "gan-toolkit")) if folder else []
    for plugin, path in host.recipes():
        listed += _in_folder(path, f"{plugin}:", plugin)
    return listed


def find_recipe(name: str | Path, host: PluginHost) -> Path:
    """Return the file of a recipe given by path or name; UsageError when there is none."""
    path = Path(name)
    if str(name) == "-" or _is_file(path):
        return path
    if isinstance(name, Path) or path.suffix == ".toml" or len(path.parts) > 1:
        there = [str(file) for file in _siblings(path)]
        near = did_you_mean(str(name), there) or "; recipes with a name: gantk recipe list"
        raise UsageError(f"there is no file {name}{near}")
    return named_recipe(name, host)


def named_recipe(name: str, host: PluginHost) -> Path:
    """Return the file of a recipe given by its name only; UsageError when there is none."""
    listed = {recipe.name: recipe.path for recipe in list_recipes(host)}
    if name in listed:
        return listed[name]
    known = "" if not listed else f"; known: {', '.join(listed)}"
    raise UsageError(f"no recipe is named {name!r}{known}{did_you_mean(name, [*listed])}")


def _in_folder(folder: Path, prefix: str, origin: str) -> Iterator[Listed]:
    if folder.is_dir():
        for path in sorted(folder.glob("*.toml")):
            yield Listed(prefix + path.stem, path, origin)


def _siblings(path: Path) -> list[Path]:
    try:
        return sorted(file for file in path.parent.glob("*.toml") if _is_file(file))
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False
