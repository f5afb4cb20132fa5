"""The training step: who moves, on what, when, and what the next step depends on."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gan_toolkit.averaging import ExponentialAverage
from gan_toolkit.engine import Engine, Term
from gan_toolkit.errors import GuardError, ResumeError
from gan_toolkit.interfaces import Objective, Pass, Regulariser
from gan_toolkit.players import Optimiser
from gan_toolkit.schedules import Linear
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.parts import (
    ReadBack,
    Smooth,
    TinyCritic,
    TinyObjective,
    adam,
    tiny_engine,
    tiny_space,
)


def real_batch(engine: Engine, step: int = 0, size: int = 6) -> torch.Tensor:
    rng = torch.Generator().manual_seed(step)
    return torch.randn(size * engine.batches_per_step, 2, generator=rng)


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def moved(before: dict[str, torch.Tensor], module: nn.Module) -> set[str]:
    return {n for n, p in module.named_parameters() if not torch.equal(before[n], p.detach())}


class Constant(Regulariser):
    """Adds a constant, and remembers in which step and phase it was asked."""

    def __init__(self, value: float = 1.0) -> None:
        super().__init__()
        self.value = value
        self.asked: list[tuple[str, int]] = []

    def critic_term(self, seen: Pass) -> torch.Tensor:
        self.asked.append(("critic", seen.step))
        return seen.on_fake.score.sum() * 0 + self.value

    def generator_term(self, seen: Pass) -> torch.Tensor:
        self.asked.append(("generator", seen.step))
        return seen.on_fake.score.sum() * 0 + self.value


def test_both_players_and_the_head_move_in_one_step():
    head = ReadBack()
    engine = tiny_engine(terms=[Term("read", head)])
    before = [weights(m) for m in (engine.generator, engine.critic, head)]

    engine.step(real_batch(engine))

    assert moved(before[0], engine.generator) == set(before[0])
    assert moved(before[1], engine.critic) == set(before[1])
    assert moved(before[2], head) == set(before[2])
    assert engine.unmoved() == []


def test_a_player_moves_only_its_own_parameters():
    frozen = Optimiser(lambda groups: torch.optim.SGD(groups), 0.0)
    engine = tiny_engine(optimisers={"generator": adam(), "critic": frozen})
    before = weights(engine.critic), weights(engine.generator)

    engine.step(real_batch(engine))

    assert moved(before[0], engine.critic) == set()
    assert moved(before[1], engine.generator) != set()


def test_a_step_equals_the_hand_written_loop():
    engine = tiny_engine(critic=TinyCritic(dropout=0.0))
    twin = tiny_engine(critic=TinyCritic(dropout=0.0))
    twin.critic.load_state_dict(engine.critic.state_dict())
    critic_adam = torch.optim.Adam(twin.critic.parameters(), 1e-3, betas=(0.5, 0.999))
    generator_adam = torch.optim.Adam(twin.generator.parameters(), 1e-3, betas=(0.5, 0.999))

    for step in range(3):
        real = real_batch(engine, step)
        engine.step(real)

        latent = twin.look(
            "critic", real, None, twin._random.stream("latents", step, "critic", 0, 0)
        ).latent
        critic_adam.zero_grad()
        real_score = twin.critic(real).score
        fake_score = twin.critic(twin.generator(latent).detach()).score
        (
            -torch.log(torch.sigmoid(real_score)) - torch.log(1 - torch.sigmoid(fake_score))
        ).mean().backward()
        critic_adam.step()
        latent = twin.look(
            "generator", real, None, twin._random.stream("latents", step, "generator", 0, 0)
        ).latent
        generator_adam.zero_grad()
        (-torch.log(torch.sigmoid(twin.critic(twin.generator(latent)).score))).mean().backward()
        generator_adam.step()

    for ours, theirs in zip(
        engine.generator.parameters(), twin.generator.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(engine.critic.parameters(), twin.critic.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_each_phase_draws_fresh_latents_and_shares_its_forwards():
    drawn: dict[str, torch.Tensor] = {}
    calls = []

    class Spy(Regulariser):
        def critic_term(self, seen: Pass) -> torch.Tensor:
            drawn["critic"] = seen.latent
            assert not seen.fake.requires_grad
            return seen.on_fake.score.mean() * 0

        def generator_term(self, seen: Pass) -> torch.Tensor:
            drawn["generator"] = seen.latent
            assert seen.fake.requires_grad
            return seen.on_fake.score.mean() * 0

    engine = tiny_engine(terms=[Term("one", Spy()), Term("two", Spy())])
    engine.critic.register_forward_hook(lambda *_: calls.append("critic"))
    engine.generator.register_forward_hook(lambda *_: calls.append("generator"))

    engine.step(real_batch(engine))

    assert not torch.equal(drawn["critic"], drawn["generator"])
    assert calls == ["critic", "generator", "critic", "generator", "critic"]


def test_critic_steps_and_accumulation_use_every_sample_once():
    seen_real = []

    class Spy(Regulariser):
        def critic_term(self, seen: Pass) -> None:
            seen_real.append(seen.real)

    engine = tiny_engine(terms=[Term("spy", Spy())], critic_steps=3, accumulate=2)
    real = real_batch(engine, size=4)

    engine.step(real)

    assert len(seen_real) == 6
    assert torch.equal(torch.cat(seen_real), real)
    with pytest.raises(ValueError, match="5 samples can't be cut into 6 equal batches"):
        engine.step(real[:5])


def test_accumulated_gradients_are_those_of_the_mean():
    class Quadratic(Objective):
        def critic_loss(self, real_score, fake_score):
            return real_score.square().mean() + 0 * fake_score.mean()

        def generator_loss(self, real_score, fake_score):
            return fake_score.mean() * 0

    critic = TinyCritic(dropout=0.0).state_dict()

    def gradient(accumulate: int) -> torch.Tensor:
        sgd = Optimiser(torch.optim.SGD, 1.0)
        engine = tiny_engine(
            critic=TinyCritic(dropout=0.0),
            objective=Quadratic(),
            accumulate=accumulate,
            optimisers={"generator": sgd, "critic": sgd},
        )
        engine.critic.load_state_dict(critic)
        engine.critic.eval()
        engine.train = lambda: None
        before = engine.critic.out.weight.detach().clone()
        engine.step(real_batch(tiny_engine(), size=8))
        return before - engine.critic.out.weight.detach()

    torch.testing.assert_close(gradient(1), gradient(4))


def test_a_term_is_active_when_its_keys_say_so_and_scaled_by_its_interval():
    term = Constant()
    engine = tiny_engine(terms=[Term("c", term, weight=0.5, every=2, start=3, stop=8)])

    logged = [engine.step(real_batch(engine, step)) for step in range(10)]

    assert sorted({step for _, step in term.asked}) == [4, 6]
    assert [i for i, metrics in enumerate(logged) if "critic/c" in metrics] == [4, 6]
    assert logged[4]["generator/c"].item() == 1.0
    assert Term("c", term, weight=0.5, every=2).factor(4) == 1.0


def test_weight_multiplies_the_term_and_follows_its_schedule():
    term = Constant(3.0)
    engine = tiny_engine(terms=[Term("c", term, weight=Linear(0.0, 1.0, over=10))])
    seen = engine.look("critic", real_batch(engine), None, None)

    engine.steps_done = 5

    assert engine.losses(seen)["c"].item() == pytest.approx(1.5)


def test_input_gradients_are_given_only_to_terms_that_ask():
    engine = tiny_engine()
    assert not engine.look("critic", real_batch(engine), None, None).real.requires_grad

    engine = tiny_engine(terms=[Term("smooth", Smooth(), every=2)])
    assert engine.look("critic", real_batch(engine), None, None).real.requires_grad
    engine.step(real_batch(engine))
    assert not engine.look("critic", real_batch(engine), None, None).real.requires_grad


def test_a_parameter_with_two_owners_is_refused_by_name():
    critic = TinyCritic()

    class Thief(Constant):
        def __init__(self) -> None:
            super().__init__()
            self.stolen = critic.out

    with pytest.raises(
        ValueError, match=r"'regularisers.thief.stolen.weight' is also 'critic.out.weight'"
    ):
        tiny_engine(critic=critic, terms=[Term("thief", Thief())])


def test_a_parameter_without_owner_is_refused_by_name():
    class Learned(nn.Module, TinyObjective):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.ones(()))

    class Forgetful(Constant):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def param_groups(self):
            return []

    with pytest.raises(ValueError, match=r"'objective.slope' has no owner"):
        tiny_engine(objective=Learned())
    with pytest.raises(ValueError, match=r"'regularisers.f.scale' has no owner"):
        tiny_engine(terms=[Term("f", Forgetful())])


def test_a_parameter_that_no_loss_reaches_is_named():
    class Idle(Constant):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Linear(1, 1)

    engine = tiny_engine(terms=[Term("idle", Idle())])
    engine.step(real_batch(engine))

    assert engine.unmoved() == ["regularisers.idle.unused.bias", "regularisers.idle.unused.weight"]


def test_groups_of_a_regulariser_scale_its_players_rate():
    class Fast(ReadBack):
        def param_groups(self):
            return [(10.0, [self.head.weight]), (0.0, [self.head.bias])]

    term = Fast()
    engine = tiny_engine(terms=[Term("fast", term)])
    bias, weight = term.head.bias.detach().clone(), term.head.weight.detach().clone()

    engine.step(real_batch(engine))

    assert torch.equal(bias, term.head.bias)
    # Adam's first step is the rate itself
    torch.testing.assert_close(
        (weight - term.head.weight).abs().max().item(), 1e-2, rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_term_that_is_not_finite_stops_before_the_update_and_is_named(value):
    engine = tiny_engine(terms=[Term("wild", Constant(value))])
    before = weights(engine.critic)

    with pytest.raises(
        GuardError, match=r"step 0: the term 'wild' of the critic's loss is (nan|inf)"
    ):
        engine.step(real_batch(engine))

    assert moved(before, engine.critic) == set()


def test_a_regulariser_that_overrides_no_term_is_refused_at_class_creation():
    with pytest.raises(TypeError, match="overrides neither critic_term nor generator_term"):

        class Misspelt(Regulariser):
            def critic_trem(self, seen: Pass) -> None: ...


# --- exact resume: every part of the state is alive, and each is needed -----------------------


def alive(seed: int = 3) -> Engine:
    """Return an engine in which every stateful part is in use."""
    decay = Linear(1e-3, 1e-4, over=40)
    return tiny_engine(
        seed,
        terms=[
            Term("read", ReadBack(), weight=Linear(0.0, 1.0, over=20)),
            Term("smooth", Smooth(), every=3),
        ],
        averaging=ExponentialAverage(0.9),
        optimisers={
            "generator": Optimiser(adam().build, decay),
            "critic": Optimiser(adam().build, 2e-3),
        },
        critic_steps=2,
        accumulate=2,
    )


def advance(engine: Engine, until: int) -> None:
    while engine.steps_done < until:
        engine.step(real_batch(engine, engine.steps_done))


def copy_of(snapshot: Snapshot) -> Snapshot:
    tensors = {g: {n: t.clone() for n, t in group.items()} for g, group in snapshot.tensors.items()}
    return Snapshot(tensors, snapshot.facts)


@pytest.fixture(scope="module")
def straight() -> tuple[Snapshot, Snapshot]:
    """Return the states at steps 13 and 40 of a run that nothing stops."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        engine = alive()
        advance(engine, 13)
        at_13 = copy_of(engine.snapshot())
        advance(engine, 40)
        return at_13, copy_of(engine.snapshot())


def test_stopped_and_resumed_equals_uninterrupted(straight):
    at_13, at_40 = straight
    engine = alive(seed=3)
    engine.restore(copy_of(at_13))
    assert difference(engine.snapshot(), at_13) == []

    advance(engine, 40)

    assert difference(engine.snapshot(), at_40) == []


PARTS = [
    "generator.weights",
    "generator.statistics",
    "critic.weights",
    "critic.spectral",
    "average",
    "regularisers",
    "optimisers.first",
    "optimisers.second",
    "optimisers.step",
    "random.torch",
    "facts.steps_done",
    "facts.regularisers",
]


@pytest.mark.parametrize("part", PARTS)
def test_leaving_out_one_part_of_the_state_is_noticed(straight, part):
    at_13, at_40 = straight
    engine = alive(seed=3)
    fresh = copy_of(engine.snapshot())
    lamed = _without(copy_of(at_13), fresh, part)

    engine.restore(lamed)
    advance(engine, 40)

    assert difference(engine.snapshot(), at_40) != []


def _without(snapshot: Snapshot, fresh: Snapshot, part: str) -> Snapshot:
    """Return the snapshot with one part as it is in an engine that has not trained."""
    group, _, rest = part.partition(".")
    if group == "facts":
        facts = snapshot.facts | {rest: fresh.facts[rest]}
        assert facts != snapshot.facts
        return Snapshot(snapshot.tensors, facts)
    keys = {
        "weights": lambda n: "running" not in n and "_u" not in n and "_v" not in n,
        "statistics": lambda n: "running" in n,
        "spectral": lambda n: n.endswith(("_u", "_v")),
        "first": lambda n: n.endswith("exp_avg"),
        "second": lambda n: n.endswith("exp_avg_sq"),
        "step": lambda n: n.endswith("/step"),
        "torch": lambda n: n == "torch",
        "": lambda n: True,
    }
    touched = [name for name in snapshot.tensors[group] if keys[rest](name)]
    assert touched, f"{part} is not alive in the test"
    for name in touched:
        mine = snapshot.tensors[group]
        if group == "random":
            mine[name] = torch.Generator().manual_seed(99).get_state()
        elif group == "optimisers":
            mine[name] = torch.zeros_like(mine[name])
        else:
            assert not torch.equal(mine[name], fresh.tensors[group][name]), f"{name} is not alive"
            mine[name] = fresh.tensors[group][name]
    return snapshot


def test_a_checkpoint_of_another_recipe_is_refused_and_nothing_changes():
    engine, other = tiny_engine(), tiny_engine(terms=[Term("read", ReadBack())])
    before = copy_of(engine.snapshot())

    with pytest.raises(ResumeError, match="does not fit the recipe"):
        other.restore(engine.snapshot())
    snapshot = copy_of(engine.snapshot())
    snapshot.tensors["critic"]["out.weight"] = torch.zeros(1, 99)
    with pytest.raises(
        ResumeError, match=r"critic.out.weight is 1x99 float32, the recipe makes 1x8"
    ):
        engine.restore(snapshot)

    assert difference(engine.snapshot(), before) == []


def test_latents_are_drawn_by_purpose_and_seed():
    space = tiny_space()
    one, two = tiny_engine(1), tiny_engine(2)

    draws = [e._random.stream("latents", 0, "critic", 0, 0) for e in (one, two)]

    assert not torch.equal(space.sample(4, draws[0]), space.sample(4, draws[1]))


class Draws(Regulariser):
    """Notes what it draws."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[float] = []

    def critic_term(self, seen: Pass) -> None:
        self._draw(seen)

    def generator_term(self, seen: Pass) -> None:
        self._draw(seen)

    def _draw(self, seen: Pass) -> None:
        for purpose in ("one", "two"):
            self.drawn.append(torch.rand(1, generator=seen.rng(purpose)).item())


def test_what_a_term_draws_depends_on_seed_place_term_and_purpose_only() -> None:
    def drawn(seed: int, start: int = 0, name: str = "draws") -> list[float]:
        term = Draws()
        engine = tiny_engine(seed=seed, terms=[Term(name, term)])
        engine.steps_done = start
        for _ in range(2):
            engine.step(torch.zeros(4, 2))
        return term.drawn

    assert len(set(drawn(0))) == 8  # two steps, two phases, two purposes
    assert drawn(0) == drawn(0)
    assert drawn(0, start=1)[:4] == drawn(0)[4:]
    assert not set(drawn(0)) & set(drawn(1))
    assert not set(drawn(0)) & set(drawn(0, name="others"))
