"""The support of a set of samples, as balls around them, and what of another set it holds.

N points span the support, M others are looked for in it, both with D columns.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEIGHBOURS = 5
_PART = 500
"""Rows whose distances are held at once."""


class Held(NamedTuple):
    """How often each of M points is held by N balls, and which balls hold any."""

    balls: Tensor
    """Balls each point lies in, (M,) int64."""
    reached: Tensor
    """Whether each ball holds a point, (N,) bool."""


class Manifold:
    """The support of points (N, D): a ball around each, up to its k-th nearest other point.

    Kynkäänniemi et al. 2019 (arXiv 1904.06991), equation 1; also the balls of Naeem et al. 2020.
    """

    def __init__(self, points: Tensor, neighbours: int = NEIGHBOURS) -> None:
        self._points = points
        itself_too = min(neighbours + 1, len(points))
        radii = [
            torch.cdist(part, points).kthvalue(itself_too, dim=1).values
            for part in points.split(_PART)
        ]
        self._radii = torch.cat(radii)

    def holds(self, points: Tensor) -> Held:
        """Return which of `points` (M, D) lie in which balls, as counts; NaN lies in none."""
        balls: list[Tensor] = []
        reached = torch.zeros(len(self._points), dtype=torch.bool)
        for part in points.split(_PART):
            held = torch.cdist(part, self._points) <= self._radii
            balls.append(held.sum(dim=1))
            reached |= held.any(dim=0)
        return Held(torch.cat(balls), reached)

    def inside(self, points: Tensor) -> Tensor:
        """Return whether each of `points` (M, D) lies in some ball, (M,) bool."""
        return self.holds(points).balls > 0


class Overlap(NamedTuple):
    """One number a sample; the mean of each is the measure of that name."""

    precision: Tensor
    """Whether each generated sample lies in the support of real ones, (M,)."""
    recall: Tensor
    """Whether each real sample lies in the support of generated ones, (N,)."""
    density: Tensor
    """Balls of real samples each generated one lies in, over k, (M,)."""
    coverage: Tensor
    """Whether the ball of each real sample holds a generated one, (N,)."""


def overlap(real: Tensor, generated: Tensor, neighbours: int = NEIGHBOURS) -> Overlap:
    """Return how the supports of real (N, D) and generated (M, D) features overlap.

    Precision and recall: Kynkäänniemi et al. 2019. Density and coverage: Naeem et al. 2020
    (arXiv 2002.09797), equations 3 and 4: between two samples of one continuous distribution
    their means are 1, and 1 - ∏ (N - i) / (M + N - i) over i = 1 … k.
    """
    held = Manifold(real, neighbours).holds(generated)
    return Overlap(
        precision=(held.balls > 0).double(),
        recall=Manifold(generated, neighbours).inside(real).double(),
        density=held.balls.double() / neighbours,
        coverage=held.reached.double(),
    )
