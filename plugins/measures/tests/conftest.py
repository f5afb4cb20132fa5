"""A small world with three known factors, and a space whose codes can render it."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor, LatentSpace
from gan_toolkit.testing.views import Choice, Level, Turn

SIDE = 16
FACTORS = (
    Factor("angle", "circular"),
    Factor("width", "continuous", low=0.5, high=2.5),
    Factor("dot", "discrete", values=("no", "yes")),
)


@dataclass(frozen=True)
class World:
    """Clock hands of known angle and width, some with a dot opposite, on black."""

    data: ArrayDataset
    space: LatentSpace

    @staticmethod
    def render(angle: Tensor, width: Tensor, dot: Tensor) -> Tensor:
        """Draw (N, 1, 16, 16) in [-1, 1] from factors (N,)."""
        place = torch.arange(SIDE) - SIDE / 2 + 0.5
        y, x = torch.meshgrid(place, place, indexing="ij")
        cos, sin = (part[:, None, None] for part in (angle.cos(), angle.sin()))
        along, across = x * cos + y * sin, y * cos - x * sin
        hand = (width[:, None, None] - across.abs() + 0.5).clamp(0, 1)
        hand = hand * (along + 1).clamp(0, 1) * (7 - along).clamp(0, 1)
        gap = ((x + 5 * cos).square() + (y + 5 * sin).square()).sqrt()
        spot = (2.5 - gap).clamp(0, 1) * dot[:, None, None]
        return (torch.maximum(hand, spot) * 2 - 1)[:, None]

    def obedient(self, latent: Tensor) -> Tensor:
        """Render what the codes say."""
        codes = self.space.split(latent)
        turn = codes["turn"]
        angle = torch.atan2(turn[:, 1], turn[:, 0])
        return self.render(angle, codes["level"][:, 0] + 1.5, codes["shape"][:, 1])

    def deaf(self, latent: Tensor) -> Tensor:
        """Render good images that have nothing to do with the codes."""
        rng = torch.Generator().manual_seed(7)
        return self.render(*_factors(len(latent), rng).T)


def _factors(count: int, rng: torch.Generator) -> Tensor:
    angle = torch.rand(count, generator=rng) * math.tau
    width = torch.rand(count, generator=rng) * 2 + 0.5
    dot = torch.randint(2, (count,), generator=rng).float()
    return torch.stack([angle, width, dot], dim=1)


def _data(count: int, seed: int, held_out: ArrayDataset | None = None) -> ArrayDataset:
    factors = _factors(count, torch.Generator().manual_seed(seed))
    images = ((World.render(*factors.T) + 1) * 127.5).round().to(torch.uint8)
    return ArrayDataset(
        "hands", "synthetic", images, factors=factors, descriptions=FACTORS, held_out=held_out
    )


@pytest.fixture(scope="session")
def world() -> World:
    space = LatentSpace({"turn": Turn(), "level": Level(), "shape": Choice(2), "noise": Level()})
    return World(_data(2_000, 0, held_out=_data(1_000, 1)), space)


@pytest.fixture(scope="session")
def memory() -> dict[Hashable, Any]:
    """What measures learn of the world: its probe is trained once for all tests that ask alike."""
    return {}
