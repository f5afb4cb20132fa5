"""Scores that published tables have: BetaVAE, SAP, modularity, explicitness, IRS.

Each has a known defect (see docs/reference/measures.md). They are here to be compared with those
tables; `mig`, `dci`, `factor_vae` and `infomec` are the ones to read.
"""

from __future__ import annotations

import numpy as np

from gan_toolkit import Dataset, LatentSpace, Measure, Score, View
from gantk_measures.factor_vae import describe, groups_of
from gantk_measures.gaps import modularity
from gantk_measures.linear import explicitness, sap
from gantk_measures.mutual import shared
from gantk_measures.reading import Reading
from gantk_measures.real import KnownFactors, RealCodes
from gantk_measures.robustness import interventional_robustness
from gantk_measures.statistics import bootstrap_mean, numpy_rng
from gantk_measures.votes import BETA_VAE, Name, beta_vae


class Classic(Measure):
    """The scores of older tables, as far as they can be given without their faults."""

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        bins: int = 20,
        protocol: Name = "gantk",
    ) -> None:
        self._real = RealCodes(latents, codes, samples, KnownFactors(data, factors))
        self._bins, self._name, self._protocol = bins, protocol, BETA_VAE[protocol]

    def measure(self, view: View) -> list[Score]:
        """Return `beta_vae`, `sap`, `modularity`, `explicitness` and `irs`."""
        return self._real.score(view, "beta_vae", self._scores)

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        return [
            self._beta_vae(view, reading),
            _sap(reading),
            self._modularity(reading),
            self._explicitness(reading),
            self._robustness(reading),
        ]

    def _beta_vae(self, view: View, reading: Reading) -> Score:
        rng = numpy_rng(view, "beta_vae")
        groups = groups_of(reading, self._protocol.images, self._bins)
        votes = beta_vae([*reading.codes, *reading.dead], groups, self._protocol, rng)
        low, high = bootstrap_mean(votes.right, rng)
        units = "in units of its deviation" if self._protocol.standardise else "as it is"
        return Score(
            "beta_vae",
            votes.value,
            reading.count,
            f"protocol {self._name}: logistic regression on the mean difference of each code, "
            f"{units}; {describe(self._protocol)}; {reading.source}",
            low=low,
            high=high,
            chance=votes.chance,
            ceiling=1.0,
            void="" if len(reading.factors) > 1 else "with one factor every vote is right",
            details={"rare_values": groups.rare},
            protocol=self._name,
        )

    def _modularity(self, reading: Reading) -> Score:
        codes, factors = (
            [each.levels(self._bins) for each in part] for part in (reading.codes, reading.factors)
        )
        found = modularity(shared(codes, factors).information) if len(factors) > 1 else np.array([])
        live = found[~np.isnan(found)]
        return Score(
            "modularity",
            float(live.mean()) if len(live) else float("nan"),
            reading.count,
            f"mean over codes that inform of a factor; plug-in information in {self._bins} bins; "
            f"{reading.source}",
            ceiling=1.0,
            void="" if len(live) else "needs two factors and a code that informs of one",
        )

    def _explicitness(self, reading: Reading) -> Score:
        train, test = reading.halves()
        columns = np.concatenate([code.columns() for code in reading.codes], axis=1)
        found = {
            factor.name: explicitness(columns, factor.levels(self._bins), train, test)
            for factor in reading.factors
        }
        judged = [each.value for each in found.values() if not np.isnan(each.value)]
        missing = {name: list(each.missing) for name, each in found.items() if each.missing}
        return Score(
            "explicitness",
            float(np.mean(judged)) if judged else float("nan"),
            reading.count,
            f"mean one-vs-rest ROC-AUC of a logistic regression, fitted to {len(train)} and judged "
            f"on {len(test)} others; numbers and angles in {self._bins} bins; {reading.source}",
            chance=0.5,
            ceiling=1.0,
            void="" if len(judged) == len(found) else "a factor has one value in a part",
            details={"missing_values": missing},
        )

    def _robustness(self, reading: Reading) -> Score:
        found = interventional_robustness(
            [code.columns() for code in reading.codes],
            [factor.levels(self._bins) for factor in reading.factors],
        )
        return Score(
            "irs",
            found.value,
            reading.count,
            "1 - 99 % quantile of deviations while a factor is held / largest deviation, best "
            f"factor, codes weighted by it; numbers and angles in {self._bins} bins; "
            f"{reading.source}",
            ceiling=1.0,
        )


def _sap(reading: Reading) -> Score:
    gaps = sap(reading.codes, reading.factors)
    names = [factor.name for factor in reading.factors]
    return Score(
        "sap",
        float(gaps.mean()),
        reading.count,
        "R2 of the best code - R2 of the second, mean over factors; linear fits to the same "
        f"samples, discrete factors by their index; {reading.source}",
        chance=0.0,
        ceiling=1.0,
        details={"gaps": dict(zip(names, gaps.tolist(), strict=True))},
    )
