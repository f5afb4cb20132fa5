"""A run from its first line to its last: the folder, what it records of itself, and resuming."""

from __future__ import annotations

import platform
import shutil
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_toolkit.assemble import Assembly, Parts, assemble, rehearse, require_shares
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.crew import Follower, seed_rank
from gan_toolkit.device import Device, device_of
from gan_toolkit.distributed import Alone, Ranks
from gan_toolkit.errors import (
    ExitCode,
    GantkError,
    Interrupted,
    PluginError,
    Preempted,
    ResumeError,
    UsageError,
)
from gan_toolkit.interfaces import Dataset
from gan_toolkit.journal import RESOLVED
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Override, Recipe, load_recipe
from gan_toolkit.resuming import restore
from gan_toolkit.runs import ORIGINS, RECIPE, RunFolder, origins
from gan_toolkit.snapshot import Snapshot
from gan_toolkit.train import Loop, Tell, data_facts, described


def launch(
    recipe: Recipe,
    host: PluginHost,
    *,
    device: Device,
    out: Path,
    name: str | None = None,
    tell: Tell,
    argv: Sequence[str] = (),
    report: bool = False,
    ranks: Ranks | None = None,
) -> RunFolder:
    """Run a recipe in a fresh folder below `out`, to its end; with `report` it leaves one.

    Of several `ranks` the first one launches, and the others `follow`. Raises GantkError children;
    Interrupted and Preempted after everything is saved. A folder whose run could not be assembled
    is removed again.
    """
    device.prepare()
    texts = {
        RECIPE: recipe.text,
        # With "auto" in it as yet: a run that is killed while it is assembled can be resumed.
        RESOLVED: recipe.to_toml(),
        ORIGINS: origins(recipe.origins, recipe.written),
    }
    run = RunFolder.create(out, recipe.name, name=name, texts=texts)
    with run.lock():
        try:
            parts = assemble(recipe, host.registry, device, ranks)
        except BaseException:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
        recipe = _pinned(recipe, parts.data, device)
        run.write_text(run.resolved.name, recipe.to_toml())
        seed_rank(recipe.run.seed, parts.engine.ranks)
        _train(recipe, parts, run, host, tell, argv, report=report)
    return run


def resume(
    path: Path,
    host: PluginHost,
    *,
    tell: Tell,
    steps: int | None = None,
    overrides: Sequence[Override] = (),
    allow_change: bool = False,
    device: str | None = None,
    argv: Sequence[str] = (),
    report: bool = False,
    ranks: Ranks | None = None,
) -> RunFolder:
    """Continue a run from its newest whole checkpoint, bit for bit as if it had never stopped.

    `overrides` change its recipe: freely what enters no training step, and all else only if
    `allow_change`; then run and journal say what was changed at which step. With another number of
    `ranks` than before it is the same up to rounding only. Raises ResumeError when recipe or data
    are no longer those of the checkpoint.
    """
    run = RunFolder.open(path)
    ranks = ranks or Alone()
    recipe, chosen = _as_before(run, host, steps, overrides, device, ranks)
    keys = recipe.run
    chosen.prepare()
    with run.lock():
        parts = assemble(recipe, host.registry, chosen, ranks)
        notes: list[str] = []
        store = CheckpointStore(run.checkpoints, run.id, keys.keep_checkpoints)
        checkpoint = store.newest(notes)
        for note in notes:
            tell({"event": "note", "text": f"checkpoint passed over: {note}"})
        if checkpoint is None and notes:
            raise ResumeError(f"no checkpoint of {run.folder} is whole; start a new run")
        if checkpoint is None and run.run_json.get("status") == "finished":
            raise ResumeError(f"{run.folder} ended and has no checkpoint left; start a new run")
        if checkpoint is not None and keys.steps < checkpoint.step:
            raise UsageError(
                f"{run.folder} has done {checkpoint.step:,} steps; it can't end at {keys.steps:,}"
            )
        recipe = _pinned(recipe, parts.data, chosen)
        seed_rank(recipe.run.seed, ranks)
        snapshot = restore(run, recipe, parts, checkpoint, host, tell, allow_change=allow_change)
        run.write_text(run.resolved.name, recipe.to_toml())
        places, written = run.read_origins()
        changed = {path: place for path, place in recipe.origins.items() if place.startswith("--")}
        run.write_origins(places | changed, written)
        _train(recipe, parts, run, host, tell, argv, report=report, snapshot=snapshot)
    return run


def follow(recipe: Recipe, host: PluginHost, *, device: Device, ranks: Ranks) -> None:
    """Take part in a run that the first rank launches or resumes.

    Raises RankError when that one ended early, and GantkError children for faults of this rank.
    """
    device.prepare()
    parts = assemble(recipe, host.registry, device, ranks)
    seed_rank(recipe.run.seed, ranks)
    parts.engine.watched = recipe.run.on_alarm != "off"  # it can't know which step is logged
    if recipe.run.on_divergence == "skip":
        parts.engine.spare = lambda _fault: None  # the first rank counts
    Follower(parts, recipe.run.steps, recipe.run.seed)()


def follow_resumed(
    path: Path,
    host: PluginHost,
    *,
    ranks: Ranks,
    steps: int | None = None,
    overrides: Sequence[Override] = (),
    device: str | None = None,
) -> None:
    """Take part in a run that the first rank resumes; it sends what it found in the checkpoint."""
    run = RunFolder.open(path)
    recipe, chosen = _as_before(run, host, steps, overrides, device, ranks)
    follow(recipe, host, device=chosen, ranks=ranks)


def _as_before(
    run: RunFolder,
    host: PluginHost,
    steps: int | None,
    overrides: Sequence[Override],
    device: str | None,
    ranks: Ranks,
) -> tuple[Recipe, Device]:
    """Return the recipe of a run with the changes that a resume makes, and the device for it."""
    more = [] if steps is None else [Override(f"run.steps={steps}")]
    recipe = load_recipe(run.resolved, host, overrides=[*overrides, *more])
    chosen = device_of(recipe.run, device, ranks.place)
    return recipe, chosen


def plan(
    recipe: Recipe, host: PluginHost, device: Device, ranks: Ranks | None = None
) -> list[tuple[str, str]]:
    """Return what a run would do, after a rehearsal of shapes that takes no memory."""
    ranks = ranks or Alone()
    require_shares(recipe, ranks.count)
    assembly = Assembly(recipe, host.registry)
    data = assembly.data()
    engine = rehearse(assembly, data)
    keys = recipe.run
    size = keys.batch_size * engine.batches_per_step
    shape = "x".join(map(str, data.sample_shape))
    rows = [
        ("data", f"{data.name} ({data.source}), {len(data):,} samples of {shape}"),
        *((f"latent {name}", _latent_row(latent)) for name, latent in engine.latents.items()),
        ("generator", f"{recipe.generator.component.name}, {_count(engine.generator)} parameters"),
        ("critic", f"{recipe.critic.component.name}, {_count(engine.critic)} parameters"),
        ("objective", recipe.objective.component.name),
    ]
    for term in engine.terms:
        chosen = recipe.regularisers[term.name].component.name
        when = f"every {term.every} steps" if term.every > 1 else "every step"
        count, owner = _count(term.regulariser), term.regulariser.trained_by
        rows.append((f"term {term.name}", f"{chosen}, {when}, {count} parameters of the {owner}"))
    for player, optimiser in recipe.optimisers.items():
        rate = getattr(optimiser.options, "lr", None)
        text = f"{rate:g}" if isinstance(rate, float | int) else "scheduled"
        rows.append((f"optimiser of {player}", f"{optimiser.component.name}, lr {text}"))
    rows += [
        ("steps", f"{keys.steps:,} of {size:,} samples: {keys.steps * size:,} in all"),
        ("device", _devices(device, ranks)),
    ]
    return rows


# --- a run and its record --------------------------------------------------------------------


def _train(
    recipe: Recipe,
    parts: Parts,
    run: RunFolder,
    host: PluginHost,
    tell: Tell,
    argv: Sequence[str],
    *,
    report: bool,
    snapshot: Snapshot | None = None,
) -> None:
    facts = data_facts(parts)
    described_device = parts.engine.device.describe()
    if not run.environment.exists():
        run.write_environment(torch.__version__, [f"device {described_device}"])
    ranks = parts.engine.ranks
    run.update(
        status="running",
        argv=list(argv),
        seed=recipe.run.seed,
        recipe_digest=recipe.digest(),
        variants=list(recipe.applied),
        device=described_device,
        ranks=ranks.count,
        host=platform.node(),
        data=facts | described(parts),
        plugins={r.name: r.version for r in host.records if r.status == "loaded"},
        begun=_now(),
    )
    tell(start_event(recipe, parts, run))
    loop = Loop(recipe, parts, run, tell, host if report else None)
    try:
        with _outcome(run, parts.engine.device):
            loop.crew.start_from(snapshot)
            loop()
    except KeyboardInterrupt:  # it was asked twice to stop: nothing more
        raise
    except BaseException as error:
        _report(loop, run)
        if isinstance(error, Interrupted | Preempted):
            loop.crew.leave(str(error), error.exit_code)
        raise
    _report(loop, run)
    loop.crew.leave()
    tell({"event": "end", "outcome": "finished", "run": str(run.folder)})


def start_event(recipe: Recipe, parts: Parts, run: RunFolder) -> dict[str, Any]:
    """Return the first event of a run: what it is about to do."""
    return {
        "event": "start",
        "run": str(run.folder),
        "name": recipe.name,
        "variants": list(recipe.applied),
        "data": data_facts(parts),
        "device": _devices(parts.engine.device, parts.engine.ranks),
        "step": parts.engine.steps_done,
        "steps": recipe.run.steps,
        "batch_size": recipe.run.batch_size,
        "latents": {n: _latent_row(latent) for n, latent in parts.engine.latents.items()},
    }


def _report(loop: Loop, run: RunFolder) -> None:
    """Leave a report that says how the run ended."""
    with _best_effort():
        loop.report(str(run.run_json.get("status")))


@contextmanager
def _outcome(run: RunFolder, device: Device) -> Iterator[None]:
    """Write into `run.json` how it went, whatever happened."""
    close = partial(_close, run, device)
    try:
        yield
    except (Interrupted, Preempted, KeyboardInterrupt) as error:
        code = getattr(error, "exit_code", ExitCode.INTERRUPTED)
        close(status="stopped", exit_code=int(code))
        raise
    except GantkError as error:
        close(status="failed", exit_code=int(error.exit_code), cause=str(error))
        raise
    except SystemExit as error:
        close(status="failed", exit_code=int(ExitCode.PLUGIN), cause="a plugin called exit")
        raise PluginError("a plugin called exit in the middle of the run") from error
    except BaseException as error:
        with _best_effort():
            run.log(traceback.format_exc())
        code = int(ExitCode.UNEXPECTED)
        close(status="failed", exit_code=code, cause=f"{type(error).__name__}: {error}")
        raise
    close(status="finished", exit_code=0)


def _close(run: RunFolder, device: Device, **facts: Any) -> None:
    with _best_effort():
        run.update(ended=_now(), peak_memory=device.peak_memory(), **facts)


@contextmanager
def _best_effort() -> Iterator[None]:
    """Let nothing hide the error that is on its way: the disk may be the fault."""
    try:
        yield
    except GantkError:
        return


def _pinned(recipe: Recipe, data: Dataset, device: Device) -> Recipe:
    """Put what was used in place of "auto": run elsewhere, data and arithmetic can't change."""
    run = recipe.run.model_copy(update={"precision": device.precision})
    recipe = replace(recipe, run=run)
    options = recipe.data.options
    if getattr(options, "source", None) != "auto":
        return recipe
    used = options.model_copy(update={"source": data.source})
    return replace(recipe, data=replace(recipe.data, options=used))


def _latent_row(latent: Any) -> str:
    kind = type(latent).__name__.lower()
    if not latent.posterior_width:
        return f"{kind}, {latent.width} wide, noise"
    return f"{kind}, {latent.width} wide, H = {latent.entropy():.4f} nats"


def _devices(device: Device, ranks: Ranks) -> str:
    described = device.describe()
    return described if ranks.count == 1 else f"{ranks.count} ranks, each: {described}"


def _count(module: nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters() if p.requires_grad):,}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
