"""A run from its first line to its last: the folder, what it records of itself, and resuming."""

from __future__ import annotations

import platform
import shutil
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gan_toolkit.assemble import Assembly, Parts, assemble, rehearse
from gan_toolkit.checkpoints import Checkpoint, CheckpointStore
from gan_toolkit.device import Device, device_of
from gan_toolkit.errors import (
    ExitCode,
    GantkError,
    Interrupted,
    PluginError,
    Preempted,
    ResumeError,
    UsageError,
)
from gan_toolkit.files import printable
from gan_toolkit.interfaces import Dataset
from gan_toolkit.plugins import PluginHost
from gan_toolkit.randomness import seed_globals
from gan_toolkit.recipe import Override, Recipe, load_recipe
from gan_toolkit.recipe.difference import difference as recipe_difference
from gan_toolkit.recipe.difference import is_free
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference
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
) -> RunFolder:
    """Run a recipe in a fresh folder below `out`, to its end; with `report` it leaves one.

    Raises GantkError children; Interrupted and Preempted after everything is saved. A folder
    whose run could not be assembled is removed again.
    """
    device.prepare()
    run = RunFolder.create(out, recipe.name, name=name)
    with run.lock():
        try:
            parts = assemble(recipe, host.registry, device)
        except BaseException:
            shutil.rmtree(run.folder, ignore_errors=True)
            raise
        recipe = _pinned(recipe, parts.data, device)
        run.write_text(run.recipe.name, recipe.text)
        run.write_text(run.resolved.name, recipe.to_toml())
        seed_globals(recipe.run.seed)
        run.write_environment(torch.__version__, [f"device {device.describe()}"])
        run.write_origins(recipe.origins, recipe.written)
        _train(recipe, parts, run, host, tell, argv, report=report)
    return run


def resume(
    path: Path,
    host: PluginHost,
    *,
    tell: Tell,
    steps: int | None = None,
    device: str | None = None,
    argv: Sequence[str] = (),
    report: bool = False,
) -> RunFolder:
    """Continue a run from its newest whole checkpoint, bit for bit as if it had never stopped.

    Raises ResumeError when recipe or data are no longer those of the checkpoint.
    """
    run = RunFolder.open(path)
    overrides = [] if steps is None else [Override(f"run.steps={steps}")]
    recipe = load_recipe(run.resolved, host, overrides=overrides)
    keys = recipe.run
    chosen = device_of(keys, device)
    chosen.prepare()
    with run.lock():
        parts = assemble(recipe, host.registry, chosen)
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
        seed_globals(recipe.run.seed)
        with _taking_back(checkpoint):
            _restore(run, recipe, parts, checkpoint, tell)
        run.write_text(run.resolved.name, recipe.to_toml())
        places, written = run.read_origins()
        changed = {path: place for path, place in recipe.origins.items() if place.startswith("--")}
        run.write_origins(places | changed, written)
        _train(recipe, parts, run, host, tell, argv, report=report)
    return run


def plan(recipe: Recipe, host: PluginHost, device: Device) -> list[tuple[str, str]]:
    """Return what a run would do, after a rehearsal of shapes that takes no memory."""
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
        ("device", device.describe()),
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
) -> None:
    facts = data_facts(parts)
    run.update(
        status="running",
        argv=list(argv),
        seed=recipe.run.seed,
        recipe_digest=recipe.digest(),
        variants=list(recipe.applied),
        device=parts.engine.device.describe(),
        host=platform.node(),
        data=facts | described(parts),
        plugins={r.name: r.version for r in host.records if r.status == "loaded"},
        begun=_now(),
    )
    tell(
        {
            "event": "start",
            "run": str(run.folder),
            "name": recipe.name,
            "variants": list(recipe.applied),
            "data": facts,
            "device": parts.engine.device.describe(),
            "step": parts.engine.steps_done,
            "steps": recipe.run.steps,
            "batch_size": recipe.run.batch_size,
            "latents": {n: _latent_row(latent) for n, latent in parts.engine.latents.items()},
        }
    )
    loop = Loop(recipe, parts, run, tell, host if report else None)
    try:
        with _outcome(run, parts.engine.device):
            loop()
    except KeyboardInterrupt:  # it was asked twice to stop: nothing more
        raise
    except BaseException:
        _report(loop, run)
        raise
    _report(loop, run)
    tell({"event": "end", "outcome": "finished", "run": str(run.folder)})


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


# --- resuming --------------------------------------------------------------------------------


def _restore(
    run: RunFolder, recipe: Recipe, parts: Parts, checkpoint: Checkpoint | None, tell: Tell
) -> None:
    if checkpoint is None:
        tell({"event": "note", "text": "there is no checkpoint yet; starting at step 0"})
        run.metrics.cut(0)
        return
    manifest = checkpoint.manifest
    _refuse_changes(manifest, recipe)
    if manifest["data_fingerprint"] != parts.data.fingerprint():
        now, then = parts.data.fingerprint()[:12], manifest["data_fingerprint"][:12]
        raise ResumeError(
            f"{parts.data.name} is not the data of the checkpoint (fingerprint {now}, was {then}); "
            "put the old data back, or start a new run"
        )
    if manifest["device"] != parts.engine.device.describe():
        text = f"the run began on {manifest['device']}: consistent from here on, not bit-exact"
        tell({"event": "note", "text": text})
    if manifest["versions"]["torch"] != torch.__version__:
        text = f"the checkpoint is of torch {manifest['versions']['torch']}: not bit-exact"
        tell({"event": "note", "text": text})
    snapshot = checkpoint.load()
    parts.engine.restore(snapshot)
    lost = difference(_portable(parts.engine.snapshot()), _portable(snapshot))
    if lost:
        raise ResumeError(f"state did not come back as it was saved: {'; '.join(lost[:3])}")
    if broken := parts.engine.broken():
        raise ResumeError(
            f"{checkpoint.folder}: {broken[0]} is not finite; remove it to resume from an older one"
        )
    run.metrics.cut(manifest["journal"]["bytes"], manifest["journal"]["sha256"])


@contextmanager
def _taking_back(checkpoint: Checkpoint | None) -> Iterator[None]:
    """Name the checkpoint that is not what a run writes, hashes or no hashes: it is anybody's."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        if checkpoint is None:
            raise
        cause = printable(f"{type(e).__name__}: {e}".partition("\n")[0])
        raise ResumeError(
            f"{checkpoint.folder} can't be taken back: {cause:.200}; it is not what this run and "
            "these plugins write: remove it to resume from an older one"
        ) from e


def _portable(snapshot: Snapshot) -> Snapshot:
    """Leave out the random state of an accelerator, which another machine may not have."""
    random = {k: v for k, v in snapshot.tensors["random"].items() if k != "device"}
    return replace(snapshot, tensors={**snapshot.tensors, "random": random})


def _refuse_changes(manifest: Mapping[str, Any], recipe: Recipe) -> None:
    if manifest["latents"] != list(recipe.latents):
        raise ResumeError(
            f"the latents were {', '.join(manifest['latents'])}, in this order; "
            "it fixes the columns of the generator: change it back, or start a new run"
        )
    changes = [
        f"{path} was {old!r}, is {new!r}"
        for path, old, new in recipe_difference(manifest["recipe"], recipe.to_dict())
        if not is_free(path) and not (old is None and _by_default(recipe, path))
    ]
    if changes:
        raise ResumeError(
            f"the recipe changed since the checkpoint: {'; '.join(changes[:5])}; "
            "change it back, or start a new run"
        )


def _by_default(recipe: Recipe, path: str) -> bool:
    """Return whether nobody wrote the key: a later version of its component added it."""
    return recipe.origins.get(path, "").startswith("default of ")


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


def _count(module: nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters() if p.requires_grad):,}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
