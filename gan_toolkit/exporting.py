"""A trained model in a form that other programs read: written whole, or not at all.

The exporter writes to a temporary place beside its target; what it wrote is looked at, and moved.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gan_toolkit import __version__, files, strict_json
from gan_toolkit.building import Builder, described
from gan_toolkit.errors import GantkError, PluginError, Problem, RecipeError, UsageError
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import Exporter
from gan_toolkit.model import Model
from gan_toolkit.plugin_records import line_of
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Chosen, Override, load_tables
from gan_toolkit.tensorfile import safe_name

NOTE = "export.json"
"""In a folder: what was exported, how, and of which model. Only a folder that has one is ever
replaced."""
FORMAT = 1
"""Of the note."""
SWITCH = "--to"
_TABLE = "exporters.it"


@dataclass(frozen=True)
class Exported:
    """What an export left."""

    path: Path
    exporter: Mapping[str, Any]
    """The exporter with its version, as `use`, and its options; paths and secrets are left out."""
    files: int
    bytes: int


def choose_exporter(name: str, settings: Sequence[str], host: PluginHost) -> Chosen:
    """Return an exporter with options from `key=value`, VALUE in TOML.

    Raises UsageError for a setting of `use`, RecipeError with all else that is wrong, in the words
    of the command line.
    """
    section, _, table = _TABLE.partition(".")
    overrides = [Override(f"{_TABLE}.{text.strip()}") for text in settings]
    if any(text.partition("=")[0].strip() == "use" for text in settings):
        raise UsageError(f"--set use: which exporter it is, {SWITCH} says")
    try:
        found = load_tables({section: {table: {"use": name}}}, host, [section], overrides=overrides)
    except RecipeError as error:
        raise RecipeError([_as_typed(one, name) for one in error.problems]) from None
    chosen: Chosen = found[section][table]
    return replace(chosen, table=f"{SWITCH} {name}", name=name)


def _as_typed(problem: Problem, name: str) -> Problem:
    """Return a problem without the table that only we know of."""
    path = problem.path.removeprefix(_TABLE).lstrip(".")
    place = problem.place or (SWITCH if path == "use" else f"{SWITCH} {name}")
    text = problem.text.replace(f"{_TABLE}.", "")
    return replace(problem, place=place, path="" if place == SWITCH else path, text=text)


def export_model(
    model: Model, chosen: Chosen, target: Path | None = None, *, force: bool = False
) -> Exported:
    """Write a model by the chosen exporter; to a name of its own here when there is no `target`.

    Raises UsageError for a target that is there (`force` replaces a file, or what an export wrote)
    or a model that has no such form, PluginError when the exporter fails. Then nothing is left.
    """
    exporter: Exporter = Builder().build(chosen, {"latents": model.latents}, Exporter)
    path = target or _own_name(model, chosen, exporter)
    _check_target(path, chosen, exporter, force=force)
    folder = path.absolute().parent
    # Folders that are missing are made in the end, so that a failure does not leave them.
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    with files.temporary(there) as place:
        unfinished = place / path.name
        files.make_folders(unfinished if not exporter.suffix else place)
        _write(exporter, chosen, model, unfinished)
        if not exporter.suffix:
            note = strict_json.dump(_note(model, chosen), indent=2)
            files.write_new(unfinished / NOTE, f"{note}\n".encode())
        sizes = [one.stat().st_size for one in _files_in(unfinished)]
        files.make_folders(folder)
        files.put_in_place(unfinished, path)
    return Exported(path, chosen.shareable(), len(sizes), sum(sizes))


# --- where to ------------------------------------------------------------------------------


def _own_name(model: Model, chosen: Chosen, exporter: Exporter) -> Path:
    recipe = str(model.recipe.get("name", ""))
    name = recipe if safe_name(recipe) else "model"
    return Path(name + (exporter.suffix or f"-{chosen.component.name}"))


def _check_target(path: Path, chosen: Chosen, exporter: Exporter, *, force: bool) -> None:
    suffix = exporter.suffix
    if not path.name.lower().endswith(suffix):
        raise UsageError(
            f"{path}: {chosen.name} writes a file that ends in {suffix}; another --out, such as "
            f"{path.parent / ((path.stem or 'model') + suffix)}"
        )
    if not os.path.lexists(path):
        return
    if not force:
        raise UsageError(f"{path} exists; choose another --out, or --force to replace it")
    if suffix and not path.is_file():
        raise UsageError(f"{path} is no regular file; choose another --out")
    if not suffix and (files.is_link(path) or not _is_ours(path)):
        raise UsageError(
            f"{path} is no folder that an export wrote, and others are not replaced; choose "
            "another --out"
        )


def _is_ours(path: Path) -> bool:
    return path.is_dir() and ((path / NOTE).is_file() or not any(path.iterdir()))


# --- what is written -----------------------------------------------------------------------


def _write(exporter: Exporter, chosen: Chosen, model: Model, target: Path) -> None:
    try:
        with untouched_randomness():
            exporter.export(model, target)
    except UsageError as error:
        raise UsageError(f"{chosen.table}: {error}") from error
    except GantkError:
        raise
    except (Exception, SystemExit) as error:
        cause = line_of(error, always_named=True)
        raise PluginError(f"{described(chosen)} failed: {cause}") from error
    if found := _fault(exporter, target):
        raise PluginError(f"{described(chosen)} {found}")


def _fault(exporter: Exporter, target: Path) -> str:
    """Return what is wrong with what was written, or nothing."""
    beside = [path.name for path in target.parent.iterdir() if path != target]
    if beside:
        return f"wrote {min(beside)} beside what it was told to write"
    if files.is_link(target) or not (target.is_file() if exporter.suffix else target.is_dir()):
        return f"left no {'file' if exporter.suffix else 'folder'}"
    if (target / NOTE).exists():
        return f"wrote {NOTE}, which is written for it"
    return "" if any(_files_in(target)) else "wrote nothing"


def _files_in(path: Path) -> Iterator[Path]:
    return (one for one in (path, *path.rglob("*")) if one.is_file())


def _note(model: Model, chosen: Chosen) -> dict[str, Any]:
    data = model.facts.get("data") or {}
    return {
        "format": FORMAT,
        "gan-toolkit": __version__,
        "exporter": chosen.shareable(),
        "model": {
            "recipe": model.recipe.get("name", ""),
            "steps": model.facts.get("steps"),
            "data": {key: data.get(key) for key in ("name", "source", "fingerprint")},
        },
    }
