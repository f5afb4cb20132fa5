"""Explained: how much of a known factor of the data a code of the generator decides.

The generator's side of interpretability. Latents are drawn, samples generated, and a probe that
was trained on *real* data reads the factor off each sample. What the code explains of the
readings is then a share between 0 and 1, by kind of factor (`heads`):

- circular: 1 - E[Var(u | bin)] / Var(u) of the unit vector u = (cos, sin) of the reading;
- continuous: the same of the reading, which is the squared correlation ratio;
- discrete: the uncertainty coefficient I(bin; u) / H(u), Miller-Madow.

The code enters as its bin, one of 20 of equal probability (a category is its own bin). The value
is not corrected for chance; `chance` is what shuffled codes explain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from gan_toolkit import Dataset, LatentSpace, Matrix, Measure, Score, View
from gantk_measures.codes import binned, factor_place, lacking, members
from gantk_measures.effort import samples_for
from gantk_measures.heads import Head
from gantk_measures.judge import REAL, Judge, judge_of, too_few
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Indices, bootstrap, numpy_rng

SAMPLES = 5_000
BINS = 20
SHUFFLES = 5


@dataclass(frozen=True)
class FactorRead:
    """A factor as the probe read it from the samples, and what is known of that."""

    factor: str
    head: Head
    values: np.ndarray[Any, Any]
    void: str
    details: Mapping[str, Any]


class Explained(Measure):
    """Explained share of every factor by every code, and the `precision` of the samples.

    All shares are void when the samples are not data-like (`guard`), and those of one factor
    when the probe can't read it on real samples it has not seen. A void score keeps its value.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        real: int = REAL,
        steps: int | None = None,
        reliable: float = 0.8,
    ) -> None:
        for factor in factors if data.factors else []:
            factor_place(data, factor)
        self._factors, self._codes = factors, members(latents, codes)
        self._samples, self._real, self._steps = samples, real, steps
        self._reliable = reliable

    def measure(self, view: View) -> list[Score]:
        """Return `precision`, then `<factor>/<code>` for every pair."""
        codes = self._codes or list(view.inferable)
        if reason := lacking(view.data, self._factors, codes) or too_few(view.data):
            return [nothing("precision", reason)]
        judge = judge_of(view, self._factors, real=self._real, steps=self._steps)
        bank = view.bank(samples_for(view, self._samples, SAMPLES))
        features = judge.probe.features(bank.samples)
        rng = numpy_rng(view, "explained")
        precision = judge.guard.score(bank.samples, rng)
        bins = binned(view, codes, bank.latent, BINS)
        reads = list(self._reads(judge, features, precision.void))
        pairs = [_pair(read, code, each, rng) for read in reads for code, each in bins.items()]
        return [
            replace(precision, matrices={"explained": _matrix(reads, [*bins], pairs)}),
            *pairs,
        ]

    def _reads(self, judge: Judge, features: Tensor, void: str) -> Iterator[FactorRead]:
        raw = judge.probe.raw(features)
        for factor, head in judge.probe.heads.items():
            values = head.read(raw[factor])
            variety = head.variety(values) / max(judge.variety[factor], 1e-12)
            yield FactorRead(
                factor=factor,
                head=head,
                values=values,
                void=void or judge.doubt(self._reliable, [factor]),
                details={"probe": dict(judge.skill[factor]), "variety": variety, "bins": BINS},
            )


def _pair(read: FactorRead, code: str, bins: Indices, rng: np.random.Generator) -> Score:
    head, values = read.head, read.values
    value = head.explained(values, bins)
    score = Score(
        name=f"{read.factor}/{code}",
        value=value,
        count=len(values),
        estimator=f"{head.estimator}, by a probe trained on real data; bin: 20 of equal "
        "probability, or the category; chance: mean of 5 shuffles, not subtracted; 95 % "
        "interval from 100 bootstrap resamples, centred on the value",
        void=read.void,
        details=read.details,
    )
    if np.isnan(value):
        return replace(score, void=read.void or f"{read.factor} does not vary")
    shuffled = [head.explained(values, rng.permutation(bins)) for _ in range(SHUFFLES)]
    low, high = bootstrap(
        len(values), lambda weights: head.explained(values, bins, weights), value, rng
    )
    return replace(score, low=low, high=high, chance=float(np.mean(shuffled)), ceiling=1.0)


def _matrix(reads: Sequence[FactorRead], codes: Sequence[str], pairs: Sequence[Score]) -> Matrix:
    """Return the shares code by factor; a factor whose shares are void says so in its name."""
    shares = np.array([pair.value for pair in pairs]).reshape(len(reads), len(codes))
    factors = [f"{each.factor} (void)" if each.void else each.factor for each in reads]
    what = "share of each factor that each code explains, code by factor"
    return Matrix(codes, factors, shares.T.tolist(), what, ceiling=1.0)
