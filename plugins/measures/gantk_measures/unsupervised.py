"""Scores that ask no factor: how far the codes are from independent (Locatello et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from gantk_measures.distances import normals_apart
from gantk_measures.statistics import Indices, Numbers, contingency, mutual_information

SINGULAR = float(np.log(1e-12))
"""Log of the determinant of a correlation matrix down to which rounding alone may have led."""


def live_part(covariance: Numbers) -> Numbers:
    """Return the covariance of the codes that vary, by variance beside the largest one."""
    variances = np.diag(covariance)
    kept = np.flatnonzero(variances > 1e-12 * variances.max(initial=0.0))
    return covariance[np.ix_(kept, kept)]


def total_correlation(covariance: Numbers) -> float:
    """Return (sum log S_jj - log |S|) / 2 in nats: what a normal of covariance S (J, J) shares.

    Dead codes are dropped. Infinite when one code is a linear function of others, as far as
    numbers of seven digits can tell.
    """
    live = live_part(covariance)
    if len(live) < 2:
        return 0.0
    deviations = np.sqrt(np.diag(live))
    sign, log_determinant = np.linalg.slogdet(live / np.outer(deviations, deviations))
    return float(-log_determinant / 2) if sign > 0 and log_determinant > SINGULAR else float("inf")


def wasserstein(covariance: Numbers) -> float:
    """Return the squared Wasserstein distance of two normals: S (J, J), and S with 0 off diagonal.

    2 tr S - 2 tr (D^1/2 S D^1/2)^1/2 with D the diagonal of S.
    """
    live = live_part(covariance)
    return normals_apart(np.diag(np.diag(live)), live)


def pairwise_information(levels: Sequence[Indices]) -> Numbers:
    """Return I(code; other code) of all J codes, (J, J), plug-in, in nats; NaN with itself."""
    found = np.full((len(levels), len(levels)), np.nan)
    for (i, one), (j, other) in combinations(enumerate(levels), 2):
        information = mutual_information(contingency(one, other), corrected=False)
        found[i, j] = found[j, i] = information
    return found


def mean_pairwise_information(information: Numbers) -> float:
    """Return the mean over pairs of what `pairwise_information` found; 0 without a pair."""
    pairs = information[np.triu_indices(len(information), 1)]
    return float(np.mean(pairs)) if len(pairs) else 0.0
