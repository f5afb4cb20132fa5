"""How far the codes are from independent on real data. Asks for no factors (`unsupervised`)."""

from __future__ import annotations

import numpy as np

from gan_toolkit import LatentSpace, Matrix, Measure, Score, View
from gantk_measures.reading import Reading
from gantk_measures.real import RealCodes
from gantk_measures.statistics import Numbers
from gantk_measures.unsupervised import (
    mean_pairwise_information,
    pairwise_information,
    total_correlation,
    wasserstein,
)


class Independence(Measure):
    """What the codes share. The prior has them independent; on real data they need not be."""

    def __init__(
        self, latents: LatentSpace, codes: list[str], samples: int | None = None, bins: int = 20
    ) -> None:
        self._real = RealCodes(latents, codes, samples)
        self._bins = bins

    def measure(self, view: View) -> list[Score]:
        """Return `pairwise`, and `total_correlation` and `wasserstein` of the numbers."""
        return self._real.score(view, "pairwise", self._scores, anchors=["untrained"])

    def _scores(self, _: View, reading: Reading) -> list[Score]:
        information = pairwise_information([code.levels(self._bins) for code in reading.codes])
        numbers = [code.values for code in reading.codes if code.kind == "continuous"]
        enough = len(numbers) > 1
        covariance = np.cov(np.array(numbers)) if enough else np.eye(1)
        shared = total_correlation(covariance)
        few = "" if enough else "needs two numbers that vary"
        follows = "" if np.isfinite(shared) else "one code is a linear function of others"
        normal = f"of the covariance of {len(numbers)} numbers, as if they were normal"
        return [
            Score(
                "pairwise",
                mean_pairwise_information(information),
                reading.count,
                f"mean information of two codes, plug-in, {self._bins} bins of equal width, "
                f"categories as they are; {reading.source}",
                "nats",
                void="needs two codes that vary" if len(information) < 2 else "",
                matrices={"pairwise": _matrix(reading, information)},
            ),
            Score(
                "total_correlation",
                shared,
                reading.count,
                f"(sum log S_jj - log |S|) / 2 {normal}; {reading.source}",
                "nats",
                void=few or follows,
            ),
            Score(
                "wasserstein",
                wasserstein(covariance) / float(np.trace(covariance)),
                reading.count,
                f"squared Wasserstein distance to independence over tr S {normal}; "
                f"{reading.source}",
                void=few,
            ),
        ]


def _matrix(reading: Reading, information: Numbers) -> Matrix:
    codes = [code.name for code in reading.codes]
    return Matrix(codes, codes, information.tolist(), "information of two codes, in nats")
