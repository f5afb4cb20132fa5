"""Long hair and glasses: made for the mean head, and carried along by the skin near them.

Places are those of the mean head (see `paint.py`). What is worn has no targets of its own: each of
its vertices moves as some vertices of the skin do, given as shares (W, V) of W worn vertices.
"""

from __future__ import annotations

from math import cos, radians, sin, tau
from typing import NamedTuple

import numpy as np
from mpfb import Floats, Ints
from rays import farthest

AXIS = -1.25
"""z of the upright axis through the head."""


class Worn(NamedTuple):
    """Vertices (W, 3), triangles (F, 3), and what carries each vertex along: shares (W, V)."""

    vertices: Floats
    triangles: Ints
    carried: Floats


# --- hair ----------------------------------------------------------------------------------

_COLUMNS = 25
_HEIGHTS = (1.45, 1.2, 0.9, 0.55, 0.2, -0.2, -0.6, -1.0, -1.45, -1.9, -2.35, -2.8)
_LOOSE = -0.6
"""Below this height hair hangs straight down."""
_EDGE_TOP, _EDGE = 58.0, 72.0
"""Degrees from the front at which the curtain begins, at its top and from the ears down."""


def hair(skin: Floats, triangles: Ints, carriers: Ints) -> Worn:
    """Return a curtain round the back of the head, from one temple to the other.

    `carriers` are the vertices that may carry it: no ears, which differ too much.
    """
    corners = skin[triangles]
    grid = np.empty((len(_HEIGHTS), _COLUMNS, 3))
    anchors = np.empty_like(grid)
    radii = np.zeros(_COLUMNS)
    for row, height in enumerate(_HEIGHTS):
        share = np.clip((_HEIGHTS[0] - height) / (_HEIGHTS[0] - _LOOSE), 0, 1)
        edge = radians(_EDGE_TOP + (_EDGE - _EDGE_TOP) * share)
        angles = np.linspace(edge, tau - edge, _COLUMNS)
        away = np.stack([np.sin(angles), np.zeros(_COLUMNS), np.cos(angles)], axis=1)
        if height > _LOOSE:
            origin = np.array([0.0, height, AXIS])
            found = np.array([farthest(corners, origin, way) for way in away])
            radii = np.maximum(radii, found) if height < 0.55 else found
            gap = 0.04 + 0.2 * share
        wave = 0.03 * np.sin(3.0 * height + 5.0 * angles) * share
        grid[row] = away * (radii + gap + wave)[:, None] + np.array([0.0, height, AXIS])
        anchors[row] = grid[max(0, min(row, _HEIGHTS.index(_LOOSE)))]
    vertices = grid.reshape(-1, 3)
    faces = _outward(vertices, _sheet(len(_HEIGHTS), _COLUMNS), vertices * (0, 1, 0))
    return Worn(vertices, faces, _nearest(anchors.reshape(-1, 3), skin, carriers, 12))


# --- glasses -------------------------------------------------------------------------------

_AROUND, _SIDES = 20, 4
_LENS = (0.40, 0.29)
_EXPONENT = 3.2
_TUBE = 0.05
_CENTRE = (0.50, -0.03, 0.56)


def glasses(skin: Floats) -> Worn:
    """Return two rims, a bridge and two temples.

    The rims go forward with the bridge of the nose and the brows; the temples end above the ears
    and go out with the skin there.
    """
    x, y, z = _CENTRE
    front = _region(skin, (0.0, 0.2, 0.45), 0.45)
    parts: list[tuple[Floats, Ints, Floats]] = []
    for side in (-1, 1):
        path = np.array([[side * x + a, y + b, z - 0.10 * abs(a * side + 0.2)] for a, b in _rim()])
        parts.append(_along(path, closed=True, carried=np.tile(front, (len(path), 1))))
        ear = _region(skin, (side * 1.17, 0.1, -1.0), 0.35)
        hinge = (side * (x + _LENS[0]), 0.08, z - 0.06)
        path = np.array([hinge, (side * 1.12, 0.08, z - 0.25), (side * 1.30, 0.08, -1.25)])
        parts.append(_along(path, closed=False, carried=np.stack([front, ear, ear])))
    bridge = np.array([[a, 0.10 - 0.6 * a * a, z + 0.02] for a in (-0.12, 0.0, 0.12)])
    parts.append(_along(bridge, closed=False, carried=np.tile(front, (3, 1))))
    return _joined(parts)


def _rim() -> list[tuple[float, float]]:
    """Return a superellipse."""
    found = []
    for step in range(_AROUND):
        c, s = cos(tau * (step + 0.5) / _AROUND), sin(tau * (step + 0.5) / _AROUND)
        radius = (abs(c) ** _EXPONENT + abs(s) ** _EXPONENT) ** (-1 / _EXPONENT)
        found.append((_LENS[0] * radius * c, _LENS[1] * radius * s))
    return found


def _along(path: Floats, *, closed: bool, carried: Floats) -> tuple[Floats, Ints, Floats]:
    """Return a tube along a path (P, 3)."""
    following = np.roll(path, -1, axis=0) if closed else np.vstack([path[1:], path[-1:]])
    leading = np.roll(path, 1, axis=0) if closed else np.vstack([path[:1], path[:-1]])
    way = following - leading
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0]) if closed else np.array([0.0, 1.0, 0.0])
    side = np.cross(way, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(side, way)
    angles = [tau * (step + 0.5) / _SIDES for step in range(_SIDES)]
    rings = [path + _TUBE * (cos(angle) * side + sin(angle) * other) for angle in angles]
    vertices = np.stack(rings, axis=1).reshape(-1, 3)
    count = len(path)
    faces = []
    for ring in range(count if closed else count - 1):
        for step in range(_SIDES):
            a, b = ring * _SIDES + step, ring * _SIDES + (step + 1) % _SIDES
            beyond = ((ring + 1) % count - ring) * _SIDES
            faces += [(a, b, b + beyond), (a, b + beyond, a + beyond)]
    outward = _outward(vertices, np.array(faces), np.repeat(path, _SIDES, axis=0))
    return vertices, outward, np.repeat(carried, _SIDES, axis=0)


def normals(vertices: Floats, triangles: Ints) -> Floats:
    """Return unit normals (V, 3): the mean of those of the triangles, each as heavy as its area."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    found = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(found, triangles[:, corner], np.cross(b - a, c - a))
    return found / np.linalg.norm(found, axis=1, keepdims=True).clip(1e-12)


# --- what carries ----------------------------------------------------------------------------


def _nearest(places: Floats, skin: Floats, carriers: Ints, count: int) -> Floats:
    """Return shares (W, V): alike of the nearest `count` carriers."""
    shares = np.zeros((len(places), len(skin)))
    for row, place in enumerate(places):
        distance = np.linalg.norm(skin[carriers] - place, axis=1)
        shares[row, carriers[np.argsort(distance, kind="stable")[:count]]] = 1 / count
    return shares


def _region(skin: Floats, centre: tuple[float, float, float], radius: float) -> Floats:
    """Return shares (V,): alike of all vertices of a ball."""
    inside = np.linalg.norm(skin - np.array(centre), axis=1) < radius
    return inside / inside.sum()


def _sheet(rows: int, columns: int) -> Ints:
    """Return the triangles of a grid of vertices."""
    start = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    first = np.stack([start, start + columns, start + columns + 1], axis=1)
    second = np.stack([start, start + columns + 1, start + 1], axis=1)
    return np.concatenate([first, second])


def _outward(vertices: Floats, faces: Ints, inside: Floats) -> Ints:
    """Return faces wound so that they look away from a place (W, 3) for each vertex."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    away = (vertices - inside)[faces].sum(axis=1)
    looks_in = np.einsum("fi,fi->f", np.cross(b - a, c - a), away) < 0
    return np.where(looks_in[:, None], faces[:, ::-1], faces)


def _joined(parts: list[tuple[Floats, Ints, Floats]]) -> Worn:
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in parts)])
    return Worn(
        np.concatenate([vertices for vertices, _, _ in parts]),
        np.concatenate([part[1] + start for part, start in zip(parts, starts[:-1], strict=True)]),
        np.concatenate([carried for _, _, carried in parts]),
    )
