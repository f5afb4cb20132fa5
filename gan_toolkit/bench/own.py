"""The toolkit's own contestants: the training loop of a recipe, and the floor of its step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from gan_toolkit.assemble import Parts, assemble
from gan_toolkit.batches import ArrayDataset
from gan_toolkit.bench.contestant import Settings, SetUp, Verb
from gan_toolkit.bench.floor import Recorder, Replay
from gan_toolkit.bench.stepping import settling, stepping
from gan_toolkit.bench.stopwatch import shares
from gan_toolkit.device import Device
from gan_toolkit.interfaces import Dataset
from gan_toolkit.launch import start_event
from gan_toolkit.plugins import PluginHost
from gan_toolkit.randomness import seed_globals
from gan_toolkit.recipe import Recipe
from gan_toolkit.runs import RunFolder
from gan_toolkit.signals import StopRequest
from gan_toolkit.train import Loop, Tell

ENDLESS = 10**9
"""Steps of a run that is never to come to its end."""
RANDOM_SAMPLES = 4_096


def training(
    recipe: Recipe,
    host: PluginHost,
    *,
    device: Device,
    folder: Path,
    tell: Tell,
    data: Dataset | None = None,
) -> SetUp:
    """Return what sets up the loop of `gantk run`, in a run's folder below `folder`.

    It comes to no end, and has no panels, measures, trackers and checkpoints: what they take is
    for the recipe to choose. `data` stands in for the recipe's.
    """

    def set_up(_settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
        device.prepare()
        where = device.torch_device
        bare = _bare(recipe)
        run = RunFolder.create(folder, bare.name)
        parts = assemble(bare, host.registry, device, data=data)
        seed_globals(bare.run.seed)
        run.write_environment(torch.__version__)
        loop = Loop(bare, parts, run, tell)
        tell(start_event(bare, parts, run))
        step = partial(loop.step, StopRequest())

        def shared(count: int) -> dict[str, Any]:
            return {"shares": shares(loop, step, count, settling(where))}

        return _facts(recipe, parts), {**stepping(step, where), "shares": shared}

    return set_up


def products(
    recipe: Recipe, host: PluginHost, *, device: Device, data: Dataset | None = None
) -> SetUp:
    """Return what sets up the floor of the recipe's step: see `floor`."""

    def set_up(_settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
        device.prepare()
        where = device.torch_device
        parts = assemble(_bare(recipe), host.registry, device, data=data)
        with Recorder() as recorder:
            parts.engine.step(parts.batches.at(0).samples)
        verbs = stepping(Replay(recorder, where), where)
        return _facts(recipe, parts) | {"products": recorder.flops()}, verbs

    return set_up


def random_data(shape: tuple[int, ...]) -> Dataset:
    """Return random samples: images (C, H, W) of bytes, or points (D,) of floats."""
    rng = torch.Generator().manual_seed(0)
    if len(shape) == 3:
        samples = torch.randint(256, (RANDOM_SAMPLES, *shape), dtype=torch.uint8, generator=rng)
    else:
        samples = torch.randn((RANDOM_SAMPLES, *shape), generator=rng)
    return ArrayDataset("random samples", "synthetic", samples)


def _bare(recipe: Recipe) -> Recipe:
    keys = {"steps": ENDLESS, "checkpoint_every": 0, "evaluate_every": 0}
    run = recipe.run.model_copy(update=keys)
    return replace(recipe, run=run, panels={}, measures={}, trackers={})


def _facts(recipe: Recipe, parts: Parts) -> dict[str, Any]:
    device = parts.engine.device
    return {
        "name": recipe.name,
        "variants": list(recipe.applied),
        "data": f"{parts.data.name} ({parts.data.source})",
        "batch": recipe.run.batch_size,
        "samples_per_step": parts.batches.size,
        "shape": list(parts.data.sample_shape),
        "device": str(device.torch_device),
        "described": device.describe(),
        "precision": device.precision,
        "threads": torch.get_num_threads(),
        "waiting": os.environ.get("OMP_WAIT_POLICY", ""),
        "torch": torch.__version__,
    }
