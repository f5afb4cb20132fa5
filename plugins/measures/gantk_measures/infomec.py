"""InfoM, InfoC and InfoE of the codes on real data (Hsu et al. 2023)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Measure, Score, View
from gantk_measures.gaps import infoc, infom
from gantk_measures.linear import infoe
from gantk_measures.mutual import normalised
from gantk_measures.reading import Reading
from gantk_measures.real import KnownFactors, RealCodes
from gantk_measures.statistics import numpy_rng

NEIGHBOURS_OF = 10_000
"""Most samples that neighbours are sought among: it takes a second per ten numbers and factor."""
NOTHING = "needs two factors, two codes and a code that informs of a factor"


class Infomec(Measure):
    """Modularity, compactness and explicitness by information: the triple made for mixed codes."""

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        bins: int = 20,
    ) -> None:
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))
        self._bins = bins

    def measure(self, view: View) -> list[Score]:
        """Return `infom`, `infoc` and `infoe`."""
        return self._real.score(view, "infom", self._scores)

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        seed = int(numpy_rng(view, "infomec").integers(2**31))
        few = min(NEIGHBOURS_OF, reading.count)
        matrix = normalised(
            [code.first(few) for code in reading.codes],
            [factor.first(few) for factor in reading.factors],
            bins=self._bins,
            seed=seed,
        )
        counted = (
            f"I / H(factor) of {few} samples: ten nearest neighbours for numbers, counts for "
            f"categories, {self._bins} arcs for angles; factors that are no categories in "
            f"{self._bins} bins; constant codes dropped; {reading.source}; chance: all alike"
        )
        shared = [
            Score(name, value, few, counted, chance=0.0, ceiling=1.0, void=_fault(value, NOTHING))
            for name, value in (("infom", infom(matrix)), ("infoc", infoc(matrix)))
        ]
        modular, compact = shared
        modular = replace(modular, matrices={"nmi": reading.matrix(matrix, "I / H(factor)")})
        return [modular, compact, self._explicit(reading)]

    def _explicit(self, reading: Reading) -> Score:
        train, test = reading.halves()
        columns = np.concatenate([code.columns(soft=False) for code in reading.codes], axis=1)
        found = {factor.name: infoe(columns, factor, train, test) for factor in reading.factors}
        value = float(np.mean(list(found.values())))
        return Score(
            "infoe",
            value,
            reading.count,
            f"share of a factor's uncertainty that a linear model without penalty takes away, "
            f"fitted to {len(train)} and judged on {len(test)} others: cross-entropy, values "
            f"weighing the same, of discrete factors, R2 of others; mean; {reading.source}",
            chance=0.0,
            ceiling=1.0,
            void=_fault(value, "a factor has one value among the samples of the fit"),
            details={"factors": found},
        )


def _fault(value: float, reason: str) -> str:
    return reason if np.isnan(value) else ""
