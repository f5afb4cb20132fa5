"""What stands in a room, and the room itself: triangles (T, 3, 3), float64, standing on y = 0.

Made once, on the CPU. Round solids have so many faces that a face is a pixel or two wide; normals
by corner would draw them no better at 64 pixels, and twice as slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from math import cos, pi, sin, tau

import torch
from torch import Tensor

from gantk_worlds.solids import box, points

ROOM = 1.8
"""Half the width and depth of the room; at 30 degrees one of its corners is well in view."""
_WALL = 2.4
_HALF = 0.48  # the cube's
_SPHERE = 0.53
_TUBE = (0.48, 0.96)
"""Radius and height of the cylinder; below, of the capsule."""
_CAPSULE = (0.37, 1.28)
_SIDES = 40
_STEPS = 10  # of a quarter circle
_CPU = torch.device("cpu")

Place = tuple[float, float, float]
Profile = list[tuple[float, float]]
"""Radius and height of points that are turned about the y axis."""


@cache
def walls() -> Tensor:
    """Return the three walls that can be seen: one behind, one at each side."""
    plan = [(-ROOM, ROOM), (-ROOM, -ROOM), (ROOM, -ROOM), (ROOM, ROOM)]
    return _faces(
        [
            [(ax, 0.0, az), (bx, 0.0, bz), (bx, _WALL, bz), (ax, _WALL, az)]
            for (ax, az), (bx, bz) in pairwise(plan)
        ]
    )


@cache
def floor() -> Tensor:
    """Return the floor."""
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return _faces([[(x * ROOM, 0.0, z * ROOM) for x, z in signs]])


def _cube() -> Tensor:
    centre = points((0.0, _HALF, 0.0), device=_CPU)
    return box(centre, (_HALF, _HALF, _HALF))[0]


def _cylinder() -> Tensor:
    radius, height = _TUBE
    return _turned([(0, 0), (radius, 0), (radius, height), (0, height)])


def _sphere() -> Tensor:
    return _turned(_arc(_SPHERE, _SPHERE, -pi / 2) + _arc(_SPHERE, _SPHERE, 0))


def _capsule() -> Tensor:
    radius, height = _CAPSULE
    return _turned(_arc(radius, radius, -pi / 2) + _arc(radius, height - radius, 0))


SOLIDS: dict[str, Callable[[], Tensor]] = {
    "cube": cache(_cube),
    "cylinder": cache(_cylinder),
    "sphere": cache(_sphere),
    "capsule": cache(_capsule),
}
"""In the order of 3DShapes."""


def _arc(radius: float, middle: float, start: float) -> Profile:
    """Return a quarter circle round a point of the axis, from an angle above the horizontal on."""
    angles = [start + pi / 2 * step / _STEPS for step in range(_STEPS + 1)]
    return [(radius * cos(angle), middle + radius * sin(angle)) for angle in angles]


def _turned(profile: Profile) -> Tensor:
    """Return what a profile sweeps out; faces of no area at its ends are never drawn."""
    turns = [tau * side / _SIDES for side in range(_SIDES + 1)]
    rings = [[(r * cos(turn), y, r * sin(turn)) for turn in turns] for r, y in profile]
    return _faces(
        [
            [a, b, c, d]
            for low, high in pairwise(rings)
            for (a, b), (d, c) in zip(pairwise(low), pairwise(high), strict=True)
        ]
    )


def _faces(quads: Sequence[Sequence[Place]]) -> Tensor:
    """Return the triangles (2 Q, 3, 3) of flat faces with four corners each."""
    corners = torch.tensor(quads, dtype=torch.float64, device=_CPU)
    return torch.stack([corners[:, :3], corners[:, [0, 2, 3]]], dim=1).flatten(0, 1)
