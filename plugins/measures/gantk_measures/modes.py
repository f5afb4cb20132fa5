"""Modes: whether a generator of points covers every cluster, and what its codes chose.

The clusters are known: the data set has a discrete factor that tells which one a point belongs
to. Their centres and spreads are computed from real points, so that any arrangement will do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gan_toolkit import Batch, Dataset, Measure, Score, View
from gantk_measures.codes import binned, factor_place
from gantk_measures.effort import samples_for
from gantk_measures.statistics import (
    Indices,
    Numbers,
    bootstrap_mean,
    contingency,
    match_majority,
    numpy_rng,
)

SAMPLES = 10_000
REAL = 20_000


@dataclass(frozen=True)
class Clusters:
    """Centres (M, D), spreads (M,) and shares (M,) of the clusters of real points."""

    centres: Numbers
    spreads: Numbers
    shares: Numbers

    @classmethod
    def of(cls, points: Numbers, which: Indices) -> Clusters:
        """Compute them from real points (N, D) and their cluster (N,).

        The spread is the standard deviation of one coordinate, averaged over coordinates in
        the variance.
        """
        groups = [points[which == mode] for mode in range(int(which.max()) + 1)]
        if min(len(group) for group in groups) < 2:
            raise ValueError("every mode needs at least two real points")
        return cls(
            centres=np.stack([group.mean(axis=0) for group in groups]),
            spreads=np.array([np.sqrt(group.var(axis=0).mean()) for group in groups]),
            shares=np.array([len(group) / len(points) for group in groups]),
        )

    def nearest(self, points: Numbers) -> tuple[Indices, Numbers]:
        """Return the cluster of the nearest centre and the distance to it in spreads."""
        distances = np.linalg.norm(points[:, None] - self.centres, axis=2)
        which = distances.argmin(axis=1)
        return which, distances[np.arange(len(points)), which] / self.spreads[which]


class Modes(Measure):
    """Modes covered, share of good samples, and purity of each discrete code.

    A sample is good when it lies within `within` standard deviations of the nearest centre. A
    mode is covered when good samples reach it at `least` times its share in the data. The
    purity is the share of samples whose mode is the commonest of their category; it is 1 as
    well for a generator with a single mode, therefore read it beside the modes it counts.
    """

    def __init__(
        self,
        data: Dataset,
        samples: int | None = None,
        factor: str = "mode",
        within: float = 3.0,
        least: float = 0.1,
    ) -> None:
        self._place = factor_place(data, factor)
        self._samples, self._within, self._least = samples, within, least

    def measure(self, view: View) -> list[Score]:
        """Return `covered`, `quality` and, for each discrete code, `<code>/purity`."""
        real = view.real(REAL)
        clusters = Clusters.of(_points(real), self._modes_of(real))
        bank = view.bank(samples_for(view, self._samples, SAMPLES))
        which, distance = clusters.nearest(bank.samples.flatten(1).double().numpy())
        good = distance <= self._within
        _, real_distance = clusters.nearest(_points(real))
        codes = [code for code in view.inferable if view.space[code].discrete]
        return [
            self._covered(clusters, which[good], len(which)),
            self._quality(view, good, float((real_distance <= self._within).mean())),
            *(
                _purity(view, code, category, which)
                for code, category in binned(view, codes, bank.latent).items()
            ),
        ]

    def _modes_of(self, real: Batch) -> Indices:
        if real.factors is None:
            raise ValueError("the data set describes factors, but gives none with its samples")
        return real.factors[:, self._place].long().numpy()

    def _covered(self, clusters: Clusters, good: Indices, count: int) -> Score:
        shares = np.bincount(good, minlength=len(clusters.shares)) / count
        reached = shares >= self._least * clusters.shares
        return Score(
            name="covered",
            value=float(reached.sum()),
            count=count,
            estimator=f"modes reached by samples within {self._within:g} standard deviations, at "
            f"{self._least:g} times their share in real data or more",
            unit="modes",
            ceiling=float(len(reached)),
            details={"shares": shares.tolist(), "missed": np.flatnonzero(~reached).tolist()},
        )

    def _quality(self, view: View, good: np.ndarray, on_real: float) -> Score:
        low, high = bootstrap_mean(good.astype(np.float64), numpy_rng(view, "modes quality"))
        return Score(
            name="quality",
            value=float(good.mean()),
            count=len(good),
            estimator=f"share of samples within {self._within:g} standard deviations of the "
            "nearest mode; reference: the share of real points",
            low=low,
            high=high,
            ceiling=1.0,
            reference=on_real,
        )


def _purity(view: View, code: str, category: Indices, which: Indices) -> Score:
    table = contingency(category, which)
    matching = match_majority(table)
    majority = np.array([matching.labels.get(row, -1) for row in range(len(table))])
    rng = numpy_rng(view, f"modes {code}")
    low, high = bootstrap_mean((majority[category] == which).astype(np.float64), rng)
    score = Score(
        name=f"{code}/purity",
        value=matching.accuracy,
        count=len(which),
        estimator="share of samples whose nearest mode is the commonest of their category; "
        "chance: the same with shuffled categories",
        low=low,
        high=high,
        chance=match_majority(contingency(rng.permutation(category), which)).accuracy,
    )
    labels = {str(row): label for row, label in matching.labels.items()}
    return replace(
        score,
        details={"majority_modes": len(set(labels.values())), "mapping": labels},
    )


def _points(real: Batch) -> Numbers:
    return real.samples.flatten(1).double().numpy()
