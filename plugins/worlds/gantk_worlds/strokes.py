"""Digits drawn with a pen: which digit, how far turned, how wide and how thick is known.

MNIST's codes for rotation and width can only be looked at, since nobody knows its digits' angles;
here the same claims can be measured.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from gan_toolkit import ArrayDataset
from gantk_worlds.laws import Choice, Even, Law, Normal
from gantk_worlds.options import Look
from gantk_worlds.pen import Ends, distance, ends, glyph
from gantk_worlds.prepared import dataset
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split

SIZE = 28
DIGITS = tuple("0123456789")

STYLE = Choice("style", tuple("012345"))
"""Six, so that both two and three ways to write a digit come up equally often."""
_FIRST_STYLES = Choice("style", tuple("01"))
"""Without the 1 that is a mere stem: nobody can tell how wide it is."""

_SOFT = 1.2
"""Pixels over which the edge of a stroke goes from black to white."""
_HALF_HEIGHT = 0.8
_BENDS = tuple(f"bend_{axis}{term}" for axis in "xy" for term in range(5))
_PLACE = (Normal("x", 0.0, 0.5, "px"), Normal("y", 0.0, 0.5, "px"))
_SCORED = (
    Even("rotation", -0.6, 0.6, "rad", scored=True),
    Even("width", 0.65, 1.4, ratio=True, scored=True),
    Even("thickness", 0.5, 2.2, "px", scored=True),
)
"""As wide as they go: beyond, slim thick digits close up and broad turned ones are cut off."""
_SLANT = Even("slant", -0.5, 0.5, scored=True)
# Bends are slight here: twice as strong, they hide the width of a 7 or a 1.
_BESIDES = (
    _FIRST_STYLES,
    Even("size", 10.8, 12.0, "px"),
    *_PLACE,
    *(Normal(name, 0.0, 0.016, "size") for name in _BENDS),
)
_LIKE_MNIST = (
    Normal("rotation", 0.0, 0.06, "rad"),
    Normal("width", 1.0, 0.16, ratio=True),
    Normal("thickness", 1.15, 0.25, "px", ratio=True),
    Normal("slant", 0.12, 0.20),
    STYLE,
    Even("size", 11.2, 12.6, "px"),
    *_PLACE,
    *(Normal(name, 0.0, 0.05, "size") for name in _BENDS),
)
_log = logging.getLogger("gantk")


class StrokesWorld(World):
    """White digits on black, 28x28; the label is the digit.

    Rotation is against the clock; thickness is half the width of a stroke; slant is how far a digit
    leans to the right, per unit of height. With `slant`, it is one more scored factor: it looks
    much like rotation, so that neither can be told cleanly. With `look` "mnist" only the digit is
    scored, and all else varies as in MNIST (by eye).
    """

    name: ClassVar[str] = "strokes-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "strokes-synthetic: drawn by gan-toolkit; no real data"
    label: ClassVar[str] = "digit"

    def __init__(self, *, seed: int = 0, look: Look = "scored", slant: bool = False) -> None:
        self.sample_shape = (1, SIZE, SIZE)
        self.options = {"seed": seed, "look": look, "slant": slant and look == "scored"}
        self._seed = seed
        self._look = look
        self._laws = _laws(look, slant)
        self.factors = tuple(law.factor for law in self._laws)

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version}", self._seed, indices)
        return table(law.draw(streams) for law in self._laws)

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 1, 28, 28) of factors (N, K)."""
        known = split(table, self.factors)
        written = _bent(ends(glyph(known["digit"], known["style"])), known)
        written = written.stretched(known["width"])
        if "slant" in known:
            written = written.slanted(known["slant"])
        written = written.turned(known["rotation"])
        if self._look == "mnist":
            written = written.centred()  # as MNIST's are, by their ink: its 7s and 9s hang low
        x, y = SIZE / 2 + known["x"], SIZE / 2 - known["y"]
        placed = written.placed(x, y, known["size"])
        inside = known["thickness"].float()[:, None, None] - distance(placed, SIZE)
        grey = (0.5 + inside / _SOFT).clamp(0, 1)
        return (255 * grey).round().to(torch.uint8)[:, None]


def strokes(
    look: Look, slant: bool, count: int, held_out: int, seed: int, cache: str | None
) -> ArrayDataset:
    """Return digits drawn with a pen."""
    if slant and look == "mnist":
        _log.info('strokes: slant has no effect with look "mnist", whose digits always lean')
    return dataset(StrokesWorld(seed=seed, look=look, slant=slant), count, held_out, cache)


def _laws(look: Look, slant: bool) -> Sequence[Law]:
    digit = Choice("digit", DIGITS, scored=True)
    if look == "mnist":
        return (digit, *_LIKE_MNIST)
    return (digit, *_SCORED, *([_SLANT] if slant else []), *_BESIDES)


def _bent(ends: Ends, known: dict[str, Tensor]) -> Ends:
    """Bend the plane the digits stand on, as no two people write alike.

    The terms are products of Legendre polynomials. Those of degree one and less are left out:
    they would shift, turn, stretch or slant the digit, and blur the factors that do.
    """
    u, v = 2 * ends.x, ends.y / _HALF_HEIGHT
    terms = (
        u * v,
        1.5 * u**2 - 0.5,
        1.5 * v**2 - 0.5,
        u * (1.5 * v**2 - 0.5),
        2.5 * v**3 - 1.5 * v,
    )
    x, y = ends.x, ends.y
    for number, term in enumerate(terms):
        x = x + known[f"bend_x{number}"][:, None, None] * term
        y = y + known[f"bend_y{number}"][:, None, None] * term
    return Ends(x, y)
