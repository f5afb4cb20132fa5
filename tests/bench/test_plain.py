"""The plain loop computes what the recipes do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

import gan_toolkit
from gan_toolkit import load_plugins, load_recipe
from gan_toolkit.assemble import Assembly
from gan_toolkit.bench.floor import Recorder
from gan_toolkit.bench.own import random_data
from gan_toolkit.recipe.finding import find_recipe

PATH = Path(gan_toolkit.__file__).parents[1] / "benchmarks" / "plain_infogan.py"
HOST = load_plugins(environ={})


@pytest.fixture(scope="module")
def plain():
    spec = importlib.util.spec_from_file_location("plain_infogan", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["Digits", "Chairs"])
def both(request, plain):
    """The plain loop's game and the recipe's networks, without memory."""
    kind = getattr(plain, request.param)
    recipe = {"Digits": "infogan_mnist", "Chairs": "infogan_chairs"}[request.param]
    data = random_data(kind.shape)
    with torch.device("meta"):
        loaded = load_recipe(find_recipe(recipe, HOST), HOST)
        networks = Assembly(loaded, HOST.registry).networks(data)
        game = plain.Game(kind, {"device": "meta", "precision": "f32", "batch": 2}, "loop")
    return game, networks


def count(*modules) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def forward(generator, critic, width) -> dict[str, int]:
    with Recorder() as recorder:
        critic(generator(torch.empty(2, width, device="meta")))
    return recorder.flops()


def test_its_networks_are_those_of_the_recipe(both):
    game, networks = both

    assert count(game.generator) == count(networks.generator)
    assert count(game.trunk, game.score) == count(networks.critic)
    assert count(game.head) == count(*networks.regularisers.values())


def test_a_forward_pass_computes_as_much_as_the_recipe_s(both):
    game, networks = both
    width = networks.latents.width

    found = forward(game.generator, game.judged, width)

    assert found == forward(networks.generator, networks.critic, width)


@pytest.mark.parametrize("adam", ["loop", "fused"])
def test_a_step_moves_every_part(plain, adam):
    with torch.random.fork_rng(devices=[]):
        game = plain.Game(plain.Digits, {"device": "cpu", "precision": "f32", "batch": 2}, adam)
        parts = (game.generator, game.trunk, game.score, game.head)
        before = [[p.detach().clone() for p in part.parameters()] for part in parts]
        game.step()

    for part, old in zip(parts, before, strict=True):
        pairs = zip(part.parameters(), old, strict=True)
        assert any(not torch.equal(now, then) for now, then in pairs)


def test_what_it_has_no_networks_for_is_said(plain):
    with pytest.raises(ValueError, match="1x28x28 and 1x64x64"):
        plain.set_up("loop")({"shape": [3, 32, 32]})
