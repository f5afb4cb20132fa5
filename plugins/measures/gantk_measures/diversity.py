"""Diversity: how alike generated images are to each other, beside how alike real ones are.

Odena et al. 2017 (arXiv 1610.09585): the multi-scale structural similarity of random pairs. A
generator that repeats itself has more of it than the data.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import Tensor

from gan_toolkit import Bank, Dataset, LatentSpace, Measure, Score, View
from gantk_measures.codes import binned, members
from gantk_measures.effort import samples_for
from gantk_measures.extractors import Name, choose, extractor_of
from gantk_measures.guard import broken
from gantk_measures.judge import REAL, too_few
from gantk_measures.nothing import nothing
from gantk_measures.ssim import WINDOW, ms_ssim, scales_for
from gantk_measures.statistics import Indices, Numbers, bootstrap_mean, numpy_rng

SAMPLES = 4_000


class Diversity(Measure):
    """Similarity of random pairs of generated images, and of pairs of one category.

    Less is more diverse, but noise is diverse too: void when the samples are not data-like. No
    image is in two pairs of a score, so that the pairs are independent and may be resampled.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        codes: list[str],
        samples: int | None = None,
        features: Name = "auto",
        real: int = REAL,
        steps: int | None = None,
    ) -> None:
        self._codes, self._features = members(latents, codes), choose(data, features)
        self._samples, self._real, self._steps = samples, real, steps

    def measure(self, view: View) -> list[Score]:
        """Return `ms_ssim`, and `<code>/ms_ssim` of each discrete code."""
        if len(view.data.sample_shape) == 1 or not scales_for(view.data.sample_shape):
            return [nothing("ms_ssim", f"needs images of at least {WINDOW} pixels a side")]
        wanted = samples_for(view, self._samples, SAMPLES)
        if few := too_few(view.data):
            return [nothing("ms_ssim", few)]
        bank = view.bank(wanted)
        if lost := broken(bank.samples):
            return [nothing("ms_ssim", f"{lost} of {wanted} samples are not finite", wanted)]
        extractor = extractor_of(view, self._features, real=self._real, steps=self._steps)
        void = extractor.void(view, bank.samples)
        return [replace(score, void=score.void or void) for score in self._scores(view, bank)]

    def _scores(self, view: View, bank: Bank) -> list[Score]:
        rng = numpy_rng(view, "diversity")
        overall = _of_all(view, bank.samples, rng)
        codes = [code for code in self._codes or view.inferable if view.space[code].discrete]
        return [
            overall,
            *(
                _of_code(code, bank.samples, categories, overall.value, rng)
                for code, categories in binned(view, codes, bank.latent).items()
            ),
        ]


def consecutive(count: int) -> Indices:
    """Return pairs (P, 2) of neighbouring rows, no row in two of them."""
    rows: Indices = np.arange(count // 2 * 2, dtype=np.int64)
    return rows.reshape(-1, 2)


def within(categories: Indices) -> Indices:
    """Return pairs (P, 2) of rows that share a category (N,), no row in two of them."""
    groups = (np.flatnonzero(categories == each) for each in np.unique(categories))
    return np.concatenate([rows[consecutive(len(rows))] for rows in groups])


def _alike(samples: Tensor, pairs: Indices) -> Numbers:
    return ms_ssim(samples[pairs[:, 0]], samples[pairs[:, 1]]).double().numpy()


def _of_all(view: View, samples: Tensor, rng: np.random.Generator) -> Score:
    real = view.real(len(samples)).samples
    found, perfect = (_alike(part, consecutive(len(part))) for part in (samples, real))
    low, high = bootstrap_mean(found, rng)
    return Score(
        "ms_ssim",
        float(found.mean()),
        len(samples),
        f"{_how(samples)} random pairs, no sample in two; 95 % interval from 100 bootstrap "
        "resamples of pairs; reference: pairs of real training samples",
        low=low,
        high=high,
        ceiling=1.0,
        reference=float(perfect.mean()),
        split="training",
        details={"pairs": len(found), "real_pairs": len(perfect)},
    )


def _of_code(
    code: str, samples: Tensor, categories: Indices, overall: float, rng: np.random.Generator
) -> Score:
    pairs = within(categories)
    if not len(pairs):
        return nothing(f"{code}/ms_ssim", "no two samples share a category")
    found = _alike(samples, pairs)
    which = categories[pairs[:, 0]]
    low, high = bootstrap_mean(found, rng)
    return Score(
        f"{code}/ms_ssim",
        float(found.mean()),
        len(samples),
        f"{_how(samples)} pairs of one category, no sample in two; 95 % interval from 100 "
        "bootstrap resamples of pairs; chance: random pairs",
        low=low,
        high=high,
        chance=overall,
        ceiling=1.0,
        details={
            "pairs": len(found),
            "categories": {str(each): float(found[which == each].mean()) for each in set(which)},
        },
    )


def _how(samples: Tensor) -> str:
    return (
        f"multi-scale structural similarity (Wang et al. 2003) at {scales_for(samples.shape)} of 5 "
        "scales, those that fit, exponents divided by their sum; mean of"
    )
