"""Where rays meet a mesh."""

from __future__ import annotations

import numpy as np
from mpfb import Floats


def farthest(corners: Floats, origin: Floats, way: Floats) -> float:
    """Return how far along a ray the last triangle (F, 3, 3) lies (Möller and Trumbore, 1997)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(way, second)
    size = np.einsum("fi,fi->f", first, across)
    size[np.abs(size) < 1e-12] = np.inf
    start = origin - corners[:, 0]
    u = np.einsum("fi,fi->f", start, across) / size
    turned = np.cross(start, first)
    v = turned @ way / size
    distance = np.einsum("fi,fi->f", second, turned) / size
    return float(distance[(u >= 0) & (v >= 0) & (u + v <= 1)].max())
