"""Disentanglement, completeness, informativeness of the codes on real data (`importance`)."""

from __future__ import annotations

from functools import partial

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Matrix, Measure, Score, View
from gantk_measures import importance
from gantk_measures.importance import Fitted, Regressor, completeness, disentanglement, fit
from gantk_measures.real import KnownFactors, Reading, RealCodes
from gantk_measures.statistics import numpy_rng
from gantk_measures.variables import Variable

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
        regressor: Regressor = "gradient_boosting",
    ) -> None:
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))
        self._regressor: Regressor = regressor

    def measure(self, view: View) -> list[Score]:
        """Return `disentanglement`, `completeness` and `informativeness`."""
        return self._real.score(view, "disentanglement", partial(self._scores, view))

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        rng = numpy_rng(view, "dci")
        seed, (train, test) = int(rng.integers(2**31)), reading.halves()
        found = fit(reading.codes, reading.factors, self._regressor, train, test, seed)
        few = train[:SHUFFLED]
        apart = [_shuffled(factor, rng) for factor in reading.factors]
        by_chance = fit(reading.codes, apart, self._regressor, few, test, seed)
        values, chances = _values(found), _values(by_chance)
        chances["informativeness"] = float(found.chance.mean())
        narrow = {
            "disentanglement": len(reading.factors) < 2,
            "completeness": len(reading.codes) < 2,
        }
        return [
            Score(
                name=name,
                value=value,
                count=reading.count,
                estimator=self._estimator(reading, len(train), len(test), len(few)),
                chance=chances[name],
                ceiling=1.0,
                void=TOO_FEW[name] if narrow.get(name) else "",
                details=_details(reading, found) if name == "disentanglement" else {},
                matrices=_matrices(reading, found) if name == "disentanglement" else {},
            )
            for name, value in values.items()
        ]

    def _estimator(self, reading: Reading, train: int, test: int, few: int) -> str:
        regressor = f"{self._regressor.replace('_', ' ')} of {importance.TREES} trees"
        return (
            f"{regressor}, one model per factor, fitted to {train} samples and judged on {test} "
            f"others; {reading.source}; columns of one code summed; entropies to base "
            f"{len(reading.factors)} (D) and {len(reading.codes)} (C); I: accuracy of discrete "
            f"factors, R2 of others; chance of D and C: the same fitted to {few} shuffled samples"
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
