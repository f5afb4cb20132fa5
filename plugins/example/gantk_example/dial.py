"""A choice with an order."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint

from gan_toolkit import Grid, Latent, device_of


class Dial(Latent):
    """One of K equally likely steps, given to the generator as one number in [-1, 1].

    The generator sees the order of the steps, which a one-hot row hides; the posterior is a softmax
    over the steps, so that L_I lies between 0 and H = log K nats.
    """

    width = 1
    discrete = True

    def __init__(self, steps: int) -> None:
        self.steps = self.posterior_width = steps

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, 1)."""
        drawn = torch.randint(self.steps, (count, 1), device=device_of(rng), generator=rng)
        return _places(drawn, self.steps)

    def encode(self, value: Any) -> Tensor:
        """Turn a step, 0 .. K-1, into its place."""
        if type(value) is not int or not 0 <= value < self.steps:
            raise ValueError(f"{value!r} is not a step; an integer from 0 to {self.steps - 1}")
        return _places(torch.tensor([value]), self.steps)

    def grid(self, count: int) -> Grid:
        """Return every step, whatever `count`."""
        del count
        places = _places(torch.arange(self.steps), self.steps)
        return Grid(places[:, None], [str(i) for i in range(self.steps)], [True] * self.steps)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs (B, K) as unnormalised log probabilities of the steps."""
        return Steps(raw)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the likeliest step, (B, 1)."""
        return raw.argmax(dim=1, keepdim=True)

    def entropy(self) -> float:
        """Return log K."""
        return math.log(self.steps)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return the step of each row, (B, 1)."""
        del count
        return _steps(value, self.steps)


class Steps(Distribution):
    """One of K places, (B, 1), from unnormalised log probabilities (B, K)."""

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, raw: Tensor) -> None:
        self.logits = torch.log_softmax(raw, dim=-1)
        super().__init__(raw.shape[:-1], torch.Size([1]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log probability (B,) of places (B, 1)."""
        return self.logits.gather(-1, _steps(value, self.logits.shape[-1])).squeeze(-1)


def _places(step: Tensor, steps: int) -> Tensor:
    return step * (2.0 / (steps - 1)) - 1.0


def _steps(place: Tensor, steps: int) -> Tensor:
    return ((place + 1.0) * ((steps - 1) / 2.0)).round().long()
