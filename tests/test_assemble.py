"""What a recipe says reaches the parts it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gan_toolkit
from gan_toolkit.assemble import Assembly, Networks, Parts, assemble, rehearse
from gan_toolkit.batches import Batches
from gan_toolkit.device import Device
from gan_toolkit.engine import Engine, Term
from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = ("data.count=200", "run.batch_size=8")


def parts(*more: str) -> Parts:
    recipe = load_recipe(RING, HOST, overrides=[Override(text) for text in (*SHORT, *more)])
    return assemble(recipe, HOST.registry, Device())


def term(name: str, *more: str) -> Term:
    return next(term for term in parts(*more).engine.terms if term.name == name)


@pytest.mark.parametrize(
    ("key", "value"), [("weight", 0.25), ("every", 4), ("start", 3), ("stop", 20)]
)
def test_a_key_of_a_regularisers_table_reaches_its_term(key, value):
    smooth = term("smooth", f"regularisers.smooth.{key}={value}")
    others = term("information", f"regularisers.smooth.{key}={value}")

    assert getattr(smooth, key) == value
    assert getattr(others, key) == getattr(Term("by default", others.regulariser), key)


def test_a_term_is_active_at_the_steps_its_recipe_says():
    keys = ("every=2", "start=3", "stop=7")
    assembled = parts(*(f"regularisers.smooth.{key}" for key in keys))
    engine, batches = assembled.engine, assembled.batches

    logged = [engine.step(batches.at(step).samples) for step in range(9)]

    assert [step for step, metrics in enumerate(logged) if "critic/smooth" in metrics] == [4, 6]


def test_a_scheduled_weight_reaches_its_term_as_a_schedule():
    ramp = '{ use = "linear", from = 0.0, to = 1.0, over = 10 }'

    smooth = term("smooth", f"regularisers.smooth.weight={ramp}")

    assert [smooth.factor(step) for step in (0, 5, 10, 99)] == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(("critic_steps", "accumulate"), [(1, 1), (3, 1), (1, 2), (3, 2)])
def test_critic_steps_and_accumulation_reach_the_engine_and_its_batches(critic_steps, accumulate):
    assembled = parts(f"run.critic_steps={critic_steps}", f"run.accumulate={accumulate}")

    engine = assembled.engine
    assert (engine.critic_steps, engine.accumulate) == (critic_steps, accumulate)
    assert assembled.batches.size == 8 * critic_steps * accumulate
    assert assembled.batches.at(0).samples.shape == (8 * critic_steps * accumulate, 2)
    engine.step(assembled.batches.at(0).samples)


def test_rates_of_the_optimisers_reach_their_players():
    plain = 'optimisers.generator={ use = "sgd", lr = 0.125 }'
    ramp = '{ use = "linear", from = 0.5, to = 0.25, over = 1 }'
    engine = parts(plain, f'optimisers.critic={{ use = "sgd", lr = {ramp} }}').engine
    rates = []

    for _ in range(2):
        engine.step(torch.randn(8, 2))
        players = engine._players.items()
        rates.append({name: one.optimiser.param_groups[0]["lr"] for name, one in players})

    assert rates == [{"generator": 0.125, "critic": 0.5}, {"generator": 0.125, "critic": 0.25}]


def test_the_seed_draws_the_weights_and_touches_no_global_state():
    before = torch.get_rng_state()
    first, again = parts().engine.generator, parts().engine.generator
    other = parts("run.seed=1").engine.generator

    assert torch.equal(torch.get_rng_state(), before)
    for one, two, three in zip(
        first.parameters(), again.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(one, two)
        assert one.dim() == 1 or not torch.equal(one, three)


def test_a_part_that_does_not_fit_is_refused_with_the_table_at_fault():
    with pytest.raises(RecipeError, match=r"--set #3: critic: .* the data has points"):
        parts('critic={ use = "dcgan" }')


def test_a_term_that_starts_late_or_from_nothing_is_rehearsed_too() -> None:
    late = (
        "regularisers.smooth.start=500",
        'regularisers.smooth.weight={use="linear", from=0.0, to=1.0, over=10}',
    )
    recipe = load_recipe(RING, HOST, overrides=[Override(text) for text in late])
    assembly = Assembly(recipe, HOST.registry)
    asked: list[str] = []

    class Watching(Assembly):
        def engine(self, networks: Networks, device: Device) -> Engine:
            engine = super().engine(networks, device)
            smooth = engine.regularisers["smooth"]
            smooth.critic_term = lambda seen: asked.append(seen.phase)  # type: ignore[assignment]
            return engine

    engine = rehearse(Watching(recipe, HOST.registry), assembly.data())

    assert asked == ["critic"]
    assert [term.start for term in engine.terms if term.name == "smooth"] == [500]


def test_augments_of_a_recipe_change_the_real_samples() -> None:
    recipe = load_recipe(
        RING.with_name("infogan_digits.toml"),
        HOST,
        overrides=[
            Override('augments.flip.use="horizontal_flip"'),
            Override("augments.flip.probability=1.0"),
            Override("run.batch_size=8"),
        ],
    )

    assembled = assemble(recipe, HOST.registry, Device())

    plain = Batches(assembled.data, 8, recipe.run.seed).at(3).samples
    assert torch.equal(assembled.batches.at(3).samples, plain.flip(-1))
    assert recipe.to_dict()["augments"]["flip"]["use"] == "horizontal_flip@1"


def test_an_augment_that_does_not_fit_is_refused_with_its_table() -> None:
    with pytest.raises(RecipeError, match=r"augments\.flip: .*changes images"):
        parts('augments.flip.use="horizontal_flip"')
