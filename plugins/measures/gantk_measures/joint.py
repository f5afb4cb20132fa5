"""Modes as joint values of several factors, and what a reader that errs makes of them.

Factors have K_1, K_2, … values, which make M = K_1 K_2 … modes. A mode is one number, the first
factor counting most, as the digits of stacked MNIST are written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gantk_measures.statistics import Indices, Numbers, divergence, entropy

SIMULATED = 20
"""Draws of a perfect generator that a reference is the mean of."""


Values = Mapping[str, Indices]
"""Of each factor, by name, (N,)."""
Levels = Mapping[str, int]
"""How many values each factor has, by name, in the order in which they make up a mode."""


def joint(values: Values, levels: Levels) -> Indices:
    """Return the mode of each sample, (N,)."""
    columns = tuple(values[name] for name in levels)
    return np.ravel_multi_index(columns, tuple(levels.values())).astype(np.int64)


def mode_counts(values: Values, levels: Levels) -> Numbers:
    """Return how often each mode occurs, (M,)."""
    counts = np.bincount(joint(values, levels), minlength=math.prod(levels.values()))
    return counts.astype(np.float64)


def confusion(truth: Indices, read: Indices, levels: int) -> Numbers:
    """Return how often each value is read as each other, (K, K), rows of sum 1.

    A value that does not occur is taken to be read as it is.
    """
    table = np.zeros((levels, levels))
    np.add.at(table, (truth, read), 1)
    unseen = table.sum(axis=1) == 0
    table[unseen, unseen] = 1
    shares: Numbers = table / table.sum(axis=1, keepdims=True)
    return shares


def as_read(shares: Numbers, confusions: Sequence[Numbers]) -> Numbers:
    """Return shares (M,) of modes as they are read when each factor errs by its own confusion.

    Errors of different factors are taken as independent.
    """
    table = shares.reshape([len(each) for each in confusions])
    for axis, each in enumerate(confusions):
        table = np.moveaxis(np.tensordot(table, each, axes=(axis, 0)), -1, axis)
    return table.ravel()


class Found(NamedTuple):
    """What counts of modes come to."""

    covered: float
    """Modes of the data that occur."""
    kl: float
    """KL(counts || data) in nats; infinite when a mode occurs that the data has not."""
    entropy: float
    """In nats, corrected after Miller and Madow."""


def found(counts: Numbers, shares: Numbers) -> Found:
    """Return what counts (M,) come to beside the shares (M,) of the data."""
    covered = float(((counts > 0) & (shares > 0)).sum())
    return Found(covered, divergence(counts, shares), entropy(counts))


def perfect(shares: Numbers, read: Numbers, count: int, rng: np.random.Generator) -> Found:
    """Return what a perfect generator would come to in `count` samples that are read so.

    The mean of some draws from the shares (M,) `read`.
    """
    draws = rng.multinomial(count, read / read.sum(), size=SIMULATED).astype(np.float64)
    return Found(*np.mean([found(draw, shares) for draw in draws], axis=0).tolist())
