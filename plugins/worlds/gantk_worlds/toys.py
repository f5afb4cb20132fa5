"""Points in the plane from clusters whose places are known: a ring and a grid.

The usual first test of whether a generator reaches every mode (VEEGAN, arXiv 1705.07761; PacGAN,
arXiv 1712.04086). The grid is theirs divided by 4: networks want data of about unit range.
"""

from __future__ import annotations

from math import tau

import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import HELD_OUT

_VERSION = 1  # raise it when the same options give other points


def ring(modes: int, sigma: float, count: int, held_out: int, seed: int) -> ArrayDataset:
    """Return points from Gaussians spread evenly over the unit circle; mode 0 is at (1, 0)."""
    angle = torch.arange(modes, dtype=torch.float64) * (tau / modes)
    centres = torch.stack([angle.cos(), angle.sin()], dim=1)
    return _clusters("ring", centres, sigma, count, held_out, seed)


def grid(side: int, sigma: float, count: int, held_out: int, seed: int) -> ArrayDataset:
    """Return points from Gaussians on a square grid, -1 … 1, in rows from the lower left."""
    places = torch.linspace(-1, 1, side, dtype=torch.float64)
    y, x = torch.meshgrid(places, places, indexing="ij")
    centres = torch.stack([x.flatten(), y.flatten()], dim=1)
    return _clusters("grid", centres, sigma, count, held_out, seed)


def _clusters(
    name: str, centres: Tensor, sigma: float, count: int, held_out: int, seed: int
) -> ArrayDataset:
    kept = _points(name, centres, sigma, HELD_OUT, held_out, seed, None) if held_out else None
    return _points(name, centres, sigma, 0, count, seed, kept)


def _points(
    name: str,
    centres: Tensor,
    sigma: float,
    start: int,
    count: int,
    seed: int,
    kept: ArrayDataset | None,
) -> ArrayDataset:
    streams = Streams(f"{name} {_VERSION}", seed, torch.arange(start, start + count))
    mode = streams.below("mode", len(centres))
    noise = torch.stack([streams.normal("x"), streams.normal("y")], dim=1)
    return ArrayDataset(
        name,
        "synthetic",
        (centres[mode.long()] + sigma * noise).float(),
        factors=table([mode]),
        descriptions=[Factor("mode", "discrete", tuple(map(str, range(len(centres)))))],
        notice=f"{name}: random points made by gan-toolkit; no real data",
        held_out=kept,
    )
