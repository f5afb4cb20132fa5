"""The zero-sum game."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from gan_toolkit import Objective


class Minimax(Objective):
    """Equation 1 of Goodfellow et al. 2014, arXiv 1406.2661, with D = sigmoid(score s).

    Critic: -E log D(real) - E log(1 - D(fake)) = E softplus(-s_real) + E softplus(s_fake), which is
    2 log 2 at score 0. Generator: E log(1 - D(fake)) = -E softplus(s_fake), -log 2 at score 0. Its
    gradient vanishes while the critic wins: for study, `non_saturating` is the one to train with.
    """

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        """Return the scalar the critic minimises."""
        return softplus(-real_score).mean() + softplus(fake_score).mean()

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        """Return the scalar the generator minimises; `real_score` is not read."""
        del real_score
        return -softplus(fake_score).mean()
