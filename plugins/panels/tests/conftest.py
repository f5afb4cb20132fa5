"""Views of a small space over images, and over points."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn

MakeView = Callable[..., MemoryView]


@pytest.fixture
def space() -> LatentSpace:
    return LatentSpace({"noise": Level(), "style": [Choice(3), Choice(4)], "level": Level()})


@pytest.fixture
def view(space: LatentSpace) -> MakeView:
    """Build a view whose images are flat: noise is the red, level the green channel's value."""

    def generate(latent: Tensor) -> Tensor:
        codes = space.split(latent)
        style = codes["style.0"].argmax(dim=1, keepdim=True) - 1.0
        colour = torch.cat([codes["noise"], codes["level"] / 2, style], dim=1)
        return colour[:, :, None, None].expand(-1, -1, 28, 28)

    def make(**facts: object) -> MemoryView:
        data = ArrayDataset("flat", "synthetic", torch.zeros(2, 3, 28, 28, dtype=torch.uint8))
        return MemoryView(space, data, generate, **facts)  # type: ignore[arg-type]

    return make


@pytest.fixture
def points_space() -> LatentSpace:
    return LatentSpace({"turn": Turn(), "shape": Choice(4), "level": Level()})


@pytest.fixture
def points_view(points_space: LatentSpace) -> MemoryView:
    data = ArrayDataset("ring", "synthetic", points_space.sample(500, None)[:, :2].contiguous())
    return MemoryView(points_space, data, lambda latent: latent[:, :2], title="ring")
