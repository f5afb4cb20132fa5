"""Parts of a chair, each style a function from proportions to triangles.

The floor is y = 0, the front is +z, lengths are in units of about half a metre. N chairs of one
style are built together; a part is (N, M, 3, 3) triangles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import cos, pi, sin, tau

import torch
from torch import Tensor

from gantk_worlds.solids import Length, beams, box, joined, points, ring, slab

LOW_BACK = 0.45
"""Height of a low back, as a share of the back height."""
_ARM = 0.36  # height of the arms above the seat
_SIDES = (-1.0, 1.0)
_CORNERS = tuple((x, z) for x in _SIDES for z in _SIDES)


@dataclass(frozen=True)
class Chairs:
    """Proportions of N chairs, float64 (N,) each."""

    width: Tensor
    depth: Tensor
    seat_height: Tensor
    back_height: Tensor
    thickness: Tensor
    recline: Tensor
    """Radians by which the back leans."""
    inset: Tensor
    """Where legs and back stand, as a share of half the seat: a round seat has no corners."""

    @property
    def device(self) -> torch.device:
        """Where these chairs are built."""
        return self.width.device

    def points(self, *places: tuple[Length, Length, Length]) -> Tensor:
        """Return K places, each (x, y, z) of lengths, as (N, K, 3)."""
        return points(*places, device=self.device)

    def some(self, which: Tensor) -> Chairs:
        """Return the chairs at `which`."""
        return Chairs(*(getattr(self, field.name)[which] for field in fields(self)))

    @property
    def x(self) -> Tensor:
        """Half the width between the legs."""
        return 0.5 * self.width * self.inset

    @property
    def z(self) -> Tensor:
        """Half the depth between the legs."""
        return 0.5 * self.depth * self.inset

    @property
    def under(self) -> Tensor:
        """Height at which legs end, inside the seat."""
        return self.seat_height - 0.5 * self.thickness

    def leaned(self, x: Length, share: Length) -> tuple[Length, Length, Length]:
        """Return the place at `x` and a share of the height of the leaning back."""
        up = self.back_height * share
        y = self.seat_height - 0.5 * self.thickness + up * self.recline.cos()
        return x, y, -self.z + 0.02 - up * self.recline.sin()


Part = Callable[[Chairs], Tensor]

# --- seats ---------------------------------------------------------------------------------

INSETS = (0.9, 0.86, 0.72)
"""Of each plan: box, rounded, disc."""


def _slab_seat(chairs: Chairs, outline: Tensor) -> Tensor:
    top = chairs.seat_height
    half = (0.5 * chairs.width, 0.5 * chairs.depth)
    return slab(outline, half, top - chairs.thickness, top)


def _box_seat(chairs: Chairs) -> Tensor:
    corners = [[(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)]]
    return _slab_seat(chairs, chairs.width.new_tensor(corners))


def _rounded_seat(chairs: Chairs) -> Tensor:
    return _slab_seat(chairs, ring(5, 28, chairs.device))


def _disc_seat(chairs: Chairs) -> Tensor:
    return _slab_seat(chairs, ring(2, 24, chairs.device))


SEATS: dict[str, Part] = {"box": _box_seat, "rounded": _rounded_seat, "disc": _disc_seat}

# --- backs ---------------------------------------------------------------------------------


def _upright(chairs: Chairs, xs: list[Length], low: Length, high: Length) -> tuple[Tensor, Tensor]:
    """Return the ends of beams that run up the back."""
    return (
        chairs.points(*(chairs.leaned(x, low) for x in xs)),
        chairs.points(*(chairs.leaned(x, high) for x in xs)),
    )


def _level(chairs: Chairs, shares: list[float], x: Length) -> tuple[Tensor, Tensor]:
    """Return the ends of beams that run across the back."""
    return (
        chairs.points(*(chairs.leaned(-x, share) for share in shares)),
        chairs.points(*(chairs.leaned(x, share) for share in shares)),
    )


def _posts(chairs: Chairs, half: float, top: float = 1.0) -> Tensor:
    return beams(*_upright(chairs, [-chairs.x, chairs.x], 0.0, top), (half, half))


def _plate(chairs: Chairs) -> Tensor:
    """Return half the thickness of what is solid in a back."""
    return 0.018 + 0.15 * chairs.thickness


def _panel(chairs: Chairs) -> Tensor:
    ends = _upright(chairs, [torch.zeros_like(chairs.x)], 0.0, 1.0)
    return beams(*ends, (chairs.x + 0.03, _plate(chairs)))


def _slats(chairs: Chairs) -> Tensor:
    x = chairs.x
    rails = beams(*_level(chairs, [0.95], x), (0.055, 0.035))
    slats = beams(*_upright(chairs, [-0.5 * x, 0 * x, 0.5 * x], 0.0, 0.95), (0.17 * x, 0.02))
    return joined([_posts(chairs, 0.035), rails, slats])


def _ladder(chairs: Chairs) -> Tensor:
    rungs = beams(
        *_level(chairs, [0.38, 0.65, 0.92], chairs.x), (0.075 * chairs.back_height, 0.022)
    )
    return joined([_posts(chairs, 0.04), rungs])


def _frame(chairs: Chairs) -> Tensor:
    rails = beams(*_level(chairs, [0.2, 0.95], chairs.x), (0.055, 0.05))
    return joined([_posts(chairs, 0.055), rails])


def _round(chairs: Chairs) -> Tensor:
    x, steps = chairs.x, 10
    angles = [pi * (1 - step / steps) for step in range(steps + 1)]
    arch = [chairs.leaned(x * cos(angle), 0.5 + 0.5 * sin(angle)) for angle in angles]
    hoop = beams(chairs.points(*arch[:-1]), chairs.points(*arch[1:]), (0.042, 0.042))
    spindles = [
        beams(*_upright(chairs, [x * place], 0.0, 0.5 + 0.5 * (1 - place**2) ** 0.5), (0.018,) * 2)
        for place in (-0.6, -0.2, 0.2, 0.6)
    ]
    return joined([_posts(chairs, 0.042, 0.52), hoop, *spindles])


def _low(chairs: Chairs) -> Tensor:
    """A low band that bends round to the sides, as on a tub chair."""
    height, plate = 0.5 * LOW_BACK * chairs.back_height, _plate(chairs)
    x, y, z = chairs.leaned(chairs.x + 0.02, 0.5 * LOW_BACK)
    back = beams(chairs.points((-x, y, z)), chairs.points((x, y, z)), (height, plate))
    starts = chairs.points(*((side * x, y, z) for side in _SIDES))
    ends = chairs.points(*((side * x, y, -0.08 * chairs.depth) for side in _SIDES))
    return joined([back, beams(starts, ends, (height, plate), facing="x")])


BACKS: dict[str, Part] = {
    "panel": _panel,
    "slats": _slats,
    "ladder": _ladder,
    "frame": _frame,
    "round": _round,
    "low": _low,
}

# --- legs ----------------------------------------------------------------------------------


def _standing(chairs: Chairs, y: Length, spread: float = 1.0) -> Tensor:
    """Return the places of four legs at height `y`."""
    return chairs.points(
        *((spread * sx * chairs.x, y, spread * sz * chairs.z) for sx, sz in _CORNERS)
    )


def _straight(chairs: Chairs) -> Tensor:
    legs = beams(_standing(chairs, 0.0), _standing(chairs, chairs.under), (0.045, 0.045))
    return joined([legs, _runners(chairs, 0.3 * chairs.under, 0.028)])


def _runners(chairs: Chairs, y: Length, half: float) -> Tensor:
    """Return a beam on each side from the back leg to the front leg."""
    return beams(
        chairs.points(*((side * chairs.x, y, -chairs.z) for side in _SIDES)),
        chairs.points(*((side * chairs.x, y, chairs.z) for side in _SIDES)),
        (half, half),
        facing="x",
    )


def _tapered(chairs: Chairs) -> Tensor:
    floor, top = _standing(chairs, 0.0, 1.18), _standing(chairs, chairs.under, 0.72)
    return beams(floor, top, (0.018, 0.018), (0.06, 0.06))


def _column(chairs: Chairs, half: float, low: float) -> Tensor:
    return slab(ring(2, 8, chairs.device), (half, half), low, chairs.under)


def _pedestal(chairs: Chairs) -> Tensor:
    foot = slab(ring(2, 20, chairs.device), (0.42 * chairs.width, 0.42 * chairs.depth), 0.0, 0.06)
    return joined([_column(chairs, 0.07, 0.03), foot])


def _star(chairs: Chairs) -> Tensor:
    angles = [tau * (step + 0.25) / 5 for step in range(5)]
    tips = chairs.points(*((0.44 * sin(angle), 0.09, 0.44 * cos(angle)) for angle in angles))
    hub = chairs.points(*((0.0, 0.17, 0.0) for _ in angles))
    arms = beams(tips, hub, (0.03, 0.025), (0.045, 0.05), facing="y")
    castors = box(tips - chairs.points((0.0, 0.045, 0.0)), (0.04, 0.045, 0.04))
    return joined([_column(chairs, 0.055, 0.1), arms, castors])


def _sled(chairs: Chairs) -> Tensor:
    legs = beams(_standing(chairs, 0.0), _standing(chairs, chairs.under), (0.03, 0.03))
    return joined([legs, _runners(chairs, 0.03, 0.035), _runners(chairs, chairs.under, 0.03)])


def _block(chairs: Chairs) -> Tensor:
    is_round = chairs.inset[:, None, None] < 0.8
    disc, squarish = (ring(exponent, 24, chairs.device) for exponent in (2, 9))
    outline = torch.where(is_round, disc, squarish)
    half = (0.46 * chairs.width, 0.46 * chairs.depth)
    return slab(outline, half, 0.0, chairs.under)


def _trestle(chairs: Chairs) -> Tensor:
    x, top = 0.85 * chairs.x, chairs.under
    feet = chairs.points(*((sx * x, 0.0, 1.1 * sz * chairs.z) for sx, sz in _CORNERS))
    ridge = chairs.points(*((sx * x, top, 0.12 * sz * chairs.z) for sx, sz in _CORNERS))
    legs = beams(feet, ridge, (0.038, 0.038), facing="x")
    tie = beams(
        chairs.points((-x, 0.45 * top, 0.0)), chairs.points((x, 0.45 * top, 0.0)), (0.035, 0.035)
    )
    return joined([legs, tie])


LEGS: dict[str, Part] = {
    "straight": _straight,
    "tapered": _tapered,
    "pedestal": _pedestal,
    "star": _star,
    "sled": _sled,
    "block": _block,
    "trestle": _trestle,
}

# --- arms ----------------------------------------------------------------------------------


def _no_arms(chairs: Chairs) -> Tensor:
    return chairs.width.new_zeros((len(chairs.width), 0, 3, 3))


def _open_arms(chairs: Chairs) -> Tensor:
    x, top = 0.5 * chairs.width - 0.03, chairs.seat_height + _ARM
    front, rear = 0.26 * chairs.depth, -chairs.z
    feet = chairs.points(*((side * x, chairs.under, front) for side in _SIDES))
    heads = chairs.points(*((side * x, top, front) for side in _SIDES))
    starts = chairs.points(*((side * x, top, rear) for side in _SIDES))
    ends = chairs.points(*((side * x, top, front + 0.1) for side in _SIDES))
    rails = beams(starts, ends, (0.03, 0.05), facing="x")
    return joined([beams(feet, heads, (0.035, 0.035)), rails])


def _solid_arms(chairs: Chairs) -> Tensor:
    x, top = 0.5 * chairs.width - 0.045, chairs.seat_height + 0.85 * _ARM
    low = chairs.seat_height - chairs.thickness
    middle = chairs.points(
        *((side * x, 0.5 * (top + low), -0.04 * chairs.depth) for side in _SIDES)
    )
    return box(middle, (0.055, 0.5 * (top - low), 0.42 * chairs.depth))


ARMS: dict[str, Part] = {"none": _no_arms, "open": _open_arms, "solid": _solid_arms}
