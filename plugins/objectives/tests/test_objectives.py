from __future__ import annotations

import math

import pytest
import torch

from gan_toolkit import Objective
from gan_toolkit.testing.conformance import ObjectiveConformance
from gantk_objectives.hinge import Hinge
from gantk_objectives.minimax import Minimax
from gantk_objectives.non_saturating import NonSaturating


class TestNonSaturating(ObjectiveConformance):
    def make(self) -> Objective:
        return NonSaturating()


class TestMinimax(ObjectiveConformance):
    def make(self) -> Objective:
        return Minimax()


class TestHinge(ObjectiveConformance):
    def make(self) -> Objective:
        return Hinge()


@pytest.mark.parametrize(
    ("objective", "critic", "generator"),
    [
        (NonSaturating(), 2 * math.log(2), math.log(2)),
        (Minimax(), 2 * math.log(2), -math.log(2)),
        (Hinge(), 2.0, 0.0),
    ],
    ids=["non_saturating", "minimax", "hinge"],
)
def test_losses_at_score_0_by_hand(objective: Objective, critic: float, generator: float) -> None:
    score = torch.zeros(3)

    assert objective.critic_loss(score, score).item() == pytest.approx(critic)
    assert objective.generator_loss(None, score).item() == pytest.approx(generator)


@pytest.mark.parametrize(
    ("objective", "critic", "generator"),
    [
        (NonSaturating(), -2 * math.log(0.8), -math.log(0.2)),
        (Minimax(), -2 * math.log(0.8), math.log(0.8)),
        (Hinge(), 0.0, math.log(4)),
    ],
    ids=["non_saturating", "minimax", "hinge"],
)
def test_losses_of_a_critic_that_is_80_percent_sure_by_hand(
    objective: Objective, critic: float, generator: float
) -> None:
    """D(real) = 0.8 and D(fake) = 0.2: scores log 4 and -log 4, beyond the hinge's margin of 1."""
    real, fake = torch.full((3,), math.log(4)), torch.full((3,), -math.log(4))

    assert objective.critic_loss(real, fake).item() == pytest.approx(critic, abs=1e-6)
    assert objective.generator_loss(None, fake).item() == pytest.approx(generator, abs=1e-6)


def slope(objective: Objective, score: float) -> float:
    fake = torch.tensor([float(score)], requires_grad=True)
    objective.generator_loss(None, fake).backward()
    assert fake.grad is not None
    return fake.grad.item()


def test_only_minimax_starves_the_generator_of_a_sure_critic() -> None:
    assert slope(NonSaturating(), -10) == pytest.approx(-1, abs=1e-3)
    assert slope(Hinge(), -10) == -1
    assert slope(Minimax(), -10) == pytest.approx(0, abs=1e-3)


def test_hinge_ignores_samples_beyond_their_margin() -> None:
    real = torch.tensor([0.5, 1.5], requires_grad=True)
    fake = torch.tensor([-0.5, -1.5], requires_grad=True)

    Hinge().critic_loss(real, fake).backward()

    assert real.grad is not None
    assert fake.grad is not None
    assert real.grad.tolist() == [-0.5, 0]
    assert fake.grad.tolist() == [0.5, 0]
