"""IRS, the interventional robustness score (Suter et al. 2019).

Does a code stay where it is while other factors change?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gantk_measures.statistics import Indices, Numbers


class Robustness(NamedTuple):
    """The score, and what it is made of."""

    value: float
    by_pair: Numbers
    """(J, K): 1 - deviation of code j while factor k is held / its deviation over all."""


def interventional_robustness(
    codes: Sequence[Numbers], factors: Sequence[Indices], quantile: float = 0.99
) -> Robustness:
    """Return the mean over codes (N, C) of their best factor, weighted by how far each code goes.

    1 is best. `quantile` of the deviations within a value stands for the largest (the paper takes
    1.0); the deviation over all is the largest one, which a single outlier can make as one likes.
    Codes that do not move have no weight.
    """
    furthest = np.array([_deviations(code).max() for code in codes])
    held = np.array([[_held(code, factor, quantile) for factor in factors] for code in codes])
    moves = furthest[:, None] > 0
    by_pair = 1 - np.divide(held, furthest[:, None], out=np.ones_like(held), where=moves)
    total = furthest.sum()
    value = float(furthest @ by_pair.max(axis=1) / total) if total > 0 else 0.0
    return Robustness(value, by_pair)


def _held(code: Numbers, factor: Indices, quantile: float) -> float:
    """Return the mean over values of the factor of how far the code goes within one."""
    groups = (code[factor == level] for level in np.unique(factor))
    return float(np.mean([np.quantile(_deviations(group), quantile) for group in groups]))


def _deviations(code: Numbers) -> Numbers:
    distances: Numbers = np.linalg.norm(code - code.mean(axis=0), axis=1)
    return distances
