"""The tiny parts that the checks play beside: one layer each, and everything smooth."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent

from gan_toolkit.interfaces import Critic, Generator, Judgement, Latent, device_of


class TinyNoise(Latent):
    """Normal numbers that nobody recovers."""

    def __init__(self, width: int) -> None:
        self.width = width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, width)."""
        return torch.randn(count, self.width, device=device_of(rng), generator=rng)


class TinyCode(Latent):
    """A fair coin: 0 or 1."""

    width = 1
    posterior_width = 1
    discrete = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, 1)."""
        return torch.randint(2, (count, 1), device=device_of(rng), generator=rng).float()

    def posterior(self, raw: Tensor) -> Distribution:
        """Read one logit."""
        return Independent(Bernoulli(logits=raw, validate_args=False), 1, validate_args=False)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the likelier side."""
        return (raw > 0).long()

    def entropy(self) -> float:
        """Return log 2."""
        return math.log(2)


class TinyGenerator(Generator):
    """One linear layer."""

    def __init__(self, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.sample_shape = sample_shape
        self.layer = nn.Linear(latent_width, math.prod(sample_shape))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return samples in [-1, 1]."""
        del condition
        return self.layer(latent).tanh().unflatten(1, self.sample_shape)


class TinyCritic(Critic):
    """A smooth hidden layer, read by a linear score."""

    feature_width = 7

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.trunk = nn.Linear(math.prod(sample_shape), self.feature_width)
        self.score = nn.Linear(self.feature_width, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score and features."""
        del condition
        features = nn.functional.softplus(self.trunk(sample.flatten(1)))
        return Judgement(self.score(features).squeeze(1), features)
