"""Which paint each vertex bears: skin, and so much of one other material.

Places are those of the mean head: eye distance 1, the middle of the eyes at the origin, y up, the
face towards +z. V is the number of vertices.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from cut import NDArrayBool
from mpfb import Floats, Ints
from rays import farthest

MATERIALS = ("lips", "brows", "scalp", "white", "iris", "pupil", "teeth", "mouth", "hair", "frame")
"""The package knows them by their places in this list."""


class Paint(NamedTuple):
    """Of each vertex: the place of its material in the list, and its share beside skin, 0 … 1."""

    material: Ints
    share: Floats

    @classmethod
    def none(cls, count: int) -> Paint:
        """Return bare skin."""
        return cls(np.zeros(count, dtype=np.int64), np.zeros(count))

    @classmethod
    def only(cls, name: str, count: int) -> Paint:
        """Return one material without skin."""
        return cls(np.full(count, MATERIALS.index(name)), np.ones(count))

    def over(self, name: str, share: Floats) -> Paint:
        """Return this paint with more of one material where it beats what is there."""
        wins = share > self.share
        return Paint(
            np.where(wins, MATERIALS.index(name), self.material), np.where(wins, share, self.share)
        )


def skin(
    head: Floats, upper_lip: Floats, lower_lip: Floats, ears: Floats, surface: Floats
) -> Paint:
    """Return the paint of skin vertices.

    Lips and ears are what their targets move, given as displacements (V, 3); `surface` are the
    triangles (F, 3, 3) of the head.
    """
    inside = _inside_mouth(head, surface)
    paint = Paint.none(len(head)).over("lips", np.maximum(_moved(upper_lip), _moved(lower_lip)))
    paint = paint.over("scalp", scalp(head, ears)).over("brows", _brows(head))
    return Paint(
        np.where(inside, MATERIALS.index("mouth"), paint.material),
        np.where(inside, 1, paint.share),
    )


def eye(ball: Floats) -> Paint:
    """Return the paint of an eyeball: rings of vertices at 11, 22, 45, 67, … degrees."""
    centre = (ball.min(axis=0) + ball.max(axis=0)) / 2
    out = ball - centre
    degrees = np.degrees(np.arccos(out[:, 2] / np.linalg.norm(out, axis=1)))
    paint = Paint.only("white", len(ball))
    names = np.where(degrees < 15, "pupil", np.where(degrees < 33, "iris", "white"))
    return paint._replace(material=np.array([MATERIALS.index(name) for name in names]))


def scalp(head: Floats, ears: Floats) -> Floats:
    """Return how hairy each vertex is: 1 well above the hairline, 0 below."""
    x, y, z = head.T
    line = np.interp(z, *zip(*_HAIRLINE, strict=True))
    share = np.clip((y - line + 0.12 * np.abs(x)) / 0.16 + 0.5, 0, 1)
    behind_face = np.clip((0.6 - z) / 0.1, 0, 1)
    ear = np.linalg.norm(ears, axis=1)
    return share * behind_face * np.clip(2 - 8 * ear / ear.max(), 0, 1)


_HAIRLINE = (
    # (z, y): nape, behind the ear, above it, sideburn, temple, forehead
    *((-2.9, -1.05), (-1.9, -0.95), (-1.6, -0.5), (-1.45, 0.2), (-0.95, 0.25), (-0.88, -0.15)),
    *((-0.66, -0.1), (-0.58, 0.45), (-0.42, 0.9), (-0.15, 1.1), (0.05, 1.2), (0.4, 1.25)),
)


_BEHIND = 0.01


def _brows(head: Floats) -> Floats:
    """Return a band that rises outwards a little and falls at its end."""
    x, y, z = np.abs(head[:, 0]), head[:, 1], head[:, 2]
    middle = 0.33 + 0.10 * np.sin(np.pi * np.clip((x - 0.15) / 0.8, 0, 1))
    across = 1 - np.abs(y - middle) / 0.10
    along = np.minimum(x - 0.10, 0.95 - x) / 0.06
    return np.clip(np.minimum(across * 1.6, along), 0, 1) * (z > -0.1)


def _inside_mouth(head: Floats, surface: Floats) -> NDArrayBool:
    """Return the vertices near the mouth that something before them hides."""
    x, y, _ = head.T
    found = (np.abs(x) < 0.7) & (y > -1.6) & (y < -0.85)
    forward = np.array([0.0, 0.0, 1.0])
    for vertex in np.flatnonzero(found):
        found[vertex] = farthest(surface, head[vertex] - forward, forward) > 1 + _BEHIND
    return found


def _moved(displacement: Floats) -> Floats:
    """Return 0 at an eighth of the largest displacement and below, 1 at three eighths."""
    length = np.linalg.norm(displacement, axis=1)
    return np.clip((length / length.max() - 0.125) / 0.25, 0, 1)
