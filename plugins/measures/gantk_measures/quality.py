"""Sample quality: how far generated samples are from real ones, in features that are named.

Six numbers, each beside what unseen real samples get in the generator's place, which is what a
perfect generator would get. All sets are of one size: the Fréchet distance depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t as student
from torch import Tensor

from gan_toolkit import Dataset, Measure, Score, View
from gantk_measures.distances import BLOCKS, frechet, kernel_distances
from gantk_measures.effort import samples_for
from gantk_measures.extractors import Name, choose, extractor_of, real_and_unseen
from gantk_measures.guard import broken
from gantk_measures.judge import REAL
from gantk_measures.neighbours import NEIGHBOURS, overlap
from gantk_measures.nothing import nothing
from gantk_measures.reading import LEAST
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

SAMPLES = 5_000
FRECHET = (
    "squared Fréchet distance of normals fitted to the features (Heusel et al. 2017); comparable "
    "at equal sizes only; no interval, since resampling repeats samples and moves them apart"
)
KERNEL = (
    "squared maximum mean discrepancy, unbiased, kernel (x·y / D + 1)^3 (Bińkowski et al. 2018): "
    f"mean of {BLOCKS} disjoint blocks; 95 % interval from their spread, Student's t"
)
OVERLAPS = {
    "precision": "share of generated samples inside the real manifold (Kynkäänniemi et al. 2019)",
    "recall": "share of real samples inside the generated manifold (Kynkäänniemi et al. 2019)",
    "density": "balls of real samples that hold a generated one, over k (Naeem et al. 2020)",
    "coverage": "share of real samples whose ball holds a generated one (Naeem et al. 2020)",
}


@dataclass(frozen=True)
class Sets:
    """Features (N, F) of equally many real, unseen real and generated samples."""

    real: Tensor
    unseen: Tensor
    generated: Tensor

    def __len__(self) -> int:
        return len(self.real)


class SampleQuality(Measure):
    """Fréchet and kernel distance, precision, recall, density, coverage.

    All but `precision` are void when the samples are not data-like (`guard`): features of what no
    network was made for mean little. A void score keeps its value.
    """

    def __init__(
        self,
        data: Dataset,
        samples: int | None = None,
        features: Name = "auto",
        neighbours: int = NEIGHBOURS,
        real: int = REAL,
        steps: int | None = None,
    ) -> None:
        self._features = choose(data, features)
        self._samples, self._neighbours = samples, neighbours
        self._real, self._steps = real, steps

    def measure(self, view: View) -> list[Score]:
        """Return `frechet`, `kernel`, `precision`, `recall`, `density` and `coverage`."""
        wanted = samples_for(view, self._samples, SAMPLES)
        real, unseen, which = real_and_unseen(view, wanted, self._real)
        count = len(real)
        if count < LEAST:
            return [nothing("frechet", f"{count} unseen real samples; at least {LEAST} are needed")]
        generated = view.bank(count).samples
        if lost := broken(generated):
            return [nothing("frechet", f"{lost} of {count} samples are not finite", count)]
        extractor = extractor_of(view, self._features, real=self._real, steps=self._steps)
        sets = Sets(*map(extractor.features, (real, unseen, generated)))
        void = extractor.void(view, generated)
        return [
            replace(
                score,
                estimator=f"{score.estimator}; {extractor.estimator}; {count:,} training samples; "
                f"reference: {which} in place of generated ones",
                void="" if score.name == "precision" else void,
                split="training",
                details={"real": count, "unseen": count, **extractor.details},
            )
            for score in self._scores(sets, numpy_rng(view, "sample_quality"))
        ]

    def _scores(self, sets: Sets, rng: np.random.Generator) -> Iterator[Score]:
        yield _frechet(sets)
        yield _kernel(sets)
        found = overlap(sets.real, sets.generated, self._neighbours)
        perfect = overlap(sets.real, sets.unseen, self._neighbours)
        for name, how in OVERLAPS.items():
            values: Numbers = getattr(found, name).numpy()
            low, high = bootstrap_mean(values, rng)
            yield Score(
                name,
                float(values.mean()),
                len(sets),
                f"{how}, k = {self._neighbours}; 95 % interval from 100 bootstrap resamples of the "
                "samples counted, the balls held",
                low=low,
                high=high,
                ceiling=None if name == "density" else 1.0,
                reference=float(getattr(perfect, name).mean()),
            )


def _frechet(sets: Sets) -> Score:
    real, unseen, generated = _arrays(sets)
    value, reference = frechet(real, generated), frechet(real, unseen)
    return Score("frechet", value, len(sets), FRECHET, reference=reference)


def _kernel(sets: Sets) -> Score:
    real, unseen, generated = _arrays(sets)
    found, perfect = kernel_distances(real, generated), kernel_distances(real, unseen)
    value = float(found.mean())
    margin = float(student.ppf(0.975, BLOCKS - 1) * found.std(ddof=1) / np.sqrt(BLOCKS))
    return Score(
        "kernel",
        value,
        len(sets),
        KERNEL,
        low=value - margin,
        high=value + margin,
        reference=float(perfect.mean()),
    )


def _arrays(sets: Sets) -> tuple[Numbers, Numbers, Numbers]:
    return sets.real.numpy(), sets.unseen.numpy(), sets.generated.numpy()
