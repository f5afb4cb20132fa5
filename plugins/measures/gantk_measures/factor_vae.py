"""The FactorVAE score of the codes on real data (`votes`)."""

from __future__ import annotations

from gan_toolkit import Dataset, LatentSpace, Measure, Score, View
from gantk_measures.reading import Reading, Unreadable
from gantk_measures.real import KnownFactors, RealCodes
from gantk_measures.statistics import bootstrap_mean, numpy_rng
from gantk_measures.votes import FACTOR_VAE, Groups, Name, Protocol, factor_vae

PRUNED = {
    "relative": "constant codes dropped",
    "absolute": "codes of deviation below 0.05 dropped",
    "never": "no code dropped, so that a constant one takes every vote",
}


class FactorVae(Measure):
    """Whether holding a factor holds one code, and which factor that code then names."""

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
        self._bins, self._name, self._protocol = bins, protocol, FACTOR_VAE[protocol]

    def measure(self, view: View) -> list[Score]:
        """Return `accuracy`, and `above_chance`: how far it is from chance to 1."""
        return self._real.score(view, "accuracy", self._scores)

    def _scores(self, view: View, reading: Reading) -> list[Score]:
        rng = numpy_rng(view, "factor_vae")
        groups = groups_of(reading, self._protocol.images, self._bins)
        votes = factor_vae([*reading.codes, *reading.dead], groups, self._protocol, rng)
        low, high = bootstrap_mean(votes.right, rng)
        void = "" if len(reading.factors) > 1 else "with one factor every vote is right"
        estimator = (
            f"protocol {self._name}: {describe(self._protocol)}; "
            f"{PRUNED[self._protocol.prune]}; {reading.source}; groups drawn from these samples; "
            f"factors that are numbers or angles held within one of {self._bins} bins; "
            "95 % interval from 100 bootstrap resamples of the votes"
        )
        details = {"unvoted": list(votes.dead), "rare_values": groups.rare}
        return [
            Score(
                "accuracy",
                votes.value,
                reading.count,
                estimator,
                low=low,
                high=high,
                chance=votes.chance,
                ceiling=1.0,
                void=void,
                details=details,
                protocol=self._name,
                headline="FactorVAE",
            ),
            Score(
                "above_chance",
                votes.above_chance,
                reading.count,
                f"(accuracy - chance) / (1 - chance); {estimator}",
                chance=0.0,
                ceiling=1.0,
                void=void,
                protocol=self._name,
            ),
        ]


def groups_of(reading: Reading, images: int, bins: int) -> Groups:
    """Return the groups of a reading; Unreadable if a factor has no value that is common enough."""
    try:
        return Groups(reading.factors, images, bins)
    except ValueError as reason:
        raise Unreadable(str(reason)) from reason


def describe(protocol: Protocol) -> str:
    """Return the settings of a protocol in words."""
    judged = f"judged on {protocol.checks} others" if protocol.checks else "judged on the same"
    return f"{protocol.images} samples a vote, fitted to {protocol.votes} votes, {judged}"
