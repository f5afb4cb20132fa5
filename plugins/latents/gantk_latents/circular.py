"""Angles spread evenly over the circle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint

from gan_toolkit import Grid, Latent, device_of
from gantk_latents.numbers import numbers, single


class Circular(Latent):
    """`size` independent angles, each uniform on the circle. H = size * log(2 pi) nats.

    The generator gets (cos, sin) of each angle, so its width is 2 * size and a full turn closes on
    itself. What turns (an azimuth, a hue) has the shape of a circle; an interval would have to
    tear it open somewhere. The posterior is von Mises, see `VonMises`.
    """

    circular = True

    def __init__(self, size: int = 1, concentration_limit: float = 25.0) -> None:
        if size < 1:
            raise ValueError(f"size = {size}: a latent needs at least 1 angle")
        if not concentration_limit > 0:
            raise ValueError(f"concentration_limit = {concentration_limit}: a number above 0")
        self.size, self.concentration_limit = size, concentration_limit
        self.width = 2 * size
        self.posterior_width = 2 * size

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, 2 * size): cos and sin of each angle in turn."""
        return _points(torch.rand(count, self.size, device=device_of(rng), generator=rng))

    def encode(self, value: Any) -> Tensor:
        """Turn fractions of a full turn (0.25 is a quarter, 1.25 too) into (2 * size,)."""
        return _points(numbers(value, self.size))

    def grid(self, count: int) -> Grid:
        """Return a full turn in `count` equal steps, the end not repeated; labels in degrees."""
        single(self.size)
        turns = torch.arange(count) / count
        labels = [f"{360 * i / count:.0f}°" for i in range(count)]
        return Grid(_points(turns[:, None]), labels, [True] * count)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs (B, 2 * size) as a direction and a concentration per angle."""
        return VonMises(raw.unflatten(-1, (-1, 2)), self.concentration_limit)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the directions in radians, (B, size), in (-pi, pi]."""
        return _angles(raw)

    def entropy(self) -> float:
        """Return size * log(2 pi)."""
        return self.size * math.log(2 * math.pi)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return which of `count` equal arcs, counted from 0 degrees, each angle lies in."""
        turns = torch.remainder(_angles(value) / (2 * math.pi), 1.0)
        return (turns * count).long().clamp(max=count - 1)


class VonMises(Distribution):
    """Independent von Mises densities of angles that are given as (cos, sin), per radian.

    log q(c) = k cos(c - mu) - log(2 pi I0(k)) per angle. Raw outputs (B, size, 2) are the natural
    parameters k (cos mu, sin mu), shrunk smoothly so that k < `limit`: a linear layer reads them,
    0 means "I don't know", and there is no angle to jump from 180 to -180 degrees. The limit keeps
    the bound finite: with perfect directions it stays below -log(i0e(limit)), 2.52 nats at 25.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, raw: Tensor, limit: float) -> None:
        length = raw.square().sum(dim=-1, keepdim=True)
        self.natural = raw / torch.sqrt(1 + length / limit**2)
        super().__init__(raw.shape[:-2], torch.Size([2 * raw.shape[-2]]), validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log density (B,) at (B, 2 * size)."""
        cosine = (self.natural * value.unflatten(-1, (-1, 2))).sum(dim=-1)
        # The root has no slope at 0, where log I0 has one: 1e-12 under it keeps both finite.
        k = torch.sqrt(self.natural.square().sum(dim=-1) + 1e-12)
        log_bessel = torch.log(torch.special.i0e(k)) + k
        return (cosine - math.log(2 * math.pi) - log_bessel).sum(dim=-1)


def _points(turns: Tensor) -> Tensor:
    """Turn (..., size) fractions of a turn into (..., 2 * size), cos and sin of each in turn."""
    angle = 2 * math.pi * turns
    return torch.stack((torch.cos(angle), torch.sin(angle)), dim=-1).flatten(-2)


def _angles(points: Tensor) -> Tensor:
    """Turn (..., 2 * size) into (..., size) radians."""
    cosine, sine = points.unflatten(-1, (-1, 2)).unbind(dim=-1)
    return torch.atan2(sine, cosine)
