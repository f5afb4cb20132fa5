"""The arithmetic of the measures: arrays in, numbers out.

N samples, D columns. Information is in nats. `weights` (N,) count each sample so many times; that
is how an interval is resampled without copying anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import linear_sum_assignment

from gan_toolkit import View

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

RESAMPLES = 100


class Interval(NamedTuple):
    """Ends of a 95 % interval."""

    low: float
    high: float


def numpy_rng(view: View, purpose: str) -> np.random.Generator:
    """Return a numpy generator seeded by the view's generator for `purpose`."""
    seed = torch.randint(2**63 - 1, (1,), generator=view.rng(purpose))
    return np.random.default_rng(int(seed))


def bootstrap(
    count: int,
    estimate: Callable[[Numbers], float],
    value: float,
    rng: np.random.Generator,
) -> Interval:
    """Return the 95 % bootstrap interval of `estimate(weights)` around `value`.

    Resampling repeats samples, which inflates every measure of dependence a little; the
    percentiles are therefore shifted so that the mean of the resamples lies on `value`.
    """
    return bootstrap_all(count, lambda weights: {"": estimate(weights)}, {"": value}, rng)[""]


def bootstrap_all(
    count: int,
    estimate: Callable[[Numbers], Mapping[str, float]],
    values: Mapping[str, float],
    rng: np.random.Generator,
) -> dict[str, Interval]:
    """Return the interval of each of `values`, all from the same resamples (see `bootstrap`).

    A resample in which a rare value of a factor is missing may leave nothing to divide by: one
    without an estimate does not count. NaN when none has one.
    """
    drawn = (rng.integers(count, size=count) for _ in range(RESAMPLES))
    weights = (np.bincount(rows, minlength=count).astype(np.float64) for rows in drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [estimate(each) for each in weights]
    return {
        name: _interval([each[name] for each in found], value) for name, value in values.items()
    }


def _interval(resampled: Sequence[float], value: float) -> Interval:
    found = np.array(resampled)
    found = found[np.isfinite(found)]
    if not len(found):
        return Interval(float("nan"), float("nan"))
    low, high = np.percentile(found, [2.5, 97.5]) - found.mean() + value
    return Interval(float(low), float(high))


def bootstrap_mean(values: Numbers, rng: np.random.Generator) -> Interval:
    """Return the 95 % bootstrap interval of the mean of `values` (N,)."""
    count, value = len(values), float(values.mean())
    return bootstrap(count, lambda weights: float(weights @ values) / count, value, rng)


def between_share(values: Numbers, bins: Indices, weights: Numbers | None = None) -> float:
    """Return the share of the variance of `values` (N, D) that lies between bins (N,).

    1 - E[Var(u | bin)] / Var(u), the variance being the mean squared distance to the mean; for
    unit vectors (cos, sin) that is the circular variance's counterpart, 1 - |mean|^2. NaN when
    the values do not vary.
    """
    weights = np.ones(len(values)) if weights is None else weights
    total = weights.sum()
    counts = np.bincount(bins, weights)
    sums = np.stack([np.bincount(bins, weights * column) for column in values.T], axis=1)
    mean = sums.sum(axis=0) / total
    spread = float(weights @ ((values - mean) ** 2).sum(axis=1)) / total
    if spread <= 1e-12:
        return float("nan")
    seen = counts > 0
    centres = sums[seen] / counts[seen, None]
    between = float(counts[seen] @ ((centres - mean) ** 2).sum(axis=1)) / total
    return float(between / spread)


def contingency(rows: Indices, columns: Indices, weights: Numbers | None = None) -> Numbers:
    """Return how often each pair of (row, column) occurs."""
    width = int(columns.max()) + 1
    cells = np.bincount(rows * width + columns, weights, minlength=(int(rows.max()) + 1) * width)
    return cells.reshape(-1, width).astype(np.float64)


def entropy(counts: Numbers, *, corrected: bool = True) -> float:
    """Return the plug-in entropy of `counts`, corrected after Miller and Madow (1955) or not."""
    counts = counts[counts > 0]
    total = counts.sum()
    shares = counts / total
    correction = (len(counts) - 1) / (2 * total) if corrected else 0.0
    return float(-(shares * np.log(shares)).sum() + correction)


def counts_of(index: Indices, width: int, weights: Numbers | None = None) -> Numbers:
    """Return how often each index below `width` occurs, (width,)."""
    return np.bincount(index, weights, minlength=width).astype(np.float64)


def divergence(used: Numbers, prior: Numbers) -> float:
    """Return KL(used || prior) of counts (K,), in nats; infinite where the prior has none."""
    shares, expected = used / used.sum(), prior / prior.sum()
    seen = shares > 0
    with np.errstate(divide="ignore"):
        return float((shares[seen] * np.log(shares[seen] / expected[seen])).sum())


def mutual_information(table: Numbers, *, corrected: bool = True) -> float:
    """Return I(row; column) of a contingency table, in nats, at least 0.

    The plug-in estimate is too large by about (rows - 1)(columns - 1) / 2N; the correction after
    Miller and Madow takes that off.
    """
    margins = (table.sum(axis=1), table.sum(axis=0))
    apart = sum(entropy(margin, corrected=corrected) for margin in margins)
    return max(apart - entropy(table.ravel(), corrected=corrected), 0.0)


def uncertainty(table: Numbers) -> float:
    """Return I(row; column) / H(column) of a contingency table, Miller-Madow, at least 0.

    NaN when only one column occurs.
    """
    if (table.sum(axis=0) > 0).sum() < 2:
        return float("nan")
    return mutual_information(table) / entropy(table.sum(axis=0))


class Matching(NamedTuple):
    """Which label each category stands for, and the share of samples that agree."""

    labels: dict[int, int]
    accuracy: float


def match_one_to_one(table: Numbers) -> Matching:
    """Match categories (rows) to labels (columns) so that most samples agree (Hungarian)."""
    rows, columns = linear_sum_assignment(-table)
    pairs = {int(row): int(column) for row, column in zip(rows, columns, strict=True)}
    return Matching(pairs, float(table[rows, columns].sum() / table.sum()))


def match_majority(table: Numbers) -> Matching:
    """Match each category that occurs to its commonest label; the accuracy is the purity."""
    pairs = {int(row): int(counts.argmax()) for row, counts in enumerate(table) if counts.sum() > 0}
    return Matching(pairs, float(table.max(axis=1).sum() / table.sum()))
