"""The part of MakeHuman's body that is kept, and its targets."""

from __future__ import annotations

import numpy as np
from cut import Cut, NDArrayBool
from mpfb import Floats, Ints, Library
from people import People
from scipy.sparse import csr_array, vstack
from shape import PARTS

_FLOOR, _NECK, _ARMS = 5.0, 5.65, 2.4
"""Heights at which the bust is cut and the neck begins, and how far out the arms are; dm."""
_GROUPS = {
    "body": "skin",
    "helper-l-eye": "eyes",
    "helper-r-eye": "eyes",
    "helper-upper-teeth": "teeth",
}


class Body:
    """A bust without arms, two eyes and the upper teeth; V vertices, F triangles."""

    def __init__(self, library: Library) -> None:
        self._library = library
        base, meshes = library.vertices, {}
        for group in _GROUPS:
            meshes[group] = Cut.of(library.triangles(group), len(base))
        for normal, height in (((0, 1, 0), _FLOOR), ((1, 0, 0), -_ARMS), ((-1, 0, 0), -_ARMS)):
            meshes["body"] = meshes["body"].above(base, normal, height)
        counts = [mesh.mixture.shape[0] for mesh in meshes.values()]
        starts = np.cumsum([0, *counts[:-1]])
        self._mixture = csr_array(vstack([mesh.mixture for mesh in meshes.values()]))
        self.triangles = np.concatenate(
            [mesh.triangles + start for mesh, start in zip(meshes.values(), starts, strict=True)]
        )
        """(F, 3)."""
        self.part = np.concatenate(
            [np.full(len(m.triangles), PARTS.index(_GROUPS[group])) for group, m in meshes.items()]
        )
        """(F,) places in `PARTS`."""
        self.skin, self.left, self.right, self.teeth = (
            np.arange(start, start + count) for start, count in zip(starts, counts, strict=True)
        )
        """Numbers of the vertices of each group."""
        self.above_neck: NDArrayBool = (self._mixture @ base)[:, 1] > _NECK
        """(V,)."""
        eyes = (self.left, self.right)
        self.people = People(library, lambda moved: self._mixture @ moved, eyes)

    @property
    def head(self) -> Ints:
        """The triangles of the skin above the neck."""
        skin = self.triangles[self.part == PARTS.index("skin")]
        return skin[self.above_neck[skin].all(axis=1)]

    def moved(self, *targets: str, folder: str) -> Floats:
        """Return how far some targets together move each vertex (V, 3), in eye distances."""
        base = sum(self._library.target(f"{folder}/{name}") for name in targets)
        return (self._mixture @ base) / self.people.eye_distance
