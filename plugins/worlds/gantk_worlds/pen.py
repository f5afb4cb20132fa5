"""Draws glyphs: places their segments in a picture and tells how far each pixel is from the pen.

Shapes: N pictures, S segments; ends are (N, S, 2) for x and for y, starts first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gantk_worlds.glyphs import FIRST, STYLES, segments

_AT_ONCE = 300_000
"""Pairs of pixel and segment worked on together: so many fit the cache of one core."""


@dataclass(frozen=True)
class Ends:
    """Both ends of every segment."""

    x: Tensor
    y: Tensor

    def stretched(self, factor: Tensor) -> Ends:
        """Return them `factor` (N,) times as wide."""
        return Ends(self.x * _wide(factor), self.y)

    def slanted(self, slant: Tensor) -> Ends:
        """Return them leaning to the right by `slant` (N,) per unit of height."""
        return Ends(self.x + _wide(slant) * self.y, self.y)

    def turned(self, angle: Tensor) -> Ends:
        """Return them turned against the clock by `angle` (N,), in radians."""
        cos, sin = _wide(angle.cos()), _wide(angle.sin())
        return Ends(cos * self.x - sin * self.y, sin * self.x + cos * self.y)

    def shifted(self, x: Tensor) -> Ends:
        """Return them moved to the right by `x` (N,)."""
        return Ends(self.x + _wide(x), self.y)

    def centred(self) -> Ends:
        """Return them with their middle at the origin."""
        x, y = (ends.mean(dim=(1, 2), keepdim=True) for ends in (self.x, self.y))
        return Ends(self.x - x, self.y - y)

    def placed(self, x: Tensor, y: Tensor, size: Tensor) -> Ends:
        """Return them in pixels: the origin at (x, y) from the upper left, y down, all (N,)."""
        return Ends(_wide(x) + _wide(size) * self.x, _wide(y) - _wide(size) * self.y)


def glyph(digit: Tensor, style: Tensor) -> Tensor:
    """Return which glyph (N,) shows each digit; styles go round, so any number is one."""
    first, styles = (
        torch.tensor(row, device=digit.device)[digit.long()] for row in (FIRST, STYLES)
    )
    return first + style.long() % styles


def ends(glyph: Tensor) -> Ends:
    """Return the segments of glyphs (N,) as they are in their table, float64."""
    table = torch.from_numpy(segments()).to(glyph.device)[glyph]
    return Ends(table[..., 0], table[..., 1])


def distance(ends: Ends, size: int) -> Tensor:
    """Return how far each pixel's centre is from the nearest segment, (N, size, size) float32."""
    pixels = torch.arange(size, dtype=torch.float32, device=ends.x.device) + 0.5
    x, y = pixels, pixels[:, None]
    squares = [ends.x.new_empty((0, size, size), dtype=torch.float32)]
    for cos, sin, along, across, half in _some(ends, size):
        # A pixel seen from a segment: `past` its end along it, and `beside` it. Sums and products
        # in float32 are the same bits in any batch; a matrix product would not be.
        past = (cos * x + (sin * y - along)).abs_().sub_(half).relu_()
        beside = (cos * y - across) - sin * x
        squares.append(beside.square_().add_(past.square_()).amin(dim=1))
    return torch.cat(squares).sqrt_()


def _some(ends: Ends, size: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield direction, place and half length of segments, (·, S, 1, 1), a few pictures a time."""
    x, y = ends.x.double(), ends.y.double()
    # A segment without length still needs some direction.
    run, rise = x[..., 1] - x[..., 0] + 1e-12, y[..., 1] - y[..., 0]
    length = (run.square() + rise.square()).sqrt()
    cos, sin = run / length, rise / length
    middle_x, middle_y = x.mean(dim=-1), y.mean(dim=-1)
    along, across = cos * middle_x + sin * middle_y, cos * middle_y - sin * middle_x
    columns = [column.float()[..., None, None] for column in (cos, sin, along, across, length / 2)]
    together = max(1, _AT_ONCE // (x.shape[1] * size * size))
    return zip(*(column.split(together) for column in columns), strict=True)


def _wide(column: Tensor) -> Tensor:
    return column[:, None, None]
