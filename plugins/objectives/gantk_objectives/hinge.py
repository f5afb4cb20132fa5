"""Losses with a margin."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu

from gan_toolkit import Objective


class Hinge(Objective):
    """Hinge losses of scores s: Lim and Ye 2017, arXiv 1705.02894; Miyato et al. 2018, 1802.05957.

    Critic: E max(0, 1 - s_real) + E max(0, 1 + s_fake), 2 at score 0; samples beyond their margin
    no longer count. Generator: -E s_fake, 0 at score 0; it has no bound and goes on rewarding.
    """

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        """Return the scalar the critic minimises."""
        return relu(1 - real_score).mean() + relu(1 + fake_score).mean()

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        """Return the scalar the generator minimises; `real_score` is not read."""
        del real_score
        return -fake_score.mean()
