"""What a training left: its networks, and the tables of its recipe that say how to measure them.

Networks come from a model file, or from the newest checkpoint of a run whose model is older or
not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gan_toolkit.assemble import Assembly, Networks
from gan_toolkit.checkpoints import Checkpoint, CheckpointStore
from gan_toolkit.device import Device, device_of
from gan_toolkit.errors import StorageError, UsageError
from gan_toolkit.evaluation import Seen, Trained
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import Dataset
from gan_toolkit.plugins import PluginHost
from gan_toolkit.rebuild import Rebuilt, rebuild, rebuild_untrained
from gan_toolkit.recipe import Chosen, Override, Recipe, RunOptions, load_tables
from gan_toolkit.recipe.marks import local_keys
from gan_toolkit.recipe.used import Used
from gan_toolkit.registry import Registry, UnknownComponent
from gan_toolkit.runs import RunFolder
from gan_toolkit.tensorfile import describe

Say = Callable[[str], None]


# --- tables ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SharedRecipe:
    """What a model file brings of its recipe, for measuring it; it stands in for a `Recipe`."""

    name: str
    data: Chosen
    measures: dict[str, Chosen]
    terms: Mapping[str, Any]
    source: str
    run: RunOptions = field(default_factory=lambda: RunOptions(steps=1, batch_size=1))
    origins: Mapping[str, str] = field(default_factory=dict)

    def component_of(self, section: str, name: str) -> str:
        """Return the pinned component behind a measure, as `Recipe.component_of` does."""
        own = getattr(self, section).get(name)
        if own is not None:
            return str(own.component.pinned)
        term = self.terms.get(name.partition(".")[0])
        return str(term.get("use", "")) if isinstance(term, Mapping) else ""


def shared_recipe(path: Path, host: PluginHost, overrides: Sequence[Override]) -> SharedRecipe:
    """Read the tables in a model file that say what to measure, and on which data.

    Paths and references to the environment in it are a stranger's: they are not followed. Raises
    UsageError when it names no data, RecipeError for tables at fault.
    """
    recipe = describe(path)["recipe"]
    kept = {key: recipe[key] for key in ("data", "latents", "measures") if key in recipe}
    if isinstance(kept.get("data"), Mapping):
        kept["data"] = _without_paths("dataset", "", kept["data"], host.registry)
    if isinstance(kept.get("measures"), Mapping):
        kept["measures"] = {
            name: _without_paths("measure", name, table, host.registry)
            for name, table in kept["measures"].items()
        }
    names_data = any(override.text.lstrip().startswith("data") for override in overrides)
    if "data" not in kept and not names_data:
        raise UsageError(
            f"{path} names no data to measure it on; name some: --set 'data.use=\"NAME\"'"
        )
    chosen = load_tables(kept, host, ("data", "measures"), overrides=overrides, environ={})
    terms = recipe.get("regularisers")
    return SharedRecipe(
        name=str(recipe.get("name") or path.stem),
        terms=terms if isinstance(terms, Mapping) else {},
        source=str(path),
        **chosen,
    )


def _without_paths(kind: str, name: str, table: Any, registry: Registry) -> Any:
    """Return a table, which uses `name` unless it says otherwise, without its paths."""
    if not isinstance(table, Mapping):
        return table  # whoever reads it says so
    try:
        component = registry.get(kind, Used.read(str(table.get("use", name))).name)
    except UnknownComponent:
        return dict(table)  # likewise
    local = local_keys(component.options)
    return {key: value for key, value in table.items() if key not in local}


# --- networks --------------------------------------------------------------------------------


def of_model(path: Path, host: PluginHost, device: Device, say: Say) -> Seen:
    """Return the networks of a model file; what it lacks is said."""
    built = rebuild(path, host)
    if built.skipped:
        say(f"left out, no plugin offers it: {', '.join(built.skipped)}")
    steps = built.facts.get("steps")
    return _placed(built, device, steps if isinstance(steps, int) else 0)


def untrained_model(path: Path, host: PluginHost, device: Device) -> Seen:
    """Return the networks of a model file as they might have been before training."""
    return _placed(rebuild_untrained(path, host), device)


def untrained_run(recipe: Recipe, data: Dataset, host: PluginHost, device: Device) -> Seen:
    """Return the networks of a run as they were before training."""
    return _placed(Assembly(recipe, host.registry).networks(data), device)


def _placed(parts: Rebuilt | Networks, device: Device, steps: int = 0) -> Seen:
    critic, terms = parts.critic, parts.regularisers
    for module in (parts.generator, *([] if critic is None else [critic]), *terms.values()):
        device.place(module)
    return Trained(parts.latents, parts.generator, critic, terms, device, steps)


def device_for(keys: RunOptions, asked: str | None) -> Device:
    """Return the device to look at a run on, ready: `asked`, or the run's own."""
    device = replace(device_of(keys, asked), compiling="off")
    device.prepare()
    return device


def of_run(
    run: RunFolder, recipe: Recipe, data: Dataset, host: PluginHost, device: Device, say: Say
) -> Seen:
    """Return the networks of a run: of its model, or of its newest checkpoint if that is newer."""
    notes: list[str] = []
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest(notes)
    for note in notes:
        say(f"checkpoint passed over: {note}")
    if run.model.is_file():
        steps = describe(run.model)["facts"].get("steps")
        older = checkpoint is not None and isinstance(steps, int) and steps < checkpoint.step
        if not older:
            return of_model(run.model, host, device, say)
    if checkpoint is None:
        raise StorageError(f"{run.folder} has no model and no whole checkpoint to measure yet")
    say(f"from the checkpoint of step {checkpoint.step:,}: the run did not end there")
    return _of_checkpoint(checkpoint, Assembly(recipe, host.registry), data, device)


def _of_checkpoint(
    checkpoint: Checkpoint, assembly: Assembly, data: Dataset, device: Device
) -> Seen:
    engine = assembly.engine(assembly.networks(data), device)
    with untouched_randomness():
        engine.restore(checkpoint.load())
    return engine
