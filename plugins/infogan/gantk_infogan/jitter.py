"""Random changes of a sample that a reader of codes must see through."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class Jitter:
    """Stretches, moves, re-tones and grains images, each image by its own random amount.

    A code is worth what its reader can read. A reader that sees every sample at a random width
    can't read a width, so no code is rewarded for becoming one: what the jitter hides is left to
    the noise, and the code must find something else. `width` and `height` are the largest
    logarithms of the stretch, `shift` the largest move as a share of half the side, `tone` the
    largest logarithm of the contrast and the largest change of brightness (images span -1 to 1),
    `grain` the standard deviation of added noise.
    """

    def __init__(
        self,
        *,
        width: float = 0.0,
        height: float = 0.0,
        shift: float = 0.0,
        tone: float = 0.0,
        grain: float = 0.0,
    ) -> None:
        self.width, self.height, self.shift = width, height, shift
        self.tone, self.grain = tone, grain

    def __call__(self, images: Tensor, rng: torch.Generator | None) -> Tensor:
        """Return changed images (B, C, H, W) in float32; gradients pass through."""
        images = images.float()
        grid = functional.affine_grid(
            self._places(images, rng), list(images.shape), align_corners=False
        )
        moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
        gain, offset = self._spread(images, 2, rng).mul(self.tone).unbind(dim=1)
        toned = moved * gain.exp()[:, None, None, None] + offset[:, None, None, None]
        noise = torch.randn(images.shape, generator=rng, device=images.device)
        return toned + self.grain * noise

    def _places(self, images: Tensor, rng: torch.Generator | None) -> Tensor:
        """Return where each image is looked at: affine maps (B, 2, 3) of coordinates."""
        stretch = self._spread(images, 2, rng) * images.new_tensor([self.width, self.height])
        scales = torch.diag_embed(stretch.exp())
        return torch.cat([scales, self.shift * self._spread(images, 2, rng)[:, :, None]], dim=2)

    @staticmethod
    def _spread(images: Tensor, width: int, rng: torch.Generator | None) -> Tensor:
        """Draw (B, width) evenly from -1 to 1."""
        return 2 * torch.rand(len(images), width, generator=rng, device=images.device) - 1
