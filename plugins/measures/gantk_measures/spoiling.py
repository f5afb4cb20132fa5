"""Images without what nobody sees of them, so that a code which hides there is lost."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NOISE = 8 / 127.5
"""Eight grey levels, in units of [-1, 1]."""


class Spoil:
    """Takes from images (N, C, H, W) in [-1, 1] what nobody sees; their size stays."""

    def __init__(self, rng: torch.Generator) -> None:
        self._rng = rng

    def __call__(self, samples: Tensor) -> Tensor:
        """Round to 8 bits, add noise, and average each 2x2 pixels."""
        rounded = ((samples.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        noisy = rounded + NOISE * torch.randn(samples.shape, generator=self._rng)
        halved = functional.avg_pool2d(noisy, 2, ceil_mode=True)
        height, width = samples.shape[2:]
        return halved.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :height, :width]
