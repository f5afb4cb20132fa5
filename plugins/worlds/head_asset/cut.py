"""Cuts a mesh along planes, with new vertices where the plane crosses an edge.

A vertex of the cut mesh is a mixture of vertices of the base mesh, the same for every shape: row v
of `mixture` (V, N) holds the shares. So a target of the base mesh is one of the cut mesh too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from mpfb import Floats, Ints
from scipy.sparse import csr_array, eye_array, vstack

_ON = 1e-6
"""A vertex so near to the plane counts as above it."""


@dataclass(frozen=True)
class Cut:
    """Triangles (F, 3) between vertices that are mixtures (V, N) of those of the base mesh."""

    triangles: Ints
    mixture: csr_array

    @classmethod
    def of(cls, triangles: Ints, count: int) -> Cut:
        """Return a mesh that is not cut yet, of those of `count` vertices that it uses."""
        return cls(triangles, csr_array(eye_array(count))).tidy()

    def tidy(self) -> Cut:
        """Return the mesh without vertices that no triangle uses."""
        used, renumbered = np.unique(self.triangles, return_inverse=True)
        return Cut(renumbered.reshape(-1, 3), self.mixture[used])

    def keep(self, which: NDArrayBool) -> Cut:
        """Return the mesh of some of the triangles."""
        return replace(self, triangles=self.triangles[which]).tidy()

    def above(self, base: Floats, normal: tuple[float, float, float], height: float) -> Cut:
        """Return the part where place · normal > height."""
        parted = self.split(base, normal, height)
        middle = (parted.mixture @ base)[parted.triangles].mean(axis=1)
        return parted.keep(middle @ np.array(normal) > height)

    def split(self, base: Floats, normal: tuple[float, float, float], height: float) -> Cut:
        """Return the mesh with no triangle on both sides of the plane place · normal = height."""
        side = (self.mixture @ base) @ np.array(normal) - height
        side[np.abs(side) < _ON] = _ON
        crossing = np.ptp(np.sign(side)[self.triangles], axis=1) > 0
        new: dict[tuple[int, int], int] = {}
        rows: list[csr_array] = []

        def between(a: int, b: int) -> int:
            first, second = min(a, b), max(a, b)
            if (first, second) not in new:
                new[first, second] = self.mixture.shape[0] + len(rows)
                share = side[first] / (side[first] - side[second])
                rows.append(self.mixture[[first]] * (1 - share) + self.mixture[[second]] * share)
            return new[first, second]

        pieces = [self.triangles[~crossing]]
        for triangle in self.triangles[crossing]:
            signs = np.sign(side[triangle])
            alone = int(np.flatnonzero(signs != np.sign(signs.sum()))[0])
            a, b, c = (int(corner) for corner in np.roll(triangle, -alone))
            ab, ac = between(a, b), between(a, c)
            pieces.append(np.array([[a, ab, ac], [ab, b, c], [ab, c, ac]]))
        return Cut(np.concatenate(pieces), csr_array(vstack([self.mixture, *rows])))


NDArrayBool = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
