"""What a person names when a recipe is meant: a file, a name, a run or a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_toolkit.cli.options import overrides_from, recipe_source, without_base
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.plugins import PluginHost
    from gan_toolkit.runs import RunFolder


@dataclass(frozen=True)
class Changes:
    """What `--variant`, `--set` and `--unset` ask for."""

    variants: tuple[str, ...] = ()
    settings: Sequence[str] = ()
    removals: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.variants or self.settings or self.removals)


@dataclass(frozen=True)
class Side:
    """A resolved recipe and where its values come from."""

    label: str
    what: str
    """Recipe, run or model."""
    table: Mapping[str, Any]
    """Every value, components pinned; of a model file only what it keeps."""
    origins: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def read_side(
    text: str, host: PluginHost, changes: Changes | None = None, *, shareable: bool = False
) -> Side:
    """Return the recipe that `text` means; a recipe's name comes before that of a run.

    `shareable` leaves out what means nothing on another machine, as a model file does. Raises
    UsageError when nothing is called that, and for changes to what is no recipe.
    """
    if text.endswith(".safetensors"):
        refuse_changes(text, "model file", changes)
        return _of_model(Path(text))
    from gan_toolkit.recipe import find_recipe

    recipe_source(text)
    try:
        found = None if Path(text).is_dir() else find_recipe(text, host)
    except UsageError as error:
        return _of_run(_run(text, error), host, changes, shareable=shareable)
    if found is None:
        return _of_run(_run(text), host, changes, shareable=shareable)
    return _of_recipe(text, host, changes or Changes(), shareable=shareable)


def origin_of(key: str, origins: Mapping[str, str]) -> str:
    """Return where a value comes from: its own place, or that of the table it stands in."""
    while key:
        if key in origins:
            return origins[key]
        key = key.rpartition(".")[0]
    return ""


def refuse_changes(text: str, what: str, changes: Changes | None) -> None:
    """Raise UsageError if there are changes: only a recipe takes them."""
    if changes:
        raise UsageError(f"{text} is a {what}; --variant, --set and --unset change recipes only")


def _run(text: str, no_recipe: UsageError | None = None) -> RunFolder:
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    try:
        return find_run(text, RUNS)
    except UsageError as no_run:
        both = filter(None, (no_recipe, no_run))
        raise UsageError("; ".join(map(str, both))) from None


def _of_recipe(text: str, host: PluginHost, changes: Changes, *, shareable: bool) -> Side:
    from gan_toolkit.recipe import load_recipe

    loaded = load_recipe(
        text,
        host,
        variants=without_base(changes.variants),
        overrides=overrides_from(changes.settings, changes.removals),
    )
    label = text + "".join(f", variant {variant}" for variant in loaded.applied)
    label += ", changed" if changes.settings or changes.removals else ""
    table = loaded.shareable() if shareable else loaded.to_dict()
    return Side(label, "recipe", table, loaded.origins, loaded.notes)


def _of_run(run: RunFolder, host: PluginHost, changes: Changes | None, *, shareable: bool) -> Side:
    refuse_changes(run.folder.name, "run", changes)
    places, _ = run.read_origins()
    if not shareable:
        return Side(str(run.folder), "run", run.tables(), places)
    from gan_toolkit.recipe import load_recipe

    return Side(str(run.folder), "run", load_recipe(run.resolved, host).shareable(), places)


def _of_model(path: Path) -> Side:
    from gan_toolkit.tensorfile import describe

    return Side(str(path), "model", describe(path)["recipe"])
