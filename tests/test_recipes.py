"""Every shipped recipe, in every variant, is read, assembled, rehearsed and takes one step."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

import gan_toolkit
from gan_toolkit.assemble import Assembly, rehearse
from gan_toolkit.batches import ArrayDataset, normalise
from gan_toolkit.device import Device
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, Recipe, load_recipe

RECIPES = sorted((Path(gan_toolkit.__file__).parent.parent / "recipes").glob("*.toml"))
SHAPES = {"mnist": (1, 28, 28), "chairs": None, "ring": (2,), "digits": (1, 8, 8)}
HOST = load_plugins()


def cases() -> list[tuple[Path, tuple[str, ...]]]:
    return [
        (path, variant)
        for path in RECIPES
        for variant in [(), *((name,) for name in load_recipe(path, HOST).variants)]
    ]


def load(path: Path, variants: tuple[str, ...]) -> Recipe:
    return load_recipe(path, HOST, variants=variants, overrides=[Override("run.batch_size=4")])


def stand_in(recipe: Recipe) -> ArrayDataset:
    """Return a few random samples of the shape that the recipe's data has."""
    use = recipe.data.component.name
    size = getattr(recipe.data.options, "size", None)
    shape = SHAPES[use] or (1, size, size)
    rng = torch.Generator().manual_seed(0)
    if len(shape) == 1:
        return ArrayDataset("points", "synthetic", torch.randn(64, *shape, generator=rng))
    images = torch.randint(256, (64, *shape), generator=rng, dtype=torch.uint8)
    return ArrayDataset("noise", "synthetic", images)


IDS = [f"{path.stem}-{'-'.join(variant) or 'base'}" for path, variant in cases()]


@pytest.mark.parametrize(("path", "variants"), cases(), ids=IDS)
def test_a_recipe_assembles_and_takes_one_step(path, variants):
    recipe = load(path, variants)
    data = stand_in(recipe)
    assembly = Assembly(recipe, HOST.registry)

    rehearse(assembly, data)
    engine = assembly.engine(assembly.networks(data), Device())
    real = normalise(data.batch(torch.arange(4 * engine.batches_per_step)).samples)
    engine.steps_done = max((term.first for term in engine.terms), default=0)
    metrics = engine.step(real)

    assert all(value.isfinite() for value in metrics.values())
    assert engine.unmoved() == []


@pytest.mark.parametrize(("path", "variants"), cases(), ids=IDS)
def test_both_phases_stay_on_a_pretended_cuda_device(path, variants):
    """A tensor left on the CPU meets one on the card, and torch says so; no card is needed.

    Backward passes and generators on the device need a real one.
    """
    # an average copies weights, which a pretended device has not; it takes part in no phase
    recipe = dataclasses.replace(load(path, variants), averaging=None)
    data = stand_in(recipe)
    assembly = Assembly(recipe, HOST.registry)
    with contextlib.ExitStack() as stack:
        stack.enter_context(FakeTensorMode())
        try:
            stack.enter_context(torch.device("cuda"))
            torch.zeros(1)
        except (RuntimeError, AssertionError) as error:
            pytest.skip(f"this torch can't pretend a CUDA device: {error}")
        engine = assembly.engine(assembly.networks(data), Device(torch.device("cuda")))
        engine.terms = tuple(t for t in engine.terms if not t.regulariser.needs_input_grad)
        engine.steps_done = max((term.first for term in engine.terms), default=0)
        real = torch.empty((4, *data.sample_shape))
        for phase in ("critic", "generator"):
            losses = engine.losses(engine.look(phase, real, None, None))

            assert {loss.device.type for loss in losses.values()} == {"cuda"}
