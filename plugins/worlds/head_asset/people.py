"""Random people: mixtures of MakeHuman's targets, all aligned by their eyes.

V is the number of vertices of the cut mesh. Nothing here is named in the package: users see
opaque coefficients.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from mpfb import Floats, Ints, Library

_SEXES = ("female", "male")
_ORIGINS = ("african", "asian", "caucasian")
_AGES = ("child", "young", "old")
_WEIGHTS = ("minweight", "averageweight", "maxweight")
_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "cheek", "mouth", "chin", "ears")
_LEFT_OUT = (
    # What moves a head on its body, is a factor of its own or no matter of identity.
    *("head-trans", "head-angle", "head-age", "head-fat", "head-scale-horiz"),
    *("mouth-angles", "mouth-laugh", "mouth-trans-in", "nose-trans-in", "chin-jaw-drop"),
    "forehead-nubian",  # flattens the crown, as two of the seven shapes of heads do
)
_OPPOSITES = {
    "decr": "incr",
    "down": "up",
    "in": "out",
    "backward": "forward",
    "compress": "uncompress",
    "concave": "convex",
}
_SPREADS = {"head": 0.14, "forehead": 0.14, "mouth": 0.1}
"""How much each coefficient varies, 0.3 elsewhere; mouths less: a smile must be told from them."""
_SHAPES = ("diamond", "invertedtriangular", "oval", "round", "triangular")


class Pair(NamedTuple):
    """Two targets that undo each other, (V, 3), and how far people differ in them."""

    less: Floats
    more: Floats
    spread: float


class People:
    """Draws people as vertices (V, 3), eye distance 1, the middle of the eyes at the origin."""

    def __init__(
        self, library: Library, cut: Callable[[Floats], Floats], eyes: tuple[Ints, Ints]
    ) -> None:
        self._base = cut(library.vertices)
        self._eyes = eyes

        def read(name: str) -> Floats:
            return cut(library.target(name)).astype(np.float32)

        macro = "macrodetails"
        self._origins = np.stack(
            [
                read(f"{macro}/{origin}-{sex}-{age}")
                for origin, sex, age in itertools.product(_ORIGINS, _SEXES, _AGES)
            ]
        )
        self._weights = np.stack(
            [
                read(f"{macro}/universal-{sex}-{age}-averagemuscle-{weight}")
                for sex, age, weight in itertools.product(_SEXES, _AGES, _WEIGHTS)
            ]
        )
        self._shapes = [read(f"head/head-{shape}") for shape in _SHAPES]
        self.pairs = [
            Pair(
                sum(map(read, less)), sum(map(read, more)), _SPREADS.get(less[0].split("/")[0], 0.3)
            )
            for less, more in opposites(library)
        ]

    @property
    def eye_distance(self) -> float:
        """That of the base mesh, in decimetres."""
        left, right = self._centres(self._base)
        return float(np.linalg.norm(left - right))

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return somebody."""
        male = rng.random()
        body = self._base + self._macro(
            np.array([1 - male, male]),
            rng.dirichlet((0.7, 0.7, 0.7)),
            rng.dirichlet((0.25, 1.6, 0.6)),
            rng.dirichlet((0.5, 1.0, 0.5)),
        )
        body = body + self._shapes[rng.integers(len(_SHAPES))] * (0.45 * rng.random())
        for pair, amount in zip(self.pairs, rng.standard_normal(len(self.pairs)), strict=True):
            body = body + (pair.more if amount > 0 else pair.less) * abs(amount * pair.spread)
        return self._aligned(body)

    def _macro(self, sex: Floats, origin: Floats, age: Floats, weight: Floats) -> Floats:
        first = np.einsum("o,s,a->osa", origin, sex, age).ravel()
        second = np.einsum("s,a,w->saw", sex, age, weight).ravel()
        return np.tensordot(first, self._origins, 1) + np.tensordot(second, self._weights, 1)

    def _aligned(self, body: Floats) -> Floats:
        left, right = self._centres(body)
        return (body - (left + right) / 2) / np.linalg.norm(left - right)

    def _centres(self, body: Floats) -> tuple[Floats, Floats]:
        left, right = self._eyes
        return body[left].mean(axis=0), body[right].mean(axis=0)


def opposites(library: Library) -> list[tuple[list[str], list[str]]]:
    """Return pairs of opposite targets; what is there for each side moves both sides alike."""
    found = []
    for folder in _FOLDERS:
        names = library.names(folder)
        sides: dict[str, list[str]] = {}
        for name in names:
            sides.setdefault(re.sub("^[lr]-", "", name), []).append(f"{folder}/{name}")
        for name, less in sides.items():
            start, _, end = name.rpartition("-")
            more = sides.get(f"{start}-{_OPPOSITES.get(end)}")
            if more and not name.startswith(_LEFT_OUT):
                found.append((less, more))
    return found
