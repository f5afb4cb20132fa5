"""A solid in a room, in colour: the six factors of 3DShapes, rendered here.

3DShapes (Burgess and Kim, 2018) shows a solid on the floor of a square room: ten hues each of
floor, wall and object, eight sizes, four shapes, fifteen directions of view, 480,000 pictures.
Factors, values and order are those of that set; the pictures are ours and only alike.
"""

from __future__ import annotations

from math import pi, prod
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, DataError, Factor
from gantk_worlds.prepared import dataset
from gantk_worlds.rasteriser import Light, Mesh, draw, together, turn
from gantk_worlds.room_solids import SOLIDS, floor, walls
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split


def _spaced(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * step / (count - 1) for step in range(count)]


HUES = 10
SCALES = _spaced(0.75, 1.25, 8)
DEGREES = _spaced(-30, 30, 15)

_NAMES = tuple(f"{hue / HUES:g}" for hue in range(HUES))
FACTORS = (
    *(Factor(f"{part}_hue", "discrete", _NAMES) for part in ("floor", "wall", "object")),
    Factor("scale", "discrete", tuple(f"{scale:.3g}" for scale in SCALES)),
    Factor("shape", "discrete", tuple(SOLIDS)),
    Factor("orientation", "discrete", tuple(f"{turn:.3g}" for turn in DEGREES), unit="deg"),
)
GRID = tuple(len(factor.values) for factor in FACTORS)
"""How many values each factor has; the last changes fastest."""
ALL = prod(GRID)
USUAL = 20_000

_SATURATION, _BRIGHTNESS = 0.85, 0.97
_GROUND = -0.62
_TILT = 24 * pi / 180
_FOCAL = 3.3
_LIGHT = Light((-0.45, 0.65, 0.75), ambient=0.5, wrap=0.2)
_AT_ONCE = 32

Copies = tuple[Tensor, Tensor, Tensor]
"""Corners (T, 3, 3), the picture (T,) they belong to, and their colour (T, 3)."""


class RoomWorld(World):
    """Rooms with one solid each, out of 480,000 possible pictures.

    With `grid`, samples 0 to 479,999 are all of them in the order of 3DShapes; others are drawn.
    """

    name: ClassVar[str] = "rooms-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "rooms-synthetic: rendered by gan-toolkit; no real data"
    factors = FACTORS

    def __init__(self, size: int = 64, *, seed: int = 0, ss: int = 2, grid: bool = False) -> None:
        self.sample_shape = (3, size, size)
        self.options = {"size": size, "seed": seed, "ss": ss, "grid": grid}
        self._seed = seed
        self._ss = ss
        self._grid = grid

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, 6) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version} sample", self._seed, indices)
        drawn = [streams.below(factor.name, len(factor.values)) for factor in FACTORS]
        if not self._grid:
            return table(drawn)
        ordered = torch.unravel_index(indices.clamp_max(ALL - 1), GRID)
        pairs = zip(ordered, drawn, strict=True)
        return table(torch.where(indices < ALL, place, random) for place, random in pairs)

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 3, size, size) of factors (N, 6)."""
        size = self.sample_shape[-1]
        pictures = [table.new_empty((0, 3, size, size), dtype=torch.uint8)]
        at_once = together(_AT_ONCE, size * self._ss)
        for some in table.split(at_once) if len(table) else ():
            mesh = build(split(some, FACTORS))
            pictures.append(draw(mesh, len(some), size, ss=self._ss, focal=_FOCAL, light=_LIGHT))
        return torch.cat(pictures)


def rooms(
    size: int, grid: bool, count: int | None, held_out: int, seed: int, ss: int, cache: str | None
) -> ArrayDataset:
    """Return rooms: drawn at random, or all of the grid."""
    if grid and count not in (None, ALL):
        raise DataError(
            f"rooms: grid = true and count = {count:,}; the grid is {ALL:,} pictures, and the "
            "first of them differ in few factors; leave count out, or grid"
        )
    world = RoomWorld(size, seed=seed, ss=ss, grid=grid)
    count = count or (ALL if grid else USUAL)
    return dataset(world, count, held_out, None if cache is None else Path(cache))


def build(rooms: dict[str, Tensor]) -> Mesh:
    """Return the triangles of rooms given by their factors, turned towards the camera."""
    hues = (rooms[f"{part}_hue"] / HUES for part in ("floor", "wall", "object"))
    of_floor, of_wall, of_object = map(_rgb, hues)
    shape, scale = rooms["shape"], rooms["scale"].long()
    size = shape.new_tensor(SCALES)[scale]
    one, everywhere = torch.ones_like(size), torch.ones_like(scale, dtype=torch.bool)
    parts = [
        _copies(floor(), of_floor, everywhere, one),
        _copies(walls(), of_wall, everywhere, one),
        *(
            _copies(solid(), of_object, shape == number, size)
            for number, solid in enumerate(SOLIDS.values())
        ),
    ]
    corners, picture, albedo = (torch.cat(columns) for columns in zip(*parts, strict=True))
    corners[..., 1] += _GROUND
    degrees = shape.new_tensor(DEGREES)[rooms["orientation"].long()]
    azimuth = degrees[picture][:, None] * (pi / 180)
    return Mesh(turn(corners, azimuth, torch.full_like(azimuth, _TILT)), picture, albedo)


def _copies(solid: Tensor, colours: Tensor, which: Tensor, size: Tensor) -> Copies:
    """Return a solid (T, 3, 3), times `size` (B,), put into the pictures where `which` is true."""
    place = which.nonzero().squeeze(1)
    picture = place.repeat_interleave(len(solid))
    corners = solid.to(which.device) * size[place][:, None, None, None]
    return corners.flatten(0, 1), picture, colours[picture]


def _rgb(hue: Tensor) -> Tensor:
    """Return colours (N, 3) of hues (N,): 0 is red, 1/3 green, 2/3 blue, 1 red again."""
    channels = []
    for place in (5.0, 3.0, 1.0):
        sector = (place + 6 * hue) % 6
        pull = torch.minimum(sector, 4 - sector).clamp(0, 1)
        channels.append(_BRIGHTNESS * (1 - _SATURATION * pull))
    return torch.stack(channels, dim=1).float()
