"""Variables: what was read of samples, or is known of them, one value a sample.

A code and a factor are the same thing to the measures: N values of one kind. N samples, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gantk_measures.statistics import Indices, Numbers

Kind = Literal["discrete", "continuous", "circular"]
Binning = Literal["width", "quantile"]

STILL = 1e-6
"""Spread, as a share of the largest, up to which a variable counts as constant."""


@dataclass(frozen=True)
class Variable:
    """An index, a number or a direction in radians for each of N samples."""

    name: str
    kind: Kind
    values: Numbers
    """(N,). Of a discrete code: the index of its likeliest category, never its softmax."""
    probabilities: Numbers | None = None
    """(N, K) of a discrete code, for the measures that fit a model to it."""

    def levels(self, bins: int = 20, binning: Binning = "width") -> Indices:
        """Return which of its levels each sample has, (N,) from 0.

        A discrete variable is never binned: a histogram would merge categories. A number gets bins
        of equal width between its extremes, or of equal frequency, which no outlier can empty. A
        direction gets arcs of equal width, or of equal frequency counted from -180 degrees.
        """
        if self.kind == "discrete":
            return np.unique(self.values, return_inverse=True)[1].astype(np.int64)
        values, low, high = self.values, float(self.values.min()), float(self.values.max())
        if self.kind == "circular":
            values, low, high = _wrapped(values), -np.pi, np.pi
        if binning == "quantile":
            edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
        else:
            edges = np.linspace(low, high, bins + 1)[1:-1]
        return np.searchsorted(edges, values, side="right").astype(np.int64)

    def columns(self, *, soft: bool = True) -> Numbers:
        """Return what a model is fitted to, (N, C), each number with variance 1.

        The probabilities of a discrete code, or a column per level where there are none or they
        are not wanted (`soft`); (cos, sin) of a direction.
        """
        if self.kind == "circular":
            return np.stack([np.cos(self.values), np.sin(self.values)], axis=1)
        if self.kind == "continuous":
            return standardised(self.values)[:, None]
        if self.probabilities is None or not soft:
            return one_hot(self.levels())
        return self.probabilities

    def targets(self) -> Numbers:
        """Return what a regression on it predicts, (N, C): (cos, sin) of a direction."""
        return self.columns() if self.kind == "circular" else self.values[:, None]

    def spread(self, rows: Indices | None = None) -> Numbers:
        """Return its variance over the last axis of `rows`, which index the samples.

        A direction's is 1 - |mean of (cos, sin)|^2; a category's is Gini's, (1 - sum p^2) / 2.
        """
        values = self.values if rows is None else self.values[rows]
        if self.kind == "continuous":
            return values.var(axis=-1)
        if self.kind == "circular":
            return 1 - np.cos(values).mean(axis=-1) ** 2 - np.sin(values).mean(axis=-1) ** 2
        return gini_variance(values.astype(np.int64))

    def distance(self, rows: Indices, others: Indices) -> Numbers:
        """Return how far apart pairs of samples are; categories 0 or 1, directions by the arc."""
        first, second = self.values[rows], self.values[others]
        if self.kind == "discrete":
            return (first != second).astype(np.float64)
        gap = np.abs(first - second)
        return np.abs(_wrapped(gap)) if self.kind == "circular" else gap

    def first(self, count: int) -> Variable:
        """Return the first samples only."""
        return self.taken(slice(count))

    def taken(self, rows: Indices | slice) -> Variable:
        """Return the samples of `rows`, in that order."""
        chances = None if self.probabilities is None else self.probabilities[rows]
        return Variable(self.name, self.kind, self.values[rows], chances)

    def deviation(self) -> float:
        """Return the root of its spread over all samples."""
        return float(np.sqrt(np.maximum(self.spread(), 0)))


def still(variables: Sequence[Variable]) -> list[bool]:
    """Return which variables do not vary, by spread alone: no threshold in units of a code.

    A number is held against the widest number beside it and against its own size, since a network
    that always gives 0.7 still jitters in its last digit.
    """
    numbers = [variable for variable in variables if variable.kind == "continuous"]
    widest = max((variable.deviation() for variable in numbers), default=0.0)

    def size(variable: Variable) -> float:
        if variable.kind != "continuous":
            return 1.0
        return max(widest, float(np.abs(variable.values).max()))

    return [variable.deviation() <= STILL * size(variable) for variable in variables]


def gini_variance(index: Indices) -> Numbers:
    """Return (1 - sum of squared shares) / 2 of the categories along the last axis."""
    *batch, length = index.shape
    rows, width = int(np.prod(batch)), int(index.max()) + 1
    cells = np.arange(rows)[:, None] * width + index.reshape(rows, length)
    shares = np.bincount(cells.ravel(), minlength=rows * width).reshape(*batch, width) / length
    return (1 - (shares**2).sum(axis=-1)) / 2


def one_hot(levels: Indices) -> Numbers:
    """Return a column of zeros and ones for every level, (N, C)."""
    return np.eye(int(levels.max()) + 1)[levels]


def standardised(values: Numbers) -> Numbers:
    """Return values with mean 0 and variance 1; zeros when they do not vary."""
    centred = values - values.mean()
    deviation = values.std()
    return centred / deviation if deviation > 0 else centred


def _wrapped(angles: Numbers) -> Numbers:
    """Return angles in [-pi, pi)."""
    return (angles + np.pi) % (2 * np.pi) - np.pi
