"""Mode coverage: which joint values of discrete factors a generator draws, as a probe reads them.

The customary case is stacked MNIST, three digits and 1,000 modes, 26,000 samples: Srivastava et al.
2017 (VEEGAN, arXiv 1705.07761), Lin et al. 2018 (PacGAN, arXiv 1712.04086). A probe that errs shows
modes that are not there; the references say what it would show of a perfect generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import Batch, Dataset, Factor, Measure, Score, View
from gantk_measures.codes import scored_factors
from gantk_measures.effort import samples_for
from gantk_measures.extractors import LOOKED_AT
from gantk_measures.guard import broken
from gantk_measures.joint import (
    SIMULATED,
    Levels,
    Values,
    as_read,
    confusion,
    found,
    joint,
    mode_counts,
    perfect,
)
from gantk_measures.judge import (
    REAL,
    Judge,
    has_labels,
    judge_of,
    judge_of_labels,
    labels_as_factor,
    real_split,
    too_few,
)
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Indices, Numbers, bootstrap_all, counts_of, numpy_rng

SAMPLES = 26_000
"""As many as in published tables."""
COUNTED = 100_000
"""Real samples, at most, whose modes are counted."""
MOST = 100_000
"""Modes, at most, that are told apart."""
FIRM = 0.1
"""Share of its frequency in the data at which a mode is counted in `firm` too."""
_PART = 1_000
_INTERVAL = "; 95 % interval from 100 bootstrap resamples, centred on the value"
HOW = {
    "covered": "modes of the data with at least one sample; no interval, since resampling only "
    "loses modes",
    "kl": f"KL(samples || data), plug-in{_INTERVAL}",
    "entropy": f"entropy of the modes of samples, Miller-Madow{_INTERVAL}",
}
UNITS = {"covered": "modes", "kl": "nats", "entropy": "nats"}
REFERENCE = (
    f"reference: what the probe would show of a perfect generator, mean of {SIMULATED} draws from "
    "the frequencies of the data, each factor misread as on unseen real samples"
)


@dataclass(frozen=True)
class Reader:
    """What reads the modes off samples, and what is known of it and of the data."""

    judge: Judge
    levels: Levels
    shares: Numbers
    """Of each mode in the data, (M,)."""
    misread: Numbers
    """Of each mode as the probe reads a perfect generator's samples, (M,)."""
    right: float
    """Share of unseen real samples of which the probe reads every factor right."""

    def modes(self, samples: Tensor) -> Indices:
        """Return the mode of each sample, (N,)."""
        return joint(_read(self.judge, self.levels, samples), self.levels)


class ModeCoverage(Measure):
    """Modes covered, divergence from the frequencies of the data, entropy.

    Void when the probe is not reliable, or the samples are not data-like (`guard`). A void score
    keeps its value.
    """

    def __init__(
        self,
        data: Dataset,
        factors: list[str],
        samples: int | None = None,
        real: int = REAL,
        steps: int | None = None,
        reliable: float = 0.9,
    ) -> None:
        chosen = scored_factors(data, factors if data.factors else [])
        self._columns = {place: each for place, each in chosen.items() if each.kind == "discrete"}
        for each in chosen.values() if factors else ():
            if each.kind != "discrete":
                raise ValueError(
                    f"factor {each.name!r} of {data.name!r} is {each.kind}; modes are joint values "
                    "of discrete ones"
                )
        self._factors, self._samples, self._reliable = factors, samples, reliable
        self._real, self._steps = real, steps

    def measure(self, view: View) -> list[Score]:
        """Return `covered`, `kl` and `entropy`."""
        if not self._columns and not has_labels(view.data):
            return [
                nothing("covered", f"{view.data.name!r} has neither discrete factors nor labels")
            ]
        if few := too_few(view.data):
            return [nothing("covered", few)]
        truth = self._counted(view.data)
        size = math.prod(int(values.max()) + 1 for values in truth.values())
        if size > MOST:
            return [
                nothing(
                    "covered",
                    f"{', '.join(truth)} have {size:,} joint values, more than {MOST:,}; name "
                    "fewer in `factors`",
                )
            ]
        reader = self._reader(view, truth)
        modes, void = self._drawn(view, reader)
        return list(_scores(reader, modes, void or self._doubts(reader), view))

    def _known(self, data: Dataset, batch: Batch) -> Values:
        """Return the factors of real samples, or their labels."""
        columns: Mapping[int, Factor] = self._columns
        if not columns:
            batch, columns = labels_as_factor(data, batch)
        assert batch.factors is not None, "the data set describes its factors"
        return {each.name: batch.factors[:, i].long().cpu().numpy() for i, each in columns.items()}

    def _counted(self, data: Dataset) -> Values:
        """Return what is known of training samples, spread evenly over all."""
        rows = torch.linspace(0, len(data) - 1, min(len(data), COUNTED)).round().long()
        parts = [self._known(data, data.batch(some)) for some in rows.split(_PART)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _reader(self, view: View, truth: Values) -> Reader:
        learn = partial(judge_of, factors=self._factors) if self._columns else judge_of_labels
        judge = learn(view, real=self._real, steps=self._steps)
        levels = {
            name: max(int(values.max()) + 1, judge.probe.heads[name].width)
            for name, values in truth.items()
        }
        shares = mode_counts(truth, levels) / len(next(iter(truth.values())))
        _, unseen = real_split(view, self._real)
        known = self._known(view.data, unseen)
        read = _read(judge, levels, unseen.samples)
        confusions = [confusion(known[name], read[name], levels[name]) for name in levels]
        right = joint(known, levels) == joint(read, levels)
        return Reader(judge, levels, shares, as_read(shares, confusions), float(right.mean()))

    def _drawn(self, view: View, reader: Reader) -> tuple[Indices, str]:
        """Return the modes of fresh samples, and why they say nothing, if so."""
        count = samples_for(view, self._samples, SAMPLES)
        parts, lost = [], 0
        for latent in view.space.sample(count, view.rng("mode_coverage")).split(_PART):
            samples = view.generate(latent)
            parts.append(reader.modes(samples))
            lost += broken(samples)
        rng = numpy_rng(view, "mode_coverage guard")
        void = reader.judge.guard.score(view.bank(LOOKED_AT).samples, rng).void
        return np.concatenate(parts), f"{lost} of {count} samples are not finite" if lost else void

    def _doubts(self, reader: Reader) -> str:
        return reader.judge.doubt(self._reliable, reader.levels)


def _read(judge: Judge, levels: Levels, samples: Tensor) -> Values:
    raw = judge.probe.raw(judge.probe.features(samples))
    return {name: judge.probe.heads[name].read(raw[name]) for name in levels}


def _scores(reader: Reader, modes: Indices, void: str, view: View) -> Iterator[Score]:
    rng, count, size = numpy_rng(view, "mode_coverage"), len(modes), len(reader.shares)

    def estimate(weights: Numbers | None = None) -> dict[str, float]:
        return found(counts_of(modes, size, weights), reader.shares)._asdict()

    values = estimate()
    reference = perfect(reader.shares, reader.misread, count, rng)._asdict()
    sure = {name: values[name] for name in ("kl", "entropy") if math.isfinite(values[name])}
    intervals = bootstrap_all(count, estimate, sure, rng)
    most = {"covered": float((reader.shares > 0).sum()), "entropy": math.log(size)}
    for name, value in values.items():
        low, high = intervals.get(name, (None, None))
        yield Score(
            name,
            value,
            count,
            f"{HOW[name]}; {size:,} joint values of {', '.join(reader.levels)}, read by a probe "
            f"taught by {reader.judge.learned_from:,} training samples; {REFERENCE}",
            unit=UNITS[name],
            low=low,
            high=high,
            ceiling=most.get(name),
            reference=reference[name] if math.isfinite(reference[name]) else None,
            void=void or ("" if math.isfinite(value) else "a mode occurs that the data has not"),
            split="training",
            details=_details(reader, counts_of(modes, size)),
        )


def _details(reader: Reader, counts: Numbers) -> dict[str, Any]:
    shares, seen = reader.shares, reader.shares > 0
    firm = counts >= FIRM * shares * counts.sum()
    return {
        "all_factors_right": reader.right,
        "probe": {name: reader.judge.skill[name]["reliability"] for name in reader.levels},
        "firm": int((firm & seen).sum()),
        "outside": float(counts[~seen].sum() / counts.sum()),
    }
