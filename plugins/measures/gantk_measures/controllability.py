"""Controllability: MIG and DCI of the generator, from what was put in to what came out.

The codes are the values the generator was given, the factors what a probe trained on *real* data
reads off its samples (MIG-gen, Nie et al. 2020, Semi-StyleGAN; the same of Morpho-MNIST's measured
digits, Castro et al. 2019). `mig` and `dci` ask the reader the same questions on real data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gan_toolkit import Bank, Dataset, LatentSpace, Measure, Score, View
from gantk_measures.codes import columns_put_in, factor_place, lacking, members, put_in
from gantk_measures.dci import importance_scores, importance_values
from gantk_measures.effort import samples_for, trees_for
from gantk_measures.guard import broken
from gantk_measures.importance import Regressor
from gantk_measures.judge import REAL, Judge, judge_of, too_few
from gantk_measures.leak import leaks
from gantk_measures.mig import gap_scores, gap_values
from gantk_measures.nothing import nothing
from gantk_measures.reading import Reading, Unreadable, reading_of
from gantk_measures.statistics import numpy_rng
from gantk_measures.variables import Binning

SAMPLES = 10_000
SOURCE = (
    "input values of the codes, factors read off {} samples by a probe that learned them from {} "
    "real ones; reference: the true factors of {} unseen real samples in place of codes"
)


class Controllability(Measure):
    """Whether each factor is set by one code, and each code sets one factor.

    All scores are void when the samples are not data-like (`guard`), the aggregates too when the
    probe can't read one of the factors on real samples it has not seen: leave that factor out.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        bins: int = 20,
        binning: Binning = "width",
        regressor: Regressor = "extra_trees",
        real: int = REAL,
        steps: int | None = None,
        reliable: float = 0.95,
    ) -> None:
        for factor in factors if data.factors else []:
            factor_place(data, factor)
        self._factors, self._codes = factors, members(latents, codes)
        self._samples, self._real, self._steps = samples, real, steps
        self._bins, self._binning = bins, binning
        self._regressor: Regressor = regressor
        self._reliable = reliable

    def measure(self, view: View) -> list[Score]:
        """Return `precision`, MIG and its relatives, D, C and I, and `leak/<factor>`."""
        codes = self._codes or list(view.inferable)
        if reason := lacking(view.data, self._factors, codes) or too_few(view.data):
            return [nothing("mig", reason)]
        bank = view.bank(samples_for(view, self._samples, SAMPLES))
        if lost := broken(bank.samples):
            return [nothing("mig", f"{lost} of {len(bank.samples)} samples are not finite")]
        judge = judge_of(view, self._factors, real=self._real, steps=self._steps)
        precision = judge.guard.score(bank.samples, numpy_rng(view, "controllability precision"))
        try:
            reading = _reading(view, codes, bank, judge)
        except Unreadable as reason:
            return [precision, nothing("mig", precision.void or str(reason))]
        scores = [
            *self._aggregates(view, reading, judge),
            *self._leaks(view, codes, bank, reading, judge),
        ]
        return [precision, *(replace(each, void=precision.void or each.void) for each in scores)]

    def _aggregates(self, view: View, reading: Reading, judge: Judge) -> list[Score]:
        rng = numpy_rng(view, "controllability")
        first, *others = gap_scores(reading, rng, self._bins, self._binning)
        first = replace(first, details={**first.details, "probe": dict(judge.skill)})
        scores = [
            first,
            *others,
            *importance_scores(reading, rng, self._regressor, trees_for(view)),
        ]
        how = (*self._factors, self._real, self._steps, self._bins, self._binning, self._regressor)
        references = view.remember(
            ("controllability references", view.effort, *how), lambda: self._references(view, judge)
        )
        doubt = self._doubt(judge)
        return [
            replace(each, reference=references.get(each.name), void=doubt or each.void)
            for each in reading.listed(*scores)
        ]

    def _doubt(self, judge: Judge) -> str:
        """Return why a mean over the factors must not be used, and what would work."""
        doubt = judge.doubt(self._reliable, judge.skill)
        if not doubt:
            return ""
        left = [name for name in judge.skill if name not in judge.doubted(self._reliable)]
        remedy = f"leave out with factors = {json.dumps(left)}" if left else "no other is left"
        return f"{doubt}: {remedy}"

    def _references(self, view: View, judge: Judge) -> dict[str, float]:
        """Return what the true factors of unseen real samples would get in place of the codes.

        No generator can make up for the probe's errors, or for factors that go together.
        """
        try:
            truth = reading_of(judge.known, judge.read, "", where="unseen real samples")
        except Unreadable:
            return {}
        found = gap_values(truth, self._bins, self._binning)
        rng = numpy_rng(view, "controllability references")
        found |= importance_values(truth, rng, self._regressor, trees_for(view))
        return {name: value for name, value in found.items() if np.isfinite(value)}

    def _leaks(
        self, view: View, codes: Sequence[str], bank: Bank, reading: Reading, judge: Judge
    ) -> list[Score]:
        names = [name for name in view.space if name not in {*codes, *view.inferable}]
        if not names:
            return []
        seed = int(numpy_rng(view, "controllability leak").integers(2**31))
        noise, doubted = (
            columns_put_in(view.space, names, bank.latent),
            judge.doubted(self._reliable),
        )
        found = leaks(noise, reading.factors, *reading.halves(), seed, trees_for(view))
        # One reason for all, so that a page tells it once; how reliable each is, stands above.
        void = f"the probe reads the factor of real samples less reliably than {self._reliable:g}"
        return [
            replace(score, void=void if factor.name in doubted else "")
            for score, factor in zip(found, reading.factors, strict=True)
        ]


def _reading(view: View, codes: Sequence[str], bank: Bank, judge: Judge) -> Reading:
    factors = judge.probe.read(judge.probe.features(bank.samples))
    source = SOURCE.format(len(bank.samples), judge.learned_from, len(judge.known[0].values))
    return reading_of(put_in(view.space, codes, bank.latent), factors, source, where="samples")
