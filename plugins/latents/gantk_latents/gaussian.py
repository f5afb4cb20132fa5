"""Independent standard normal numbers."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution

from gan_toolkit import Grid, Latent, device_of
from gantk_latents.numbers import NormalPosterior, numbers, single, straight

IN_LINE = 1e-3
"""Sine of an angle, below which there is no plane to turn in, as far as float32 can tell."""


class Gaussian(Latent):
    """`size` independent numbers, each N(0, 1). H = size * log(2 pi e) / 2 nats.

    The posterior is a normal per number. The usual noise of later GANs; as a code it prefers its
    middle, where most of its samples lie.
    """

    def __init__(self, size: int = 1, spread: float | Literal["learned"] = "learned") -> None:
        self.size = size
        self._posterior = NormalPosterior(size, spread)
        self.width = size
        self.posterior_width = self._posterior.width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, size)."""
        return torch.randn(count, self.size, device=device_of(rng), generator=rng)

    def encode(self, value: Any) -> Tensor:
        """Turn a number, or a list of `size` numbers, into (size,)."""
        return numbers(value, self.size)

    def grid(self, count: int) -> Grid:
        """Return values from -2 to 2: two deviations, all of it trained on."""
        single(self.size)
        return straight(count, centre=0.0, unit=1.0, inside=2)

    def between(self, first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
        """Return values along the great circle, which keeps the length that normal noise has.

        White (2016, arXiv 1609.04468), section 2.1. In a straight line where there is no circle:
        one number, or two values in line with the middle.
        """
        cosine = torch.cosine_similarity(first, last, dim=1).clamp(-1, 1)
        angle = torch.acos(cosine)[:, None, None]
        share = shares[..., None].to(first)
        weights = torch.sin((1 - share) * angle), torch.sin(share * angle)
        circle = (weights[0] * first[:, None] + weights[1] * last[:, None]) / torch.sin(angle)
        straight = super().between(first, last, shares)
        return torch.where(torch.sin(angle) > IN_LINE, circle, straight)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs as normals over (B, size)."""
        return self._posterior(raw)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the means, (B, size)."""
        return self._posterior.mean(raw)

    def entropy(self) -> float:
        """Return size * log(2 pi e) / 2."""
        return self.size * (math.log(2 * math.pi) + 1) / 2

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return which of `count` parts of equal probability each number lies in."""
        return (torch.special.ndtr(value) * count).long().clamp(0, count - 1)
