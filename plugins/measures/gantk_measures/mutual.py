"""Information between codes and factors, in nats: by histogram and by nearest neighbours.

J codes, K factors, N samples. Levels are (N,) integers, see `Variable.levels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from gantk_measures.statistics import (
    Indices,
    Numbers,
    contingency,
    entropy,
    mutual_information,
)
from gantk_measures.variables import Variable

SHUFFLES = 5


class Shared(NamedTuple):
    """What codes and factors share, and what each holds."""

    information: Numbers
    """(J, K): I(code; factor)."""
    codes: Numbers
    """(J,): H(code), of its levels."""
    factors: Numbers
    """(K,): H(factor), of its levels."""


def shared(
    codes: Sequence[Indices],
    factors: Sequence[Indices],
    weights: Numbers | None = None,
    *,
    corrected: bool = False,
) -> Shared:
    """Return the information between levels of codes and of factors, by counting.

    The plug-in estimate unless `corrected`: its bias is the same for all codes with as many levels
    and so cancels in a gap, while a correction adds noise there. Show a matrix corrected.
    """
    pairs = [
        [
            mutual_information(contingency(code, factor, weights), corrected=corrected)
            for factor in factors
        ]
        for code in codes
    ]

    def held(levels: Indices) -> float:
        return entropy(np.bincount(levels, weights).astype(np.float64), corrected=corrected)

    return Shared(
        np.array(pairs).reshape(len(codes), len(factors)),
        np.array([held(code) for code in codes]),
        np.array([held(factor) for factor in factors]),
    )


def plug_in_bias(rows: int, columns: int, count: int) -> float:
    """Return by how much counting overstates the information of independent variables, in nats."""
    return (rows - 1) * (columns - 1) / (2 * count)


def shuffled(
    codes: Sequence[Indices], factors: Sequence[Indices], rng: np.random.Generator
) -> list[Shared]:
    """Return what is found when the factors belong to other samples, a few times."""
    orders = [rng.permutation(len(factors[0])) for _ in range(SHUFFLES)]
    return [shared(codes, [factor[order] for factor in factors]) for order in orders]


def nearest(values: Numbers, other: Variable, neighbours: int = 10, seed: int = 0) -> float:
    """Return I(values; other) of a number (N,) by its nearest neighbours, at least 0.

    Kraskov et al. 2004 (algorithm 1) when the other is a number too; Ross 2014 when it is
    discrete. No bins; it can exceed the entropy of `other` when values repeat.
    """
    estimate = mutual_info_classif if other.kind == "discrete" else mutual_info_regression
    found = estimate(
        values[:, None],
        other.values,
        discrete_features=False,
        n_neighbors=neighbours,
        random_state=seed,
    )
    return float(found[0])


def normalised(
    codes: Sequence[Variable], factors: Sequence[Variable], *, bins: int, seed: int
) -> Numbers:
    """Return I(code; factor) / H(factor), (J, K), at most 1 (Hsu et al. 2023).

    Numbers by nearest neighbours, ten of them; categories by counting; directions by counting
    arcs. A factor that is no category enters as its bins.
    """
    levels = [factor.levels(bins) for factor in factors]
    held = [entropy(np.bincount(each).astype(np.float64), corrected=False) for each in levels]

    def pair(code: Variable, factor: Indices) -> float:
        if code.kind == "continuous":
            target = Variable("", "discrete", factor.astype(np.float64))
            return nearest(code.columns()[:, 0], target, seed=seed)
        return mutual_information(contingency(code.levels(bins), factor), corrected=False)

    found = np.array([[pair(code, factor) for factor in levels] for code in codes])
    return np.minimum(found / np.array(held), 1.0)
