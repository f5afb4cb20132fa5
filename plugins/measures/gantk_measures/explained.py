"""Explained: how much of a known factor of the data a code of the generator decides.

The generator's side of interpretability. Latents are drawn, samples generated, and a probe that
was trained on *real* data reads the factor off each sample. What the code explains of the
readings is then a share between 0 and 1, by kind of factor (`heads`):

- circular: 1 - E[Var(u | bin)] / Var(u) of the unit vector u = (cos, sin) of the reading;
- continuous: the same of the reading, which is the squared correlation ratio;
- discrete: the uncertainty coefficient I(bin; u) / H(u), Miller-Madow.

The code enters as its bin, one of 20 of equal probability (a category is its own bin). The value
is not corrected for chance; `chance` is what shuffled codes explain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from gan_toolkit import Batch, Dataset, LatentSpace, Measure, Score, View
from gantk_measures.codes import binned, factor_place, members, scored_factors
from gantk_measures.effort import samples_for
from gantk_measures.guard import Guard
from gantk_measures.heads import Head
from gantk_measures.probe import Probe
from gantk_measures.statistics import Indices, bootstrap, numpy_rng

SAMPLES = 5_000
BINS = 20
SHUFFLES = 5
HELD_OUT = 4_000


@dataclass(frozen=True)
class Judge:
    """What was learned of the real data, once per data set and seed."""

    key: tuple[int, str]
    probe: Probe
    guard: Guard
    skill: Mapping[str, Mapping[str, float]]
    variety: Mapping[str, float]
    """How much each factor varies over real samples, as the probe reads it."""


@dataclass(frozen=True)
class Reading:
    """A factor as the probe read it from the samples, and what is known of the reading."""

    factor: str
    head: Head
    values: np.ndarray[Any, Any]
    void: str
    details: Mapping[str, Any]


class Explained(Measure):
    """Explained share of every factor by every code, and the `precision` of the samples.

    All shares are void when the samples are not data-like (`guard`), and those of one factor
    when the probe can't read it on real samples it has not seen. A void score keeps its value.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        factors: list[str],
        codes: list[str],
        samples: int | None = None,
        real: int = 20_000,
        steps: int = 1_200,
        reliable: float = 0.8,
    ) -> None:
        for factor in factors if data.factors else []:
            factor_place(data, factor)
        self._factors, self._codes = factors, members(latents, codes)
        self._samples, self._real, self._steps = samples, real, steps
        self._reliable = reliable
        self._judge: Judge | None = None

    def measure(self, view: View) -> list[Score]:
        """Return `precision`, then `<factor>/<code>` for every pair."""
        codes = self._codes or list(view.inferable)
        if not scored_factors(view.data, self._factors if view.data.factors else []):
            return [_nothing(f"the data set {view.data.name!r} has no known factors to score")]
        if not codes:
            return [_nothing("no code is inferred; name some in `codes`")]
        judge = self._judged(view)
        bank = view.bank(samples_for(view, self._samples, SAMPLES))
        features = judge.probe.features(bank.samples)
        rng = numpy_rng(view, "explained")
        precision = judge.guard.score(bank.samples, rng)
        bins = binned(view, codes, bank.latent, BINS)
        return [
            precision,
            *(
                _pair(reading, code, places, rng)
                for reading in self._readings(judge, features, precision.void)
                for code, places in bins.items()
            ),
        ]

    def _judged(self, view: View) -> Judge:
        """Train the probe and set up the guard, or take them from the last time."""
        key = (view.seed, view.data.fingerprint())
        if self._judge is None or self._judge.key != key:
            train, test = _real(view, self._real)
            factors = scored_factors(view.data, self._factors)
            probe = Probe(train, factors, steps=self._steps, rng=view.rng("explained probe"))
            features = probe.features(test.samples)
            raw = probe.raw(features)
            self._judge = Judge(
                key=key,
                probe=probe,
                guard=Guard(train.samples, test.samples, probe.features),
                skill=probe.skill(test),
                variety={
                    name: head.variety(head.read(raw[name])) for name, head in probe.heads.items()
                },
            )
        return self._judge

    def _readings(self, judge: Judge, features: Tensor, void: str) -> Iterator[Reading]:
        raw = judge.probe.raw(features)
        for factor, head in judge.probe.heads.items():
            values, skill = head.read(raw[factor]), judge.skill[factor]
            variety = head.variety(values) / max(judge.variety[factor], 1e-12)
            unreadable = (
                f"the probe reads {factor} with a reliability of {skill['reliability']:.2f} on "
                f"real samples, below {self._reliable:g}"
                if skill["reliability"] < self._reliable
                else ""
            )
            yield Reading(
                factor=factor,
                head=head,
                values=values,
                void=void or unreadable,
                details={"probe": dict(skill), "variety": variety, "bins": BINS},
            )


def _pair(reading: Reading, code: str, bins: Indices, rng: np.random.Generator) -> Score:
    head, values = reading.head, reading.values
    value = head.explained(values, bins)
    score = Score(
        name=f"{reading.factor}/{code}",
        value=value,
        count=len(values),
        estimator=f"{head.estimator}, by a probe trained on real data; bin: 20 of equal "
        "probability, or the category; chance: mean of 5 shuffles, not subtracted; 95 % "
        "interval from 100 bootstrap resamples, centred on the value",
        void=reading.void,
        details=reading.details,
    )
    if np.isnan(value):
        return replace(score, void=reading.void or f"{reading.factor} does not vary")
    shuffled = [head.explained(values, rng.permutation(bins)) for _ in range(SHUFFLES)]
    low, high = bootstrap(
        len(values), lambda weights: head.explained(values, bins, weights), value, rng
    )
    return replace(score, low=low, high=high, chance=float(np.mean(shuffled)), ceiling=1.0)


def _real(view: View, count: int) -> tuple[Batch, Batch]:
    """Return real samples to learn from and others to be tested on."""
    train = view.real(count)
    if view.data.held_out() is not None:
        return train, view.real(HELD_OUT, held_out=True)
    cut = len(train.samples) - min(HELD_OUT, len(train.samples) // 5)
    return Batch(*(_rows(part, slice(cut)) for part in train)), Batch(
        *(_rows(part, slice(cut, None)) for part in train)
    )


def _rows(part: Tensor | None, rows: slice) -> Any:
    return None if part is None else part[rows]


def _nothing(reason: str) -> Score:
    return Score("precision", float("nan"), 0, "", void=reason)
