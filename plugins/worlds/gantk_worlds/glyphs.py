"""The ten digits as pen strokes: 22 glyphs, since people write each digit in two or three ways.

Points are (x, y): x to the right, y up, in sizes. A digit stands from y = -0.8 to 0.8, about x = 0.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import hypot
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEGMENTS = 48
"""Every glyph becomes so many straight segments, so that a batch of them is one array."""

_FINE = 64
"""Points between two control points, of which the evenly spaced ones are kept."""

Point = tuple[float, float]


class Piece(NamedTuple):
    """A part of a stroke without corners."""

    points: tuple[Point, ...]
    round: bool
    """A Catmull-Rom curve through the points (closed if it ends where it began), or one line."""


Glyph = tuple[Piece, ...]


def _curve(*points: Point) -> Glyph:
    return (Piece(points, round=True),)


def _lines(*points: Point) -> Glyph:
    return tuple(Piece(pair, round=False) for pair in pairwise(points))


def _oval(x: float, y: float, half_width: float, half_height: float) -> Glyph:
    """Return a closed curve; the factors are the sine and cosine of an eighth of a turn."""
    w, h = half_width, half_height
    right = ((x, y + h), (x + 0.71 * w, y + 0.71 * h), (x + w, y), (x + 0.71 * w, y - 0.71 * h))
    left = ((x, y - h), (x - 0.71 * w, y - 0.71 * h), (x - w, y), (x - 0.71 * w, y + 0.71 * h))
    return _curve(*right, *left, right[0])


# fmt: off
GLYPHS: tuple[tuple[Glyph, ...], ...] = (
    (  # 0: an oval; one whose ends cross at the top, as wide: else a slim one could be either
        _oval(0, 0, 0.48, 0.8),
        _curve((0.2, 0.72), (-0.08, 0.77), (-0.36, 0.5), (-0.48, 0), (-0.35, -0.56), (0, -0.8),
               (0.35, -0.56), (0.48, -0.02), (0.4, 0.46), (0.14, 0.76), (-0.1, 0.8)),
    ),
    (  # 1: with a flag; with flag and foot; a mere stem, last because it can't look wide
        _lines((-0.42, 0.38), (0.08, 0.8), (0.08, -0.8)),
        _lines((-0.34, 0.45), (0.02, 0.8), (0.02, -0.8)) + _lines((-0.36, -0.8), (0.4, -0.8)),
        _lines((0, 0.8), (0, -0.8)),
    ),
    (  # 2: with a foot; with a loop
        _curve((-0.42, 0.42), (-0.27, 0.7), (0.02, 0.8), (0.32, 0.66), (0.4, 0.36), (0.24, 0.02),
               (-0.12, -0.42), (-0.46, -0.8))
        + _lines((-0.46, -0.8), (0.48, -0.8)),
        _curve((-0.4, 0.5), (-0.2, 0.74), (0.08, 0.8), (0.33, 0.62), (0.36, 0.3), (0.16, -0.14),
               (-0.14, -0.58), (-0.34, -0.79), (-0.47, -0.68), (-0.4, -0.5), (-0.18, -0.54),
               (0.1, -0.74), (0.32, -0.8), (0.5, -0.68)),
    ),
    (  # 3: two bows; a flat top
        _curve((-0.4, 0.58), (-0.16, 0.78), (0.14, 0.76), (0.36, 0.56), (0.34, 0.28), (0.12, 0.1),
               (-0.12, 0.06))
        + _curve((-0.12, 0.06), (0.16, 0.02), (0.38, -0.16), (0.44, -0.42), (0.28, -0.7),
                 (-0.04, -0.8), (-0.44, -0.62)),
        _lines((-0.4, 0.8), (0.36, 0.8), (-0.04, 0.2))
        + _curve((-0.04, 0.2), (0.26, 0.12), (0.44, -0.14), (0.42, -0.46), (0.22, -0.72),
                 (-0.1, -0.8), (-0.46, -0.62)),
    ),
    (  # 4: open; closed
        _lines((-0.32, 0.8), (-0.44, -0.06), (0.48, -0.06)) + _lines((0.24, 0.66), (0.2, -0.8)),
        _lines((0.2, -0.8), (0.2, 0.8), (-0.5, -0.28), (0.5, -0.28)),
    ),
    (  # 5: with a corner; with a slanted back and a bar of its own
        _lines((0.4, 0.8), (-0.32, 0.8), (-0.38, 0.08))
        + _curve((-0.38, 0.08), (-0.08, 0.22), (0.24, 0.14), (0.44, -0.14), (0.42, -0.46),
                 (0.18, -0.74), (-0.14, -0.8), (-0.46, -0.62)),
        _lines((-0.18, 0.7), (0.48, 0.8))
        + _lines((-0.18, 0.7), (-0.34, 0.12))
        + _curve((-0.34, 0.12), (-0.02, 0.1), (0.24, -0.06), (0.34, -0.34), (0.2, -0.62),
                 (-0.08, -0.79), (-0.42, -0.77)),
    ),
    (  # 6: one long bow; a straight back
        _curve((0.34, 0.8), (0.02, 0.64), (-0.26, 0.3), (-0.4, -0.12), (-0.38, -0.5),
               (-0.18, -0.75), (0.12, -0.79), (0.36, -0.62), (0.4, -0.32), (0.2, -0.08),
               (-0.1, -0.08), (-0.36, -0.34)),
        _lines((0.08, 0.8), (-0.38, -0.26)) + _oval(0, -0.4, 0.42, 0.4),
    ),
    (  # 7: plain; with a bar; with a serif and a bent stem
        _lines((-0.44, 0.8), (0.44, 0.8), (-0.14, -0.8)),
        _lines((-0.42, 0.8), (0.44, 0.8), (-0.12, -0.8)) + _lines((-0.22, 0.04), (0.42, 0.04)),
        _lines((-0.42, 0.52), (-0.42, 0.8), (0.42, 0.8))
        + _curve((0.42, 0.8), (0.2, 0.36), (0.04, -0.08), (-0.04, -0.46), (-0.06, -0.8)),
    ),
    (  # 8: two ovals; one line that crosses itself
        _oval(0, 0.42, 0.35, 0.38) + _oval(0, -0.38, 0.44, 0.42),
        _curve((0.38, 0.58), (0.18, 0.78), (-0.1, 0.78), (-0.34, 0.56), (-0.24, 0.24), (0.06, 0.02),
               (0.32, -0.22), (0.36, -0.54), (0.14, -0.78), (-0.16, -0.78), (-0.38, -0.54),
               (-0.3, -0.22), (-0.02, 0.02), (0.26, 0.28), (0.38, 0.58)),
    ),
    (  # 9: an oval and a stem; one long bow
        _oval(-0.03, 0.38, 0.4, 0.42) + _lines((0.37, 0.38), (0.26, -0.8)),
        _curve((0.36, 0.5), (0.18, 0.74), (-0.1, 0.8), (-0.34, 0.62), (-0.4, 0.34), (-0.22, 0.08),
               (0.08, 0.06), (0.32, 0.32), (0.38, 0.52), (0.38, 0.12), (0.3, -0.32), (0.1, -0.66),
               (-0.16, -0.8), (-0.4, -0.68)),
    ),
)
# fmt: on

STYLES = tuple(len(styles) for styles in GLYPHS)
"""How many glyphs each digit has."""
FIRST = tuple(sum(STYLES[:digit]) for digit in range(len(STYLES)))
"""Number of each digit's first glyph."""


@cache
def segments() -> NDArray[np.float64]:
    """Return the segments of all glyphs, (22, 48, 2, 2): glyph, segment, end, (x, y)."""
    return np.stack([_segments(glyph) for styles in GLYPHS for glyph in styles])


def _segments(glyph: Glyph) -> NDArray[np.float64]:
    paths = [_fine(piece) for piece in glyph]
    shares = _shares([_lengths(path)[-1] for path in paths], SEGMENTS)
    cut = [_evenly(path, count) for path, count in zip(paths, shares, strict=True)]
    return np.concatenate([np.stack([points[:-1], points[1:]], axis=1) for points in cut])


def _fine(piece: Piece) -> NDArray[np.float64]:
    """Return a piece as points (P, 2), close together where it is round."""
    points = np.array(piece.points)
    if not piece.round:
        return points
    closed = piece.points[0] == piece.points[-1]
    # The ends of an open curve have their neighbour mirrored for the one that is missing.
    before = points[-2] if closed else 2 * points[0] - points[1]
    after = points[1] if closed else 2 * points[-1] - points[-2]
    a, b, c, d = (
        np.concatenate([[before], points, [after]])[i : len(points) - 1 + i] for i in range(4)
    )
    t = np.linspace(0, 1, _FINE, endpoint=False)[:, None, None]
    spans = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
    )
    return np.concatenate([spans.swapaxes(0, 1).reshape(-1, 2), points[-1:]])


def _lengths(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how long a path is up to each of its points, (P,)."""
    steps = [hypot(*step) for step in np.diff(path, axis=0)]
    return np.concatenate([[0.0], np.cumsum(steps)])


def _evenly(path: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return count + 1 points (·, 2) that cut a path into equal lengths."""
    along = _lengths(path)
    at = np.linspace(0, along[-1], count + 1)
    return np.stack([np.interp(at, along, path[:, axis]) for axis in range(2)], axis=1)


def _shares(lengths: list[float], total: int) -> list[int]:
    """Share out `total` segments by length, at least one each, the rest to the largest halves."""
    exact = [1 + (total - len(lengths)) * length / sum(lengths) for length in lengths]
    shares = [int(share) for share in exact]
    by_rest = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
    for i in by_rest[: total - sum(shares)]:
        shares[i] += 1
    return shares
