"""From samples to tiles: one image a sample, or one scatter for many points.

Shapes: T tiles, R rows (draws of all that is not held), P points in a tile.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import to_uint8

Pixels = npt.NDArray[np.uint8]
Generate = Callable[[Tensor], Tensor]

SEED = 0
"""As in `gantk traverse`: the rows of a report are those of its sheets."""


class Tiles(ABC):
    """How samples of one shape become tiles of one size."""

    size: tuple[int, int]
    """Height and width of a tile."""
    draws: int | None = None
    """Draws that share one tile; None: each has a tile of its own."""

    def rows(self, wanted: int) -> int:
        """Return how many rows there are, if so many are wanted."""
        return 1 if self.draws else wanted

    def noise(self, space: LatentSpace, rows: int) -> Tensor:
        """Return the draws that all sheets share."""
        return space.sample(self.draws or rows, torch.Generator().manual_seed(SEED))

    def sheet(self, samples: Tensor, columns: int) -> Image.Image:
        """Lay samples out from left to right, then from top to bottom."""
        if not samples.isfinite().all():
            raise ValueError("the generator makes numbers that are not finite")
        tiles = self._tiles(samples)
        count, _, width = tiles.shape[:3]
        lines = tiles.reshape(count // columns, columns, *tiles.shape[1:])
        joined = lines.swapaxes(1, 2).reshape(-1, columns * width, *tiles.shape[3:])
        return Image.fromarray(np.ascontiguousarray(joined))

    @abstractmethod
    def _tiles(self, samples: Tensor) -> Pixels:
        """Return (T, height, width) or (T, height, width, 3)."""


def tiles_for(space: LatentSpace, generate: Generate) -> Tiles:
    """Return what makes tiles of a generator's samples; ValueError when nothing can."""
    some = generate(space.sample(2, torch.Generator().manual_seed(SEED)))
    if some.ndim == 4 and some.shape[1] in (1, 3):
        return ImageTiles(some.shape[2], some.shape[3])
    if some.ndim == 2 and some.shape[1] >= 2:
        return PointTiles(space, generate)
    shape = "x".join(map(str, some.shape[1:]))
    raise ValueError(f"samples of shape {shape} can't be drawn: neither images nor points")


class ImageTiles(Tiles):
    """Images (B, 1 or 3, H, W), a tile each."""

    def __init__(self, height: int, width: int) -> None:
        self.size = height, width

    def _tiles(self, samples: Tensor) -> Pixels:
        return to_uint8(samples).permute(0, 2, 3, 1).squeeze(3).numpy()


class PointTiles(Tiles):
    """Points (B, D), many in a tile, by their first two coordinates.

    Grey, and the same in all tiles, is what the generator makes when nothing is held.
    """

    draws = 300
    SIDE, FINER = 240, 2
    """Pixels of a tile, and how many times finer dots are drawn, for smooth edges."""
    CLOUD = 2_000
    PAPER, GREY, INK = (255, 255, 255), (205, 209, 214), (31, 87, 164)

    def __init__(self, space: LatentSpace, generate: Generate) -> None:
        self.size = self.SIDE, self.SIDE
        rng = torch.Generator().manual_seed(SEED + 1)
        cloud = generate(space.sample(self.CLOUD, rng))[:, :2].double().numpy()
        if not np.isfinite(cloud).all():
            raise ValueError("the generator makes numbers that are not finite")
        low, high = np.quantile(cloud, [0.002, 0.998], axis=0)
        self._centre = (low + high) / 2
        self._reach = max(float((high - low).max()) * 0.58, 1e-6)
        paper = np.full((self.SIDE, self.SIDE, 3), self.PAPER, dtype=np.float64)
        self._page = self._painted(paper, cloud, self.GREY, radius=2)

    def _tiles(self, samples: Tensor) -> Pixels:
        groups = samples[:, :2].double().reshape(-1, self.draws, 2).numpy()
        pages = [self._painted(self._page, group, self.INK, radius=3) for group in groups]
        return np.stack(pages).round().astype(np.uint8)

    def _painted(
        self,
        page: npt.NDArray[np.float64],
        points: npt.NDArray[np.float64],
        ink: object,
        radius: int,
    ) -> npt.NDArray[np.float64]:
        """Return the page with a dot for each point that lies on it."""
        side = self.SIDE * self.FINER
        place = (points - self._centre) / self._reach * (side / 2) + side / 2
        x, y = place[:, 0].astype(int), side - 1 - place[:, 1].astype(int)
        inked = np.zeros((side + 2 * radius, side + 2 * radius), dtype=bool)
        on_page = (x >= 0) & (x < side) & (y >= 0) & (y < side)
        x, y = x[on_page] + radius, y[on_page] + radius
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                if dx * dx + dy * dy <= radius * radius:
                    inked[y + dy, x + dx] = True
        inside = inked[radius:-radius, radius:-radius]
        shares = inside.reshape(self.SIDE, self.FINER, self.SIDE, self.FINER).mean(axis=(1, 3))
        return page + (np.asarray(ink) - page) * shares[:, :, None]
