"""The information bound: how much of each code can be read back from the samples.

L_I = H(c) + E[log q(c | x)] <= I(c; G(z, c)), in nats (Chen et al. 2016, equation 5). It is a
lower bound for any q, provided that H(c) is right and codes and samples are fresh. H(c) comes
from the latent, so that the bound of a number is not measured against another prior's entropy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from gan_toolkit import Measure, Score, View
from gantk_measures.effort import samples_for
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

SAMPLES = 10_000
ESTIMATOR = (
    "H(c) + mean log q(c|x) over fresh samples, networks in eval mode, no gradient; "
    "95 % interval from 100 bootstrap resamples of the mean"
)


class Bound(Measure):
    """L_I of every code that is inferred, and their total.

    The total bounds the information about all codes together, as they are independent and q is
    a product over codes. For a discrete code H(c) is the ceiling, and a blind reader that knows
    the prior gets 0. For a number there is no ceiling, and a blind reader of a family that does
    not hold the prior gets less than 0.
    """

    def __init__(self, samples: int | None = None) -> None:
        self._samples = samples

    def measure(self, view: View) -> list[Score]:
        """Return a score per code, named after it, and `total`."""
        if not view.inferable:
            return [Score("total", float("nan"), 0, ESTIMATOR, "nats", void="no code is inferred")]
        gains = self._gains(view)
        total = np.sum(list(gains.values()), axis=0)
        return [
            *(self._of_code(view, code, gain) for code, gain in gains.items()),
            replace(self._score(view, "total", total), headline="MI bound, nats"),
        ]

    def _gains(self, view: View) -> dict[str, Numbers]:
        """Return H(c) + log q(c|x) of every sample, by code; NaN where the reader gave none."""
        bank = view.bank(samples_for(view, self._samples, SAMPLES))
        values, raw = view.space.split(bank.latent), view.infer(bank.samples)
        gains: dict[str, Numbers] = {}
        for code in view.inferable:
            # Distributions may refuse parameters that are not finite; here they are counted.
            read = raw[code].isfinite().all(dim=1)
            log_q = torch.full((len(read),), float("nan"))
            if read.any():  # nor do they take no rows at all
                q = view.space[code].posterior(raw[code][read])
                log_q[read] = q.log_prob(values[code][read])
            gains[code] = view.space[code].entropy() + log_q.double().numpy()
        return gains

    def _of_code(self, view: View, code: str, gain: Numbers) -> Score:
        entropy, score = view.space[code].entropy(), self._score(view, code, gain)
        if not view.space[code].discrete:
            return replace(score, details={"entropy": entropy})
        details = {"entropy": entropy, "share": score.value / entropy}
        return replace(score, details=details, ceiling=entropy, chance=0.0)

    def _score(self, view: View, name: str, gain: Numbers) -> Score:
        score = Score(name, float(gain.mean()), len(gain), ESTIMATOR, "nats")
        broken = int((~np.isfinite(gain)).sum())
        if broken:
            return replace(score, void=f"log q(c|x) is not finite for {broken} of {len(gain)}")
        low, high = bootstrap_mean(gain, numpy_rng(view, f"bound {name}"))
        return replace(score, low=low, high=high)
