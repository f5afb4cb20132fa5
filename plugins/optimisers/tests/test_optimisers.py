from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from gantk_optimisers.optimisers import adam, rmsprop, sgd

BUILDERS: list[Callable[[], Callable[[Any], torch.optim.Optimizer]]] = [adam, sgd, rmsprop]


def step(factory: Callable[[Any], torch.optim.Optimizer], lr: float) -> float:
    """Return where one step on x^2 / 2 takes 2.0, at the rate its group arrives with."""
    x = nn.Parameter(torch.tensor([2.0]))
    optimiser = factory([{"params": [x], "lr": lr}])
    (x.square() / 2).sum().backward()
    optimiser.step()
    return x.item()


def test_plain_gradient_step_by_hand() -> None:
    assert step(sgd(), 0.1) == pytest.approx(2 - 0.1 * 2)
    assert step(sgd(weight_decay=0.5), 0.1) == pytest.approx(2 - 0.1 * (2 + 0.5 * 2))


def test_first_adam_step_is_the_rate_whatever_the_gradient() -> None:
    assert step(adam(), 0.1) == pytest.approx(1.9)


def test_first_rmsprop_step_by_hand() -> None:
    """lr * g / sqrt((1 - alpha) g^2) = lr / sqrt(1 - alpha)."""
    assert step(rmsprop(alpha=0.99), 0.1) == pytest.approx(2 - 0.1 / math.sqrt(0.01))


@pytest.mark.parametrize("build", BUILDERS)
def test_each_group_moves_at_its_own_rate(
    build: Callable[[], Callable[[Any], torch.optim.Optimizer]],
) -> None:
    still, moved = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimiser = build()([{"params": [still], "lr": 0.0}, {"params": [moved], "lr": 0.1}])

    (still.sum() + moved.sum()).backward()
    optimiser.step()

    assert torch.equal(still, torch.ones(2))
    assert (moved < 1).all()


def test_adam_takes_its_options() -> None:
    optimiser = adam(betas=[0.0, 0.99], eps=1e-6, weight_decay=0.1)(
        [{"params": [nn.Parameter(torch.ones(1))], "lr": 1e-3}]
    )

    group = optimiser.param_groups[0]
    assert (group["betas"], group["eps"], group["weight_decay"], group["fused"]) == (
        (0.0, 0.99),
        1e-6,
        0.1,
        True,
    )


def test_nesterov_without_momentum_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match="needs a momentum above 0"):
        sgd(nesterov=True)
