"""Solids to build furniture from: everything is a prism between two rings of corners.

Shapes: N objects, K solids of one kind in each, R corners of a ring; lengths are (N,) or numbers.
What is made of numbers alone is told its device; all else goes where its tensors are.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import tau
from typing import Literal

import torch
from torch import Tensor

Length = Tensor | float


def points(*places: tuple[Length, Length, Length], device: torch.device) -> Tensor:
    """Return K places, each (x, y, z) of lengths, as (N, K, 3)."""
    flat = [_tensor(length, device) for place in places for length in place]
    stacked = torch.stack(torch.broadcast_tensors(*flat), dim=-1)
    return stacked.reshape(-1, len(places), 3)


def prism(bottom: Tensor, top: Tensor) -> Tensor:
    """Return the triangles (N, M, 3, 3) between rings `bottom` and `top`, (N, K, R, 3), closed."""
    bottom, top = torch.broadcast_tensors(bottom, top)
    next_bottom, next_top = bottom.roll(-1, dims=2), top.roll(-1, dims=2)
    faces = [
        torch.stack([bottom, next_bottom, next_top], dim=3),
        torch.stack([bottom, next_top, top], dim=3),
        *(_fan(ring) for ring in (bottom, top)),
    ]
    return torch.cat([face.flatten(1, 2) for face in faces], dim=1)


def beams(
    start: Tensor,
    end: Tensor,
    across: tuple[Length, Length],
    end_across: tuple[Length, Length] | None = None,
    *,
    facing: Literal["x", "y", "z"] = "z",
) -> Tensor:
    """Return straight beams (N, M, 3, 3) from `start` to `end`, (N, K, 3).

    `across` are half the sizes of the section: the second lies along the axis it is `facing` (as
    far as the beam lets it, which must not run along that axis), the first is square to that and
    to the beam. At the end of the beam the section may be another.
    """
    side, other = _square(end - start, facing)
    return prism(
        _section(start, side, other, across), _section(end, side, other, end_across or across)
    )


def box(centre: Tensor, half: tuple[Length, Length, Length]) -> Tensor:
    """Return upright boxes (N, M, 3, 3) with centres (N, K, 3) and half sizes (x, y, z)."""
    rise = points((0.0, half[1], 0.0), device=centre.device)
    return beams(centre - rise, centre + rise, (half[0], half[2]))


def ring(exponent: Length, corners: int, device: torch.device) -> Tensor:
    """Return the superellipse |x|^e + |z|^e = 1 as (N, corners, 2).

    Exponent 2 is a circle, 5 a rounded box; a very large one gives a box only for four corners
    more.
    """
    steps = torch.arange(corners, dtype=torch.float64, device=device)
    angle = (steps + 0.5) * (tau / corners)
    cos, sin = angle.cos(), angle.sin()
    power = _column(exponent, device)
    radius = (cos.abs().pow(power) + sin.abs().pow(power)).pow(-1 / power)
    return torch.stack([radius * cos, radius * sin], dim=-1)


def slab(outline: Tensor, half: tuple[Length, Length], bottom: Length, top: Length) -> Tensor:
    """Return a slab (N, M, 3, 3) with a plan (N, R, 2) scaled by half sizes (x, z)."""
    device = outline.device
    x, z = (outline[..., i] * _column(half[i], device) for i in (0, 1))
    rings = [torch.broadcast_tensors(x, _column(y, device), z) for y in (bottom, top)]
    return prism(*(torch.stack(corners, dim=-1)[:, None] for corners in rings))


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Return the triangles of several parts of the same objects as one part."""
    count = max(len(part) for part in parts)
    return torch.cat([part.expand(count, -1, -1, -1) for part in parts], dim=1)


def _tensor(length: Length, device: torch.device) -> Tensor:
    return torch.as_tensor(length, dtype=torch.float64, device=device)


def _column(length: Length, device: torch.device) -> Tensor:
    return _tensor(length, device).reshape(-1, 1)


def _fan(corners: Tensor) -> Tensor:
    """Return the triangles (N, K, R - 2, 3, 3) of convex rings."""
    hub = corners[:, :, :1].expand(-1, -1, corners.shape[2] - 2, -1)
    return torch.stack([hub, corners[:, :, 1:-1], corners[:, :, 2:]], dim=3)


def _square(along: Tensor, facing: str) -> tuple[Tensor, Tensor]:
    """Return two unit vectors, (N, K, 3) each, square to `along` and to each other."""
    axis = along.new_zeros(3)
    axis["xyz".index(facing)] = 1
    first = _unit(torch.linalg.cross(along, axis.expand_as(along)))
    return first, _unit(torch.linalg.cross(first, along))


def _section(centre: Tensor, side: Tensor, other: Tensor, across: tuple[Length, Length]) -> Tensor:
    width, height = (_column(half, centre.device)[..., None] for half in across)
    u, v = side * width, other * height
    return torch.stack([centre - u - v, centre + u - v, centre + u + v, centre - u + v], dim=2)


def _unit(vectors: Tensor) -> Tensor:
    x, y, z = vectors.unbind(-1)
    return vectors / (x * x + y * y + z * z).sqrt()[..., None]
