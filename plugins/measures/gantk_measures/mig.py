"""MIG and its relatives: is each known factor in one code, and each code about one factor?

From the information between codes, as q(c|x) reads them off real samples, and factors (`gaps`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Matrix, Measure, Score, View
from gantk_measures import cautions, gaps
from gantk_measures.mutual import Shared, plug_in_bias, shared, shuffled
from gantk_measures.reading import Reading
from gantk_measures.real import KnownFactors, RealCodes
from gantk_measures.statistics import Indices, bootstrap_all, numpy_rng
from gantk_measures.variables import Binning, Variable

Protocol = Literal["gantk", "dlib"]
DLIB_SAMPLES = 10_000
"""Of Locatello et al. (2019); bins are 20 of equal width, as ours."""
DEFINITIONS = {
    "mig": "mean over factors of (I of the best code - I of the second) / H(factor)",
    "dcimig": "gap of each code over factors, best code per factor, over the sum of H(factor)",
    "mig_sup": "mean over codes of the gap over factors of I / H(factor)",
    "jemmig": "1 - JEMMIG / (H(factor) + log levels), mean over factors",
}
ESTIMATOR = (
    "{}; {}; plug-in information; {} bins of equal {}, categories as they are; chance: mean of 5 "
    "shuffles, not subtracted; 95 % interval from 100 bootstrap resamples, centred on the value"
)
_EQUAL = {"width": "width", "quantile": "frequency"}


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
        protocol: Protocol = "gantk",
    ) -> None:
        if protocol == "dlib":
            samples = samples or DLIB_SAMPLES
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))
        self._bins, self._binning, self._protocol = bins, binning, protocol

    def measure(self, view: View) -> list[Score]:
        """Return `mig`, `dcimig`, `mig_sup` and `jemmig`; the matrix comes with `mig`."""
        return self._real.score(view, "mig", self._scores)

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        first, *rest = gap_scores(reading, numpy_rng(view, "mig"), self._bins, self._binning)
        told = (
            *cautions.overstated(first.details["plug_in_bias"]),
            *cautions.other_size(self._protocol, reading.count, DLIB_SAMPLES),
        )
        return [
            replace(first, headline="MIG", warnings=told, protocol=self._protocol),
            *(replace(score, protocol="gantk") for score in rest),
        ]


def gap_scores(
    reading: Reading, rng: np.random.Generator, bins: int, binning: Binning
) -> list[Score]:
    """Return the scores of what codes and factors of a reading share; details are in the first."""
    codes, factors = (_levels(each, bins, binning) for each in (reading.codes, reading.factors))
    sizes = _sizes(reading.codes, bins)
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
            estimator=ESTIMATOR.format(DEFINITIONS[name], reading.source, bins, _EQUAL[binning]),
            low=ends[name].low,
            high=ends[name].high,
            chance=float(np.mean([each[name] for each in by_chance])),
            ceiling=1.0,
            details=_details(reading, found, codes, factors) if name == "mig" else {},
            matrices=_matrices(reading, codes, factors) if name == "mig" else {},
        )
        for name, value in values.items()
    ]


def gap_values(reading: Reading, bins: int, binning: Binning) -> dict[str, float]:
    """Return the values of `gap_scores` alone."""
    codes, factors = (_levels(each, bins, binning) for each in (reading.codes, reading.factors))
    return summary(shared(codes, factors), _sizes(reading.codes, bins))


def _levels(variables: Sequence[Variable], bins: int, binning: Binning) -> list[Indices]:
    return [variable.levels(bins, binning) for variable in variables]


def _sizes(codes: Sequence[Variable], bins: int) -> Indices:
    """Return how many levels each code could have, (J,)."""

    def size(code: Variable) -> int:
        if code.kind != "discrete":
            return bins
        chances = code.probabilities
        return int(code.values.max()) + 1 if chances is None else chances.shape[1]

    return np.array([size(code) for code in codes])


def _details(
    reading: Reading, found: Shared, codes: Sequence[Indices], factors: Sequence[Indices]
) -> Mapping[str, Any]:
    levels = max(len(np.unique(code)) for code in codes)
    bias = [plug_in_bias(levels, len(np.unique(each)), reading.count) for each in factors]
    names = [factor.name for factor in reading.factors]
    return {
        "gaps": dict(zip(names, gaps.mig(found.information, found.factors).tolist(), strict=True)),
        "best": {
            name: reading.codes[place].name
            for name, place in zip(names, found.information.argmax(axis=0), strict=True)
        },
        "plug_in_bias": dict(zip(names, (np.array(bias) / found.factors).tolist(), strict=True)),
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


def summary(found: Shared, sizes: Indices) -> dict[str, float]:
    """Return the four scores of what codes and factors share; `sizes` (J,) are levels of codes."""
    information, codes, factors = found
    return {
        "mig": float(gaps.mig(information, factors).mean()),
        "dcimig": gaps.dcimig(information, factors),
        "mig_sup": float(gaps.mig_sup(information, factors).mean()),
        "jemmig": float(gaps.jemmig(information, codes, factors, sizes).mean()),
    }
