"""Chance applied to images: shapes are (B, C, H, W), values in [-1, 1].

Numbers are drawn on the CPU, whatever device the images are on: the same seed and step give the
same images there too.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan_toolkit import Augment


class HorizontalFlip(Augment):
    """Mirrors each image left to right with some probability."""

    def __init__(self, probability: float, sample_shape: tuple[int, ...]) -> None:
        _require_images("horizontal_flip", sample_shape)
        self.probability = probability

    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        """Return the images, some of them mirrored."""
        drawn = torch.rand(len(samples), generator=rng, device="cpu") < self.probability
        flipped = drawn.to(samples.device)[:, None, None, None]
        return torch.where(flipped, samples.flip(-1), samples)


class Shift(Augment):
    """Moves each image by whole pixels; where it leaves a gap, its border is repeated."""

    def __init__(self, pixels: int, sample_shape: tuple[int, ...]) -> None:
        _require_images("shift", sample_shape)
        if pixels >= min(sample_shape[1:]):
            found = "x".join(map(str, sample_shape[1:]))
            raise ValueError(f"pixels = {pixels}: images of {found} leave nothing in view; less")
        self.pixels = pixels

    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        """Return the images, each moved by at most `pixels` across and down."""
        count, _, height, width = samples.shape
        span = (-self.pixels, self.pixels + 1)
        moves = torch.randint(*span, (2, count, 1), generator=rng, device="cpu")
        down, across = moves.to(samples.device)
        rows = (torch.arange(height, device=samples.device) - down).clamp_(0, height - 1)
        columns = (torch.arange(width, device=samples.device) - across).clamp_(0, width - 1)
        image = torch.arange(count, device=samples.device)[:, None, None]
        moved = samples.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]
        return moved.permute(0, 3, 1, 2).contiguous()


class Dequantise(Augment):
    """Adds noise as wide as a grey level, so that values are spread evenly (Theis et al. 2016).

    arXiv 1511.01844, section 3.1. Values that leave [-1, 1] are clamped, half a level at each end:
    a generator that ends in tanh can't reach beyond.
    """

    def __init__(self, levels: int, sample_shape: tuple[int, ...]) -> None:
        _require_images("dequantise", sample_shape)
        self.width = 2.0 / (levels - 1)

    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        """Return the images with noise of at most half a level added."""
        noise = torch.rand(samples.shape, generator=rng, device="cpu").sub_(0.5).mul_(self.width)
        return (samples + noise.to(samples.device)).clamp_(-1, 1)


def _require_images(name: str, sample_shape: tuple[int, ...]) -> None:
    if len(sample_shape) != 3:
        found = "x".join(map(str, sample_shape))
        raise ValueError(f"{name} changes images, (C, H, W); the samples of the data are {found}")
