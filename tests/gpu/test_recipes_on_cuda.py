"""Every shipped recipe takes steps on a CUDA device, close to those of the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gan_toolkit
from gan_toolkit.assemble import Assembly
from gan_toolkit.batches import ArrayDataset, Batches
from gan_toolkit.device import Compiling, accelerator_available, choose_device
from gan_toolkit.engine import Engine
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import load_recipe
from gan_toolkit.snapshot import difference

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not accelerator_available(), reason="torch sees no CUDA device"),
]

HOST = load_plugins(environ={})
RECIPES = sorted((Path(gan_toolkit.__file__).parent.parent / "recipes").glob("*.toml"))
SHAPES = {"infogan_ring": (2,), "infogan_digits": (1, 8, 8), "infogan_chairs": (1, 64, 64)}


def engine_on(device: str, path: Path, compiling: Compiling = "off") -> tuple[Engine, Batches]:
    recipe = load_recipe(path, HOST)
    shape = SHAPES.get(path.stem, (1, 28, 28))
    rng = torch.Generator().manual_seed(0)
    samples = torch.randint(256, (64, *shape), generator=rng, dtype=torch.uint8)
    samples = samples if len(shape) == 3 else torch.randn(64, *shape, generator=rng)
    data = ArrayDataset("noise", "synthetic", samples)
    assembly = Assembly(recipe, HOST.registry)
    chosen = choose_device(device, "f32", compiling=compiling)
    engine = assembly.engine(assembly.networks(data), chosen)
    return engine, Batches(data, 16 * engine.batches_per_step, 0, chosen.torch_device)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_losses_on_the_card_are_those_of_the_cpu(path):
    """The same weights judge the same latents alike; draws differ between devices."""
    (cpu, batches), (cuda, _) = engine_on("cpu", path), engine_on("cuda", path)
    real = batches.at(0).samples
    seen = cpu.look("critic", real, None, torch.Generator().manual_seed(0))
    there = cuda.look("critic", real.cuda(), None, torch.Generator("cuda").manual_seed(0))
    there.latent = seen.latent.cuda()
    there.latents = cuda.latents.split(there.latent)

    ours, theirs = cpu.losses(seen), cuda.losses(there)

    for name, loss in ours.items():
        torch.testing.assert_close(loss, theirs[name].cpu(), rtol=2e-2, atol=2e-3)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_run_on_the_card_is_stopped_and_resumed(path):
    engine, batches = engine_on("cuda", path)
    for step in range(3):
        engine.step(batches.at(step).samples)
    other, _ = engine_on("cuda", path)

    other.restore(engine.snapshot())

    assert difference(engine.snapshot(), other.snapshot()) == []
    assert all(value.isfinite() for value in other.step(batches.at(3).samples).values())


def test_batches_that_do_not_fit_on_the_card_are_those_of_the_cpu(monkeypatch):
    monkeypatch.setattr("gan_toolkit.batches.RESIDENT_BYTES", 0)
    samples = torch.randint(256, (64, 1, 8, 8), dtype=torch.uint8)
    data = ArrayDataset("noise", "synthetic", samples)
    plain, away = Batches(data, 16, 0), Batches(data, 16, 0, torch.device("cuda"))

    for step in (0, 1, 2, 9):
        assert torch.equal(away.at(step).samples.cpu(), plain.at(step).samples)


@pytest.mark.parametrize("compiling", ["kernels", "graphs"])
def test_a_compiled_step_is_that_of_the_plain_networks(compiling):
    path = next(path for path in RECIPES if path.stem == "infogan_digits")
    (plain, batches), (compiled, _) = engine_on("cuda", path), engine_on("cuda", path, compiling)
    for step in range(5):
        real = batches.at(step).samples
        ours, theirs = plain.step(real), compiled.step(real)

    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, rtol=2e-2, atol=2e-3)
