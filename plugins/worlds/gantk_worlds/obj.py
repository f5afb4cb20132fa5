"""Models as Wavefront OBJ files: their faces as triangles, each with one grey.

Read are corners (v), faces (f) and materials (mtllib, usemtl); all else is left out. A face of more
than three corners is cut like a fan, which is right if it is convex; one of fewer has no area.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_worlds.mesh_files import MeshFiles
from gantk_worlds.mtl import LONGEST_NAME, PLAIN, commands, read_mtl, shortened

MOST_CORNERS = 1_000_000
MOST_TRIANGLES = 250_000
LARGEST_NUMBER = 1e9


class Model(NamedTuple):
    """T triangles between V places."""

    places: NDArray[np.float64]
    """(V, 3): x, y, z; each is a corner of some triangle."""
    faces: NDArray[np.int64]
    """(T, 3): the places of its corners."""
    grey: NDArray[np.float64]
    """(T,) in [0, 1]."""


def read_obj(files: MeshFiles, name: str) -> Model:
    """Return the model in the file `name`; DataError naming file and line if it can't be one."""
    reader = _Reader(files, name)
    for line, word, rest in commands(files.read(name)):
        reader.read(line, word, rest)
    return reader.model()


class _Reader:
    """What has been read of an OBJ file so far."""

    def __init__(self, files: MeshFiles, name: str) -> None:
        self._files = files
        self._name = name
        self._line = 0
        self._grey = PLAIN
        self._greys: dict[str, dict[str, float]] = {}  # by library
        self._places = array("d")
        self._faces = array("q")
        self._lines = array("q")
        self._tones = array("d")

    def read(self, line: int, word: str, rest: str) -> None:
        """Take in one command; those of other kinds are passed over."""
        self._line = line
        if word == "v":
            self._corner(rest)
        elif word == "f":
            self._face(rest)
        elif word == "mtllib":
            self._library(rest)
        elif word == "usemtl":
            known = (greys[rest] for greys in self._greys.values() if rest in greys)
            self._grey = next(known, PLAIN)

    def model(self) -> Model:
        """Return all that was read. A face may name corners that came after it."""
        if not self._faces:
            raise DataError(f"{self._files.path}: {self._name}: there is no face in it")
        faces = np.frombuffer(self._faces, np.int64)
        beyond = np.flatnonzero(faces >= self._count)
        if len(beyond):
            self._line = self._lines[beyond[0] // 3]
            raise self._no_corner(int(faces[beyond[0]]) + 1)
        used, faces = np.unique(faces, return_inverse=True)
        places = np.frombuffer(self._places, np.float64).reshape(-1, 3)[used]
        return Model(places, faces.reshape(-1, 3), np.array(self._tones))

    @property
    def _count(self) -> int:
        return len(self._places) // 3

    def _corner(self, text: str) -> None:
        try:
            x, y, z = map(float, text.split(None, 3)[:3])
        except ValueError:
            raise self._error(f"v {shortened(text)}: a corner is three numbers") from None
        # A comparison with NaN is false.
        if not all(abs(value) <= LARGEST_NUMBER for value in (x, y, z)):
            limits = f"from -{LARGEST_NUMBER:g} to {LARGEST_NUMBER:g}"
            raise self._error(f"v {shortened(text)}: a corner is three numbers {limits}")
        self._places.extend((x, y, z))
        if self._count > MOST_CORNERS:
            raise self._error(f"there are more than {MOST_CORNERS:,} corners")

    def _face(self, text: str) -> None:
        words = text.split(None, MOST_TRIANGLES + 2)
        if len(self._lines) + len(words) - 2 > MOST_TRIANGLES:
            raise self._error(f"there are more than {MOST_TRIANGLES:,} triangles")
        corners = [self._index(word) for word in words]
        for second, third in pairwise(corners[1:]):
            self._faces.extend((corners[0], second, third))
            self._lines.append(self._line)
            self._tones.append(self._grey)

    def _index(self, word: str) -> int:
        try:
            number = int(word.partition("/")[0])
        except ValueError:
            raise self._error(f"f {shortened(word)}: a face names corners by number") from None
        index = number - 1 if number > 0 else self._count + number
        if number == 0 or not 0 <= index < MOST_CORNERS:
            raise self._no_corner(number)
        return index

    def _library(self, text: str) -> None:
        # A name may hold blanks; or blanks may stand between several names.
        text = text[:LONGEST_NAME]
        whole = self._files.near(self._name, text)
        names = [whole] if whole else [self._files.near(self._name, n) for n in text.split()]
        for name in filter(None, names):
            if name not in self._greys:
                self._greys[name] = read_mtl(self._files, name)

    def _no_corner(self, number: int) -> DataError:
        found = f"a face names corner {shortened(str(number))[1:-1]}"
        return self._error(f"{found}; the {self._count:,} count from 1 up, or from -1 back")

    def _error(self, text: str) -> DataError:
        return DataError(f"{self._files.path}: {self._name}:{self._line}: {text}")
