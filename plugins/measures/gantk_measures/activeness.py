"""Activeness: how far a sample moves when one code is set to another value, all else held.

Asks for no reader and no labels. A code that moves nothing is dead in the generator, whatever is
inferred of it; one that moves a little may still be the one that matters.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures.codes import NO_CODE, STEPS, members, trained_steps
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

BASES = 64
PAIRS = 2_000
ESTIMATOR = (
    "mean L2 distance of any two steps, equal ones too, of the code's traversal of its trained "
    f"range (about {STEPS} steps, or each category), over {{bases}} bases, divided by the mean "
    "distance of two random samples; 95 % interval from 100 bootstrap resamples of the bases, with "
    "the divisor held"
)


class Activeness(Measure):
    """Distance that each code moves a sample, as a share of the distance of two random ones.

    1: setting the code anew changes a sample as much as drawing another one. Distances are of
    pixels, which overrate what shifts and underrate what is small.
    """

    def __init__(self, latents: LatentSpace, codes: list[str], bases: int = BASES) -> None:
        self._codes, self._bases = members(latents, codes), bases

    def measure(self, view: View) -> list[Score]:
        """Return a score per code, named after it; void where the code can't be traversed."""
        codes = self._codes or list(view.inferable)
        if not codes:
            return [nothing("activeness", NO_CODE)]
        usual = _usual_distance(view)
        if not 0 < usual < math.inf:
            return [nothing("activeness", "all samples are alike, or not finite")]
        return [self._of_code(view, code, usual) for code in codes]

    def _of_code(self, view: View, code: str, usual: float) -> Score:
        try:
            steps = trained_steps(view.space[code])
        except (NotImplementedError, ValueError) as reason:
            return nothing(code, str(reason))
        bases = view.space.sample(self._bases, view.rng("activeness bases"))
        latent = bases.repeat_interleave(len(steps), dim=0)
        latent[:, view.space.columns(code)] = steps.repeat(len(bases), 1).to(latent)
        samples = view.generate(latent).flatten(1).double()
        moved = _mean_distances(samples.view(len(bases), len(steps), -1)) / usual
        low, high = bootstrap_mean(moved, numpy_rng(view, f"activeness {code}"))
        return Score(
            name=code,
            value=float(moved.mean()),
            count=len(samples),
            estimator=ESTIMATOR.format(bases=len(bases)),
            low=low,
            high=high,
            void="" if np.isfinite(moved).all() else "samples are not finite",
            details={"steps": len(steps), "distance": usual},
        )


def _usual_distance(view: View) -> float:
    latent = view.space.sample(2 * PAIRS, view.rng("activeness pairs"))
    first, second = view.generate(latent).flatten(1).double().chunk(2)
    return float((first - second).norm(dim=1).mean())


def _mean_distances(samples: Tensor) -> Numbers:
    """Return the mean distance of two steps, of samples (B, S, D), for each base: (B,).

    A step and itself are a pair too: a code that is drawn anew may come out the same.
    """
    pairs = samples.shape[1] ** 2
    distances = torch.stack([2 * torch.pdist(each).sum() / pairs for each in samples])
    return distances.numpy()
