"""Which triangles some view of some head shows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import numpy as np
import torch
from cut import NDArrayBool
from mpfb import Floats, Ints
from torch import Tensor

from gantk_worlds.rasteriser import Light, Mesh, draw, turn

_AZIMUTHS = (-1.35, -1.0, -0.75, -0.4, 0.0, 0.4, 0.75, 1.0, 1.35)
_ELEVATIONS = (-0.4, 0.0, 0.5)
"""A little more than the worlds turn a head."""
_SIZE, _SCALE, _FOCAL = 640, 0.36, 3.6
_CENTRE = (0.0, -0.4, -1.1)


class _Even(Light):
    """Light that leaves every colour as it is."""

    def on(self, normal: Tensor, *_: Tensor) -> Tensor:
        return torch.ones(normal.shape[:-1])


def seen(heads: Iterable[Floats], triangles: Ints) -> NDArrayBool:
    """Return which triangles (F,) are seen on any head (V, 3)."""
    found = np.zeros(len(triangles), dtype=bool)
    number = np.arange(1, len(triangles) + 1)
    colours = torch.tensor(np.stack([number % 256, number // 256], axis=1) / 255).float()
    grey = torch.cat([colours, torch.zeros(len(triangles), 1)], dim=1)
    for head in heads:
        corners = torch.tensor((head[triangles] - np.array(_CENTRE)) * _SCALE)
        for azimuth, elevation in product(_AZIMUTHS, _ELEVATIONS):
            turned = turn(corners, torch.tensor(azimuth), torch.tensor(elevation))
            mesh = Mesh(turned, torch.zeros(len(triangles), dtype=torch.int64), grey)
            picture = draw(mesh, 1, _SIZE, ss=1, focal=_FOCAL, light=_Even())[0].long().numpy()
            shown = np.unique(picture[0] + 256 * picture[1])
            found[shown[(shown > 0) & (shown <= len(triangles))] - 1] = True
    return found


def spread(which: NDArrayBool, triangles: Ints) -> NDArrayBool:
    """Return these triangles (F,) and all that touch one of them."""
    touched = np.zeros(int(triangles.max()) + 1, dtype=bool)
    touched[triangles[which]] = True
    return touched[triangles].any(axis=1)
