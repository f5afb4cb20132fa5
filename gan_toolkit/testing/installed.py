"""What `gantk plugins check` is asked about: an installed plugin, a folder, or a single file."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gan_toolkit.discovery import Found, normal, plugin_in_file
from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.hooks import PROJECT
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.testing.checking import Finding

AGAIN = "run pip install -e . again"
CHECK = "entry points are those of pyproject.toml"


def records_of(word: str, host: PluginHost) -> list[PluginRecord]:
    """Return the plugins that a name or a path stands for; those of a path are loaded first.

    Raises UsageError when there is no such plugin, file or folder.
    """
    found = [record for record in host.records if word in (record.name, record.distribution)]
    if found:
        return found  # even where a folder `data` lies about
    if word.endswith(".py") or Path(word).is_dir() or "/" in word:
        return _at(Path(word), host)
    names = [record.name for record in host.records]
    raise UsageError(
        f"no plugin is named {word!r}; known: {', '.join(names)}{did_you_mean(word, names)}"
    )


def entry_points(record: PluginRecord) -> Iterator[Finding]:
    """Compare what a distribution that is edited in place offers with what was installed of it."""
    folder = source_of(record.distribution)
    if folder is None:
        return
    written, installed = _written(folder), _installed(record.distribution)
    changed = sorted(
        name for name in written | installed if written.get(name) != installed.get(name)
    )
    detail = f"{', '.join(changed)} differ from what is installed; {AGAIN}" if changed else ""
    yield Finding(record.distribution, "", CHECK, "failed" if changed else "ok", detail)


def source_of(distribution: str) -> Path | None:
    """Return the folder of a distribution that is installed in place (PEP 610), or None."""
    try:
        text = metadata.distribution(distribution).read_text("direct_url.json") or "{}"
    except (metadata.PackageNotFoundError, ValueError):
        return None
    facts = json.loads(text)
    if not facts.get("dir_info", {}).get("editable"):
        return None
    folder = Path(unquote(urlsplit(facts["url"]).path))
    return folder if (folder / "pyproject.toml").is_file() else None


def _at(path: Path, host: PluginHost) -> list[PluginRecord]:
    if path.is_file() and path.suffix == ".py":
        return [_loaded(plugin_in_file(path.resolve()), host)]
    if not (path / "pyproject.toml").is_file():
        raise UsageError(f"{path} is neither a plugin's .py file nor a folder with pyproject.toml")
    folder = path.resolve()
    targets = _written(folder)
    if not targets:
        raise UsageError(f"{path}/pyproject.toml offers no entry point of the group {PROJECT!r}")
    sys.path[:0] = [str(folder), str(folder / "src")]
    project = _project(folder)
    facts = normal(str(project.get("name", ""))), str(project.get("version", ""))
    return [
        _loaded(Found(name, target, *facts, partial(importlib.import_module, target)), host)
        for name, target in targets.items()
    ]


def _loaded(found: Found, host: PluginHost) -> PluginRecord:
    """Return the record of a plugin that is loaded already, or load it."""
    for record in host.records:
        if (record.name, record.target, record.status) == (found.name, found.target, "loaded"):
            return record
    return host.add(found)


def _written(folder: Path) -> dict[str, str]:
    points = _project(folder).get("entry-points")
    offered = points.get(PROJECT) if isinstance(points, dict) else None
    if not isinstance(offered, dict):
        return {}
    for name, target in offered.items():
        if not isinstance(target, str):
            raise UsageError(
                f"{folder}/pyproject.toml: entry point {name!r} is {target!r}; "
                f'the name of a module in quotes, such as "gantk_{name}"'
            )
    return offered


def _project(folder: Path) -> dict[str, Any]:
    """Return the table `project` of a folder's pyproject.toml, which anybody may have written."""
    try:
        table = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{folder}/pyproject.toml: not TOML: {error}") from error
    if not isinstance(table, dict):
        raise UsageError(f"{folder}/pyproject.toml: project is {table!r}; a table [project]")
    return table


def _installed(distribution: str) -> dict[str, str]:
    entries = metadata.distribution(distribution).entry_points
    return {entry.name: entry.value for entry in entries if entry.group == PROJECT}
