"""Numbers spread evenly over an interval."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution

from gan_toolkit import Grid, Latent, device_of
from gantk_latents.numbers import NormalPosterior, numbers, single, straight


class Uniform(Latent):
    """`size` independent numbers, each uniform on [low, high]. H = size * log(high - low) nats.

    The posterior is a normal per number, in units of half the interval around its middle, so that
    the bound does not depend on how the interval is scaled. It is not truncated to the interval:
    probability it puts outside only loosens the lower bound, and the loss stays that of
    InfoGAN (arXiv 1606.03657, section 6).
    """

    def __init__(
        self,
        size: int = 1,
        low: float = -1.0,
        high: float = 1.0,
        spread: float | Literal["learned"] = "learned",
    ) -> None:
        if not low < high:
            raise ValueError(f"low = {low}, high = {high}: low must be below high")
        self.size, self.low, self.high = size, low, high
        self._centre, self._unit = (low + high) / 2, (high - low) / 2
        self._posterior = NormalPosterior(size, spread, centre=self._centre, unit=self._unit)
        self.width = size
        self.posterior_width = self._posterior.width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, size)."""
        share = torch.rand(count, self.size, device=device_of(rng), generator=rng)
        return self.low + (self.high - self.low) * share

    def encode(self, value: Any) -> Tensor:
        """Turn a number, or a list of `size` numbers, into (size,); beyond the interval is fine."""
        return numbers(value, self.size)

    def grid(self, count: int) -> Grid:
        """Return values over twice the interval; those inside it are marked as trained."""
        single(self.size)
        return straight(count, self._centre, self._unit, inside=1)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs as normals over (B, size)."""
        return self._posterior(raw)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the means, (B, size)."""
        return self._posterior.mean(raw)

    def entropy(self) -> float:
        """Return size * log(high - low)."""
        return self.size * math.log(self.high - self.low)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return which of `count` equal parts of the interval each number lies in."""
        share = (value - self.low) / (self.high - self.low)
        return (share * count).long().clamp(0, count - 1)
