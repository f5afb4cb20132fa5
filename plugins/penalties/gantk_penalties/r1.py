"""The gradient penalty at real samples."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_toolkit import Pass, Regulariser


class R1(Regulariser):
    """E[|grad_x D(x)|^2] / 2 over real samples x, with D the score: |w|^2 / 2 for a linear critic.

    The term's `weight` is gamma of Mescheder et al. 2018 (arXiv 1801.04406, equation 9): the half
    is in here. With `every = n` the engine scales an active term by n, so gamma keeps its meaning.
    A critic with batch norm judges samples together; the gradient then holds their mutual influence
    as well, and the penalty is no longer one of each sample alone.
    """

    needs_input_grad = True

    def critic_term(self, seen: Pass) -> Tensor:
        """Return the penalty; differentiable once more, so that the critic can be moved by it."""
        score = seen.on_real.score
        (slope,) = torch.autograd.grad(score.sum(), seen.real, create_graph=True)
        return slope.float().square().flatten(1).sum(dim=1).mean() / 2
