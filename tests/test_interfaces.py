"""What one phase of a step shows its terms, and what it leaves behind in the critic."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit.interfaces import Critic, Judgement, Pass
from gan_toolkit.randomness import seeded
from gan_toolkit.testing.parts import TinyGenerator, tiny_engine, tiny_space
from gan_toolkit.testing.views import Choice, Level, Turn

QUARTERS = torch.linspace(0, 1, 5)
FAR = 40.0
"""Where the real samples lie: statistics that took in any of them would show it at once."""


class NormedCritic(Critic):
    """Normalises the samples themselves, so that its statistics can be told by hand."""

    feature_width = 2

    def __init__(self, momentum: float | None = 0.1) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(2, momentum=momentum)
        self.out = nn.Linear(2, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        features = self.norm(sample)
        return Judgement(self.out(features).squeeze(1), features)


class BrokenCritic(NormedCritic):
    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        raise RuntimeError("out of order")


def look(critic: Critic, real: Tensor) -> Pass:
    engine = tiny_engine(critic=critic)
    return engine.look("critic", real, None, torch.Generator().manual_seed(0))


def real_samples() -> Tensor:
    return torch.randn(6, 2, generator=torch.Generator().manual_seed(1)) + FAR


def statistics(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean.clone(), norm.running_var.clone()


def test_judging_real_samples_leaves_the_critics_statistics_as_they_were():
    critic = NormedCritic()
    seen = look(critic, real_samples())
    before = statistics(critic.norm)

    features = seen.on_real.features

    assert all(map(torch.equal, before, statistics(critic.norm)))
    # it still normalises by the batch in hand
    torch.testing.assert_close(features.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    assert critic.norm.momentum == 0.1


@pytest.mark.parametrize(("momentum", "share"), [(0.1, 0.1), (None, 1.0)])
def test_the_critics_statistics_are_those_of_the_fakes_alone(momentum, share):
    """A momentum of None averages over all batches: the first one counts whole."""
    critic = NormedCritic(momentum)
    seen = look(critic, real_samples())

    _ = seen.on_real, seen.on_fake

    fakes = seen.fake.detach()
    mean, variance = statistics(critic.norm)
    torch.testing.assert_close(mean, share * fakes.mean(0))
    torch.testing.assert_close(variance, (1 - share) + share * fakes.var(0))


def test_a_whole_step_keeps_the_real_samples_out_of_the_critics_statistics():
    critic = NormedCritic()
    engine = tiny_engine(critic=critic, critic_steps=3)

    engine.step(real_samples())

    assert statistics(critic.norm)[0].abs().max() < FAR / 20


def test_a_critic_that_fails_remembers_again_afterwards():
    critic = BrokenCritic()
    seen = look(critic, real_samples())

    with pytest.raises(RuntimeError, match="out of order"):
        _ = seen.on_real

    assert (critic.norm.momentum, critic.norm.track_running_stats) == (0.1, True)


class Layered(Critic):
    """Two layers with batch norm, in f64, so that only mathematics is compared."""

    feature_width = 6
    separable = True

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, 5), nn.BatchNorm1d(5), nn.LeakyReLU(), nn.Linear(5, 6), nn.BatchNorm1d(6)
        ).double()
        self.calls = 0

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        self.calls += 1
        features = self.layers(sample.double())
        score = features.sum(1) if condition is None else features.sum(1) * condition.double()
        return Judgement(score, features)


def judged(critic: Layered, *, separable: bool, first: str, **given: Any) -> dict[str, Tensor]:
    """Return all a critic's phase could tell: scores, features, gradients, what norms remember."""
    space = tiny_space()
    with seeded(1):
        generator = TinyGenerator(space.width)
    seen = Pass(
        "critic",
        0,
        generator=generator,
        critic=critic,
        space=space,
        latent=space.sample(6, torch.Generator().manual_seed(0)),
        real=real_samples(),
        norms=[m for m in critic.modules() if isinstance(m, nn.BatchNorm1d)],
        separable=separable,
        **given,
    )
    getattr(seen, first)
    real, fake = seen.on_real, seen.on_fake
    (real.score.sin().sum() + fake.features.cos().sum() + fake.score.sum()).backward()
    found = {"real": real.score, "on_real": real.features, "fake": fake.score}
    found |= {"on_fake": fake.features, **critic.state_dict()}
    return found | {f"{name}.grad": p.grad for name, p in critic.named_parameters()}


@pytest.mark.parametrize("condition", [None, torch.linspace(-1, 1, 6)])
@pytest.mark.parametrize("first", ["on_real", "on_fake"])
def test_real_and_fake_in_one_call_are_judged_as_in_two(first, condition):
    apart, together = Layered(), Layered()
    together.load_state_dict(apart.state_dict())

    wanted = judged(apart, separable=False, first=first, condition=condition)
    found = judged(together, separable=True, first=first, condition=condition)

    assert (apart.calls, together.calls) == (2, 1)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6, msg=name)


def test_with_gradients_of_their_own_real_and_fake_are_judged_apart():
    critic = Layered()

    judged(critic, separable=True, first="on_real", input_grad=True)

    assert critic.calls == 2


def test_after_one_call_for_both_batch_norms_are_as_they_were():
    critic = Layered()
    before = [type(norm).forward for norm in critic.layers]

    judged(critic, separable=True, first="on_real")

    assert [norm.forward.__func__ for norm in critic.layers] == before
    assert all(getattr(norm, "track_running_stats", True) for norm in critic.layers)


def test_a_phase_without_real_samples_says_so():
    space = tiny_space()
    seen = Pass(
        "generator",
        0,
        generator=TinyGenerator(space.width),
        critic=NormedCritic(),
        space=space,
        latent=space.sample(4, None),
    )

    with pytest.raises(RuntimeError, match="the generator phase has no real samples"):
        _ = seen.real


def test_what_a_term_logs_carries_its_name_and_no_gradient():
    seen = look(NormedCritic(), real_samples())

    seen.log("alone", seen.on_fake.score.mean())
    seen.speaker = "term"
    seen.log("named", seen.on_fake.score.mean())

    assert list(seen.logged) == ["alone", "term/named"]
    assert not seen.logged["term/named"].requires_grad


# --- latents -------------------------------------------------------------------------------


def test_a_number_goes_straight_from_one_value_to_another() -> None:
    way = Level().between(torch.tensor([[-1.0], [0.0]]), torch.tensor([[1.0], [0.5]]), QUARTERS)

    assert way[:, :, 0].tolist() == [[-1.0, -0.5, 0.0, 0.5, 1.0], [0.0, 0.125, 0.25, 0.375, 0.5]]


def test_a_direction_goes_along_the_shorter_arc() -> None:
    """From 170 to 190 degrees over 180; back from 10 to -20 over 0."""
    first, last = (_directions(170, 10), _directions(190, -20))

    way = Turn().between(first, last, torch.tensor([0.0, 0.5, 1.0]))

    torch.testing.assert_close(way[0], _directions(170, 180, 190))
    torch.testing.assert_close(way[1], _directions(10, -5, -20))


def test_every_pair_may_have_shares_of_its_own() -> None:
    shares = torch.tensor([[0.25], [0.75]])

    numbers = Level().between(torch.zeros(2, 1), torch.ones(2, 1), shares)
    turns = Turn().between(_directions(0, 0), _directions(40, 80), shares)
    choices = Choice(2).between(torch.eye(2), torch.eye(2).flip(0), shares)

    assert numbers.flatten().tolist() == [0.25, 0.75]
    torch.testing.assert_close(turns[:, 0], _directions(10, 60))
    assert torch.equal(choices[:, 0], torch.eye(2))


def _directions(*degrees: float) -> Tensor:
    angles = torch.tensor(degrees).deg2rad()
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_nothing_lies_between_two_categories() -> None:
    first, last = torch.eye(3)[[0, 1]], torch.eye(3)[[2, 2]]

    way = Choice(3).between(first, last, QUARTERS)

    assert torch.equal(way, first[:, None].expand(2, 5, 3))
