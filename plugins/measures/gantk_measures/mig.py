"""MIG and its relatives: is each known factor in one code, and each code about one factor?

From the information between codes, as q(c|x) reads them off real samples, and factors (`gaps`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Matrix, Measure, Score, View
from gantk_measures import gaps
from gantk_measures.mutual import Shared, plug_in_bias, shared, shuffled
from gantk_measures.real import KnownFactors, Reading, RealCodes
from gantk_measures.statistics import Indices, bootstrap_all, numpy_rng
from gantk_measures.variables import Binning, Variable

DEFINITIONS = {
    "mig": "mean over factors of (I of the best code - I of the second) / H(factor)",
    "dcimig": "gap of each code over factors, best code per factor, over the sum of H(factor)",
    "mig_sup": "mean over codes of the gap over factors of I / H(factor)",
    "jemmig": "1 - JEMMIG / (H(factor) + log levels), mean over factors",
}


class Mig(Measure):
    """MIG, and beside it what it can't see: a best code that carries other factors as well."""

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        bins: int = 20,
        binning: Binning = "width",
    ) -> None:
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))
        self._bins, self._binning = bins, binning

    def measure(self, view: View) -> list[Score]:
        """Return `mig`, `dcimig`, `mig_sup` and `jemmig`; the matrix comes with `mig`."""
        return self._real.score(view, "mig", partial(self._scores, view))

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        codes, factors = self._levels(reading.codes), self._levels(reading.factors)
        sizes = np.array([self._size(code) for code in reading.codes])
        rng = numpy_rng(view, "mig")
        found = shared(codes, factors)
        values = summary(found, sizes)
        by_chance = [summary(each, sizes) for each in shuffled(codes, factors, rng)]
        ends = bootstrap_all(
            reading.count,
            lambda weights: summary(shared(codes, factors, weights), sizes),
            values,
            rng,
        )
        return [
            Score(
                name=name,
                value=value,
                count=reading.count,
                estimator=self._estimator(name, reading),
                low=ends[name].low,
                high=ends[name].high,
                chance=float(np.mean([each[name] for each in by_chance])),
                ceiling=1.0,
                details=self._details(reading, found, codes, factors) if name == "mig" else {},
                matrices=_matrices(reading, codes, factors) if name == "mig" else {},
            )
            for name, value in values.items()
        ]

    def _levels(self, variables: Sequence[Variable]) -> list[Indices]:
        return [variable.levels(self._bins, self._binning) for variable in variables]

    def _size(self, code: Variable) -> int:
        """Return how many levels the code could have."""
        if code.kind != "discrete":
            return self._bins
        return (
            int(code.values.max()) + 1 if code.probabilities is None else len(code.probabilities[0])
        )

    def _estimator(self, name: str, reading: Reading) -> str:
        return (
            f"{DEFINITIONS[name]}; {reading.source}; plug-in information; {self._bins} bins of "
            f"equal {_EQUAL[self._binning]}, categories as they are; chance: mean of 5 shuffles, "
            "not subtracted; 95 % interval from 100 bootstrap resamples, centred on the value"
        )

    def _details(
        self, reading: Reading, found: Shared, codes: Sequence[Indices], factors: Sequence[Indices]
    ) -> Mapping[str, Any]:
        levels = max(len(np.unique(code)) for code in codes)
        bias = [plug_in_bias(levels, len(np.unique(each)), reading.count) for each in factors]
        names = [factor.name for factor in reading.factors]
        return {
            "gaps": dict(
                zip(names, gaps.mig(found.information, found.factors).tolist(), strict=True)
            ),
            "best": {
                name: reading.codes[place].name
                for name, place in zip(names, found.information.argmax(axis=0), strict=True)
            },
            "plug_in_bias": dict(
                zip(names, (np.array(bias) / found.factors).tolist(), strict=True)
            ),
            "binned": [
                variable.name
                for variable in (*reading.codes, *reading.factors)
                if variable.kind != "discrete"
            ],
        }


def _matrices(
    reading: Reading, codes: Sequence[Indices], factors: Sequence[Indices]
) -> Mapping[str, Matrix]:
    corrected = shared(codes, factors, corrected=True)
    share = corrected.information / corrected.factors
    return {"nmi": reading.matrix(share, "I / H(factor), corrected after Miller and Madow")}


_EQUAL = {"width": "width", "quantile": "frequency"}


def summary(found: Shared, sizes: Indices) -> dict[str, float]:
    """Return the four scores of what codes and factors share; `sizes` (J,) are levels of codes."""
    information, codes, factors = found
    return {
        "mig": float(gaps.mig(information, factors).mean()),
        "dcimig": gaps.dcimig(information, factors),
        "mig_sup": float(gaps.mig_sup(information, factors).mean()),
        "jemmig": float(gaps.jemmig(information, codes, factors, sizes).mean()),
    }
