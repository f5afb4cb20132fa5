"""Disentanglement, completeness, informativeness of the codes on real data (`importance`)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Matrix, Measure, Score, View
from gantk_measures import cautions
from gantk_measures.anchors import ANCHORS
from gantk_measures.effort import trees_for
from gantk_measures.importance import Fitted, Regressor, completeness, disentanglement, fit
from gantk_measures.reading import Reading
from gantk_measures.real import KnownFactors, RealCodes
from gantk_measures.statistics import numpy_rng
from gantk_measures.variables import Variable

Protocol = Literal["gantk", "dlib"]
DLIB_SAMPLES = 15_000
"""Of Locatello et al. (2019): 10,000 to fit to, 5,000 to judge on."""
DLIB_TREES = 100
NAMES: dict[Regressor, str] = {"gradient_boosting": "boosting", "extra_trees": "extra trees"}
SHUFFLED = 1_000
"""Rows the chance level is fitted to: as many as the value would double the cost."""
TOO_FEW = {
    "disentanglement": "with one factor every code is about it",
    "completeness": "with one code every factor is in it",
}


class Dci(Measure):
    """How much models that predict the factors from all codes use which code.

    An unpredictable factor has importances too, which sum to 1 and mean nothing: read D and C
    beside I. `weighted` in the details has them with each factor weighing as much as it is
    predicted above chance.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        regressor: Regressor | None = None,
        protocol: Protocol = "gantk",
    ) -> None:
        self._regressor, self._protocol = regressor, protocol
        if protocol == "dlib":
            samples, self._regressor = samples or DLIB_SAMPLES, "gradient_boosting"
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))

    def measure(self, view: View) -> list[Score]:
        """Return `disentanglement`, `completeness` and `informativeness`."""
        regressor = self._regressor or (
            "gradient_boosting" if view.effort == "full" else "extra_trees"
        )
        # Boosting takes minutes; what it would give known readers is not worth as many again.
        cheap = regressor == "extra_trees" and view.effort != "fast"
        return self._real.score(
            view,
            "disentanglement",
            partial(self._scores, regressor),
            anchors=ANCHORS if cheap else (),
            values=partial(_of_few, regressor),
        )

    def _scores(self, regressor: Regressor, view: View, reading: Reading) -> list[Score]:
        if self._protocol == "dlib":  # which leaves no code out
            reading = replace(reading, codes=(*reading.codes, *reading.dead), dead=())
        trees = DLIB_TREES if self._protocol == "dlib" else trees_for(view)
        found = importance_scores(reading, numpy_rng(view, "dci"), regressor, trees)
        told = cautions.other_size(self._protocol, reading.count, DLIB_SAMPLES)
        first, *rest = found
        first = replace(first, headline=f"DCI-D ({NAMES[regressor]})", warnings=told)
        return [replace(score, protocol=self._protocol) for score in (first, *rest)]


def importance_scores(
    reading: Reading, rng: np.random.Generator, regressor: Regressor, trees: int
) -> list[Score]:
    """Return D, C and I of a reading; the details are in the first."""
    seed, (train, test) = int(rng.integers(2**31)), reading.halves()
    found = fit(reading.codes, reading.factors, regressor, train, test, seed, trees)
    few = train[:SHUFFLED]
    apart = [_shuffled(factor, rng) for factor in reading.factors]
    by_chance = fit(reading.codes, apart, regressor, few, test, seed, trees)
    values, chances = _values(found), _values(by_chance)
    chances["informativeness"] = float(found.chance.mean())
    narrow = {
        "disentanglement": len(reading.factors) < 2,
        "completeness": len(reading.codes) < 2,
    }
    sizes = len(train), len(test), len(few)
    return [
        Score(
            name=name,
            value=value,
            count=reading.count,
            estimator=_estimator(reading, regressor, trees, *sizes),
            chance=chances[name],
            ceiling=1.0,
            void=TOO_FEW[name] if narrow.get(name) else "",
            details=_details(reading, found) if name == "disentanglement" else {},
            matrices=_matrices(reading, found) if name == "disentanglement" else {},
        )
        for name, value in values.items()
    ]


def importance_values(
    reading: Reading, rng: np.random.Generator, regressor: Regressor, trees: int
) -> dict[str, float]:
    """Return the values of `importance_scores` alone."""
    seed = int(rng.integers(2**31))
    return _values(fit(reading.codes, reading.factors, regressor, *reading.halves(), seed, trees))


def _of_few(regressor: Regressor, view: View, reading: Reading) -> dict[str, float]:
    """Return the values of models that are fitted to as many samples as those of chance."""
    train, test = reading.halves()
    seed = int(numpy_rng(view, "dci").integers(2**31))
    return _values(
        fit(
            reading.codes, reading.factors, regressor, train[:SHUFFLED], test, seed, trees_for(view)
        )
    )


def _estimator(
    reading: Reading, regressor: Regressor, trees: int, train: int, test: int, few: int
) -> str:
    return (
        f"{regressor.replace('_', ' ')} of {trees} trees, one model per factor, fitted "
        f"to {train} samples and judged on {test} others; {reading.source}; columns of one code "
        f"summed; entropies to base {len(reading.factors)} (D) and {len(reading.codes)} (C); I: "
        f"accuracy of discrete factors, R2 of others; chance of D and C: the same fitted to {few} "
        "shuffled samples; anchors: to as many"
    )


def _values(found: Fitted) -> dict[str, float]:
    return {
        "disentanglement": disentanglement(found.importance),
        "completeness": completeness(found.importance),
        "informativeness": float(found.quality.mean()),
    }


def _details(reading: Reading, found: Fitted) -> dict[str, object]:
    names = [factor.name for factor in reading.factors]
    weighted = found.importance * found.skill
    return {
        "informativeness": dict(zip(names, found.quality.tolist(), strict=True)),
        "chance": dict(zip(names, found.chance.tolist(), strict=True)),
        "weighted": {
            "disentanglement": disentanglement(weighted),
            "completeness": completeness(weighted),
        },
    }


def _matrices(reading: Reading, found: Fitted) -> dict[str, Matrix]:
    what = "importance for the model that predicts a factor, 1 over all codes"
    return {"importance": reading.matrix(found.importance, what, "hinton")}


def _shuffled(factor: Variable, rng: np.random.Generator) -> Variable:
    return Variable(factor.name, factor.kind, rng.permutation(factor.values))
