"""Builders of optimisers: each returns a function from parameter groups to a torch optimiser.

The learning rate is not here: the engine puts one into every group, and changes it as scheduled.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch.optim import SGD, Adam, RMSprop


def adam(
    betas: Sequence[float] = (0.5, 0.999), eps: float = 1e-8, weight_decay: float = 0.0
) -> partial[Adam]:
    """Adam, Kingma and Ba 2015, arXiv 1412.6980.

    Fused: one kernel for all parameters, a tenth off a step on the CPU, equal to rounding.
    """
    pair = (betas[0], betas[1])
    return partial(Adam, betas=pair, eps=eps, weight_decay=weight_decay, fused=True)


def sgd(momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> partial[SGD]:
    """Plain gradient steps, with momentum if wanted; fused."""
    if nesterov and momentum == 0:
        raise ValueError("nesterov = true needs a momentum above 0")
    return partial(SGD, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay, fused=True)


def rmsprop(
    alpha: float = 0.99, eps: float = 1e-8, momentum: float = 0.0, weight_decay: float = 0.0
) -> partial[RMSprop]:
    """Steps scaled by the running size of each gradient: Tieleman and Hinton 2012, lecture 6.5."""
    return partial(RMSprop, alpha=alpha, eps=eps, momentum=momentum, weight_decay=weight_decay)
