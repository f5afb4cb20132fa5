"""A square, an ellipse or a heart, in all sizes, turns and places of a grid: dSprites drawn anew.

dSprites: Matthey, Higgins, Hassabis and Lerchner 2017. Factors, their values and their order are
the same, the outlines are ours: pictures resemble the real ones, but are not equal to them.
"""

from __future__ import annotations

from math import prod, tau
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor
from gantk_worlds.prepared import dataset
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split

SHAPES = ("square", "ellipse", "heart")
SCALES = tuple(0.5 + step / 10 for step in range(6))
ORIENTATIONS = tuple(tau * step / 39 for step in range(40))
PLACES = tuple(step / 31 for step in range(32))
FACTORS = (
    Factor("shape", "discrete", SHAPES),
    Factor("scale", "discrete", tuple(f"{scale:.1f}" for scale in SCALES), unit="of the largest"),
    Factor("orientation", "discrete", tuple(f"{a:.4f}" for a in ORIENTATIONS), unit="rad"),
    Factor("x", "discrete", tuple(f"{place:.4f}" for place in PLACES)),
    Factor("y", "discrete", tuple(f"{place:.4f}" for place in PLACES)),
)
GRID = tuple(len(factor.values) for factor in FACTORS)
ALL = prod(GRID)
"""737,280: every combination once."""

_AT_ONCE = 1 << 18  # samples of pictures: so many fit the cache of one core
_FINE = 4
"""With soft edges, so many samples a pixel in each direction."""
_REACH = 15.5
"""The largest sprite in pixels of 64, from its centre: it never leaves the picture."""
_CENTRES = (16.5, 47.5)
"""Where the first and last place are, in pixels of 64: one pixel from each to the next."""


class SpritesWorld(World):
    """White shapes on black, binary as in dSprites or with soft edges; the label is the shape.

    With `grid`, sample i is the i-th combination, the last factor fastest, and the `ALL`-th the
    first again; otherwise samples are drawn at random. y goes down; sprites turn against the clock.

    Orientation is an index, as wherever dSprites is scored, though it repeats: the first and the
    last value show the same picture (as in the real set, whose values include both ends), the
    ellipse looks the same after half a turn, the square after a quarter. As an angle it would be
    scored by its sine and cosine, whose means over such equal pictures are zero, so that no reader
    could explain more than the hearts, a third. As an index, a reader that tells neighbouring
    values apart, and nothing finer, can know 81 % of its entropy: a square leaves it four values
    to choose from, an ellipse two. Compare scores of orientation with each other, not with 1.
    """

    name: ClassVar[str] = "sprites-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "sprites-synthetic: drawn by gan-toolkit; no real data"
    label: ClassVar[str] = "shape"

    def __init__(
        self, size: int = 64, *, seed: int = 0, grid: bool = False, soft: bool = False
    ) -> None:
        self.sample_shape = (1, size, size)
        self.options = {"size": size, "seed": seed, "grid": grid, "soft": soft}
        self._seed = seed
        self._grid = grid
        self._fine = _FINE if soft else 1
        self.factors = FACTORS

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, 5) of the samples at `indices` (N,)."""
        if self._grid:
            return _combinations(indices)
        streams = Streams(f"{self.name} {self.version}", self._seed, indices)
        return table(streams.below(f.name, len(f.values)) for f in self.factors)

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 1, size, size) of factors (N, 5)."""
        size = self.sample_shape[-1]
        together = max(1, _AT_ONCE // (size * self._fine) ** 2)
        pictures = [torch.empty((0, 1, size, size), dtype=torch.uint8, device=table.device)]
        for some in table.split(together) if len(table) else ():
            known = split(some, self.factors)
            inside = _inside(known["shape"], *_seen(known, size * self._fine)).float()
            cells = inside.view(-1, 1, size, self._fine, size, self._fine)
            # Counts of samples: whole numbers, the same in any order of adding.
            grey = cells.sum(dim=(3, 5)) / self._fine**2
            pictures.append((255 * grey).round().to(torch.uint8))
        return torch.cat(pictures)


def sprites(
    size: int,
    count: int | Literal["all"],
    held_out: int,
    seed: int,
    soft: bool,
    cache: str | None,
) -> ArrayDataset:
    """Return sprites drawn at random, or all there are: then nothing is left to hold out."""
    grid = count == "all"
    world = SpritesWorld(size, seed=0 if grid else seed, grid=grid, soft=soft)
    if count == "all":
        return dataset(world, ALL, 0, cache)
    return dataset(world, count, held_out, cache)


def _combinations(indices: Tensor) -> Tensor:
    columns, rest = [], indices
    for size in reversed(GRID):
        columns.append(rest % size)
        rest = rest // size
    return table(reversed(columns))


def _seen(known: dict[str, Tensor], size: int) -> tuple[Tensor, Tensor]:
    """Return each sample's place as the sprite sees it, (N, size, size): x right, y up.

    Unturned and of the largest size, a sprite reaches 1 from its centre.
    """
    first, last = _CENTRES
    pixels = (torch.arange(size, dtype=torch.float64, device=known["x"].device) + 0.5) * 64 / size
    right = pixels - (first + (last - first) * known["x"] / 31)[:, None]
    up = (first + (last - first) * known["y"] / 31)[:, None] - pixels
    reach = _REACH * (0.5 + known["scale"] / 10)
    angle = known["orientation"] * (tau / 39)
    cos, sin = (turn / reach for turn in (angle.cos(), angle.sin()))
    x = _column(cos) * right.float()[:, None] + (_column(sin) * up.float()[:, :, None])
    y = _column(cos) * up.float()[:, :, None] - (_column(sin) * right.float()[:, None])
    return x, y


def _inside(shape: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return whether each sample is in the sprite."""
    square = torch.maximum(x.abs(), y.abs()) < 0.6
    ellipse = x * x + 4 * y * y < 0.81
    # (x^2 + y^2 - 1)^3 < x^2 y^3 is the classic heart; here it is moved and scaled to fit.
    u, v = 1.41 * x, 1.41 * y + 0.13
    bow = u * u + v * v - 1
    heart = bow * bow * bow < u * u * v * v * v
    shape = shape[:, None, None]
    return torch.where(shape == 0, square, torch.where(shape == 1, ellipse, heart))


def _column(values: Tensor) -> Tensor:
    return values.float()[:, None, None]
