"""House numbers: a digit, perhaps with neighbours, in colour and uneven light, as if photographed.

The two things that codes of InfoGAN were seen to find in pictures of house numbers, the light and
the digits beside the middle one, are known here.
"""

from __future__ import annotations

from functools import partial
from math import tau
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import Dataset
from gantk_worlds.choice import Sibling, Source, choose
from gantk_worlds.glyphs import segments
from gantk_worlds.laws import Choice, Even, Normal, Turn
from gantk_worlds.options import HouseNumbersOptions
from gantk_worlds.pen import Ends, distance, ends, glyph
from gantk_worlds.prepared import dataset
from gantk_worlds.streams import Streams, table
from gantk_worlds.strokes import DIGITS, STYLE
from gantk_worlds.world import World, split

SIZE = 32
CONTEXTS = ("none", "left", "right", "both")

_GRAIN = 0.012
"""Standard deviation of the noise in each pixel, of white."""
_GRAINS = 1 << 24
_AWAY = 10.0
"""Where a neighbour that is not there stands, in sizes: outside the picture."""
_LAWS = (
    Choice("digit", DIGITS, scored=True),
    Choice("context", CONTEXTS, scored=True),
    Even("light", -0.45, 0.45, scored=True),
    STYLE,
    *(Choice(f"{side}_digit", DIGITS) for side in ("left", "right")),
    *(Choice(f"{side}_style", STYLE.values) for side in ("left", "right")),
    Normal("rotation", 0.0, 0.06, "rad"),
    Normal("slant", 0.02, 0.06),
    Even("width", 0.8, 1.15),
    Even("size", 12.5, 16.0, "px"),
    Even("thickness", 0.09, 0.20, "size"),
    Normal("x", 0.0, 0.7, "px"),
    Normal("y", 0.0, 0.7, "px"),
    Even("gap", 0.24, 0.40, "size"),
    Even("level", 0.08, 0.92),
    Even("contrast", 0.22, 0.75),
    *(Turn(f"{what}_hue") for what in ("wall", "ink")),
    *(Even(f"{what}_tint", 0.0, 0.14) for what in ("wall", "ink")),
    Even("softness", 0.5, 2.6, "px", ratio=True),
    Even("grain", 0.0, _GRAINS, "number"),
)


class HouseNumbersWorld(World):
    """Digits on a wall, 32x32 RGB; the label is the digit in the middle.

    Light is the strength of a gradient from left to right: below zero, the left side is the
    brighter one. The neighbours have a digit each even where `context` does not show it.
    """

    name: ClassVar[str] = "house-numbers-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "house-numbers-synthetic: drawn by gan-toolkit; no real data"
    label: ClassVar[str] = "digit"

    def __init__(self, *, seed: int = 0) -> None:
        self.sample_shape = (3, SIZE, SIZE)
        self.options = {"seed": seed}
        self._seed = seed
        self.factors = tuple(law.factor for law in _LAWS)

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version}", self._seed, indices)
        return table(law.draw(streams) for law in _LAWS)

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 3, 32, 32) of factors (N, K)."""
        known = split(table, self.factors)
        covered = _covered(known)[:, None]
        wall, ink = _colours(known)
        lit = _light(known["light"]) * (wall + (ink - wall) * covered)
        noisy = (lit + _GRAIN * self._grain(known["grain"])).clamp(0, 1)
        return (255 * noisy).round().to(torch.uint8)

    def _grain(self, number: Tensor) -> Tensor:
        """Return noise (N, 3, 32, 32) that depends on its number alone."""
        count = 3 * SIZE * SIZE
        first = number.cpu().long().clamp(0, _GRAINS) * count
        indices = (first[:, None] + torch.arange(count, device="cpu")).flatten()
        noise = Streams(f"{self.name} {self.version} grain", 0, indices).normal("pixel")
        return noise.float().view(-1, 3, SIZE, SIZE).to(number.device)


def house_numbers(
    source: Source,
    root: str | None,
    count: int,
    held_out: int,
    seed: int,
    cache: str | None,
    sibling: Sibling,
) -> Dataset:
    """Return SVHN as its reader gives it, or drawn house numbers."""
    world = HouseNumbersWorld(seed=seed)
    return choose(
        source,
        partial(sibling, "svhn", root=root),
        partial(dataset, world, count, held_out, cache),
        world.name,
        HouseNumbersOptions(),
        {"count": count, "held_out": held_out, "seed": seed, "cache": cache},
    )


def _covered(known: dict[str, Tensor]) -> Tensor:
    """Return how much ink is on each pixel, (N, 32, 32).

    The softness of the edge stands for blur. Its cubic needs sums and products only, which are
    the same bits in any batch; a sigmoid's are not.
    """
    thickness = (known["thickness"] * known["size"]).float()[:, None, None]
    softness = known["softness"].float()[:, None, None]
    inside = thickness - distance(_written(known), SIZE)
    share = (0.5 + inside / (2 * softness)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def _written(known: dict[str, Tensor]) -> Ends:
    """Return the segments of all three digits.

    Neighbours stand `gap` from the edge of the middle digit, not at equal steps: even a slim one
    beside a large digit is still in the picture then.
    """
    middle = glyph(known["digit"], known["style"])
    left = glyph(known["left_digit"], known["left_style"])
    right = glyph(known["right_digit"], known["right_style"])
    low, high = _extents(middle)
    to_left = low - known["gap"] / known["width"] - _extents(left)[1]
    to_right = high + known["gap"] / known["width"] - _extents(right)[0]
    has_left = (known["context"] == 1) | (known["context"] == 3)
    has_right = known["context"] >= 2
    three = (
        ends(middle),
        ends(left).shifted(torch.where(has_left, to_left, -_AWAY)),
        ends(right).shifted(torch.where(has_right, to_right, _AWAY)),
    )
    line = Ends(torch.cat([e.x for e in three], dim=1), torch.cat([e.y for e in three], dim=1))
    turned = line.stretched(known["width"]).slanted(known["slant"]).turned(known["rotation"])
    return turned.placed(SIZE / 2 + known["x"], SIZE / 2 - known["y"], known["size"])


def _extents(glyph: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far glyphs (N,) reach to the left and right."""
    x = segments()[..., 0]
    ranges = np.stack([x.min(axis=(1, 2)), x.max(axis=(1, 2))])
    low, high = torch.from_numpy(ranges).to(glyph.device)[:, glyph]
    return low, high


def _colours(known: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Return the colours of wall and ink, (N, 3, 1, 1): ink is lighter on a dark wall."""
    level = known["level"]
    ink = torch.where(level < 0.5, level + known["contrast"], level - known["contrast"])
    return (
        _tinted(level, known["wall_hue"], known["wall_tint"]),
        _tinted(ink.clamp(0, 1), known["ink_hue"], known["ink_tint"]),
    )


def _tinted(level: Tensor, hue: Tensor, tint: Tensor) -> Tensor:
    """Return a colour whose mean over red, green and blue is `level`: tints change no contrast."""
    shifts = [level + tint * (hue - third * tau / 3).cos() for third in range(3)]
    return torch.stack(shifts, dim=1).float()[:, :, None, None]


def _light(strength: Tensor) -> Tensor:
    """Return how bright each column is lit, (N, 1, 1, 32)."""
    across = (torch.arange(SIZE, dtype=torch.float32, device=strength.device) + 0.5) / SIZE
    return 1 + strength.float()[:, None, None, None] * (2 * across - 1)
