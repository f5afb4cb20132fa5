"""What every `Objective` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import itertools
from abc import abstractmethod

import torch
from torch import Tensor

from gan_toolkit.interfaces import Objective
from gan_toolkit.testing.conformance.base import Conformance, rng_of


class ObjectiveConformance(Conformance):
    """What every `Objective` promises."""

    @abstractmethod
    def make(self) -> Objective:
        """Return the objective to check."""

    def test_losses_are_finite_scalars_at_any_score(self) -> None:
        objective = self.make()

        for count, size in itertools.product((1, 5), (0.0, 1.0, 1e4)):
            real, fake = (size * torch.randn(count, generator=rng_of(seed)) for seed in (1, 2))
            for loss in self._losses(objective, real, fake):
                assert loss.shape == ()
                assert loss.isfinite()

    # At scores on the wrong side: some games have no slope at 0.

    def test_the_critic_learns_to_tell_real_from_fake(self) -> None:
        real, fake = (torch.full((4,), score, requires_grad=True) for score in (-0.5, 0.5))

        self.make().critic_loss(real, fake).backward()

        assert (_slope(real) < 0).all(), "a higher score of a real sample must lower the loss"
        assert (_slope(fake) > 0).all(), "a higher score of a fake sample must raise the loss"

    def test_the_generator_learns_to_please_the_critic(self) -> None:
        objective, fake = self.make(), torch.full((4,), -0.5, requires_grad=True)
        real = torch.zeros(4) if objective.needs_real_for_generator else None

        objective.generator_loss(real, fake).backward()

        assert (_slope(fake) < 0).all(), "a higher score of a fake sample must lower the loss"

    def test_losses_are_means_over_the_batch(self) -> None:
        objective = self.make()
        real, fake = torch.randn(4, generator=rng_of(1)), torch.randn(4, generator=rng_of(2))

        once = self._losses(objective, real, fake)
        twice = self._losses(objective, real.repeat(2), fake.repeat(2))

        torch.testing.assert_close(once, twice)

    def _losses(self, objective: Objective, real: Tensor, fake: Tensor) -> list[Tensor]:
        shown = real if objective.needs_real_for_generator else None
        return [objective.critic_loss(real, fake), objective.generator_loss(shown, fake)]


def _slope(score: Tensor) -> Tensor:
    assert score.grad is not None
    return score.grad
