"""Audit: how much of each code is in the samples, by a reader that training never knew.

I = H - CE, in nats: H the entropy of the code's bins (a category is its own; a number has 20 of
equal probability, so that H = log 20), CE the cross-entropy of a classifier (`classifier`) on
samples that it has not seen. It is the bound of `bound` for another reader, on one scale for all
kinds of code: numbers have a ceiling too. Lower bound and estimator as in McAllester and Stratos
(2020): a difference of entropies of which one is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures import cautions
from gantk_measures.classifier import Classifier, Labelled, Look
from gantk_measures.codes import NO_CODE, binned, members
from gantk_measures.guard import broken
from gantk_measures.nothing import nothing
from gantk_measures.reader_bound import reader_bounds
from gantk_measures.spoiling import Spoil
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

BINS = 20
SAMPLES = {"fast": 5_000, "default": 20_000, "full": 40_000}
EPOCHS = {"fast": 2, "default": 5, "full": 8}
FINE_TUNE = 2
ESTIMATOR = (
    "H - cross-entropy of a fresh classifier trained on {train} samples, best of at most "
    "{epochs} epochs by {validation} others, one temperature a code; H: log 20 of 20 bins "
    "of equal probability, or that of the categories; 95 % interval from 100 bootstrap resamples "
    "of the mean; chance: the same with shuffled codes"
)
VISIBLE = (
    "as the audit, fine-tuned for at most {epochs} epochs, on images rounded to 8 bits, with noise "
    "of 8 grey levels, then averaged over 2x2 pixels"
)


@dataclass(frozen=True)
class Drawn:
    """Fresh samples and what they were made from."""

    train: Labelled
    validation: Labelled
    test: Labelled
    latent: Tensor
    """(N, W) of the test samples."""
    held: Mapping[str, float]
    """H of the bins of each code, in nats."""


class Audit(Measure):
    """What a fresh classifier reads of each code, and what it reads of spoilt images.

    Much more than `bound` says: the training reader is weak. Much less: the classifier is, or the
    bound is wrong. `visible` far below it: the code hides in details that nobody can see. Takes
    1 to 5 minutes of one CPU core for images of 28 to 64 pixels; 10 to 40 s with the effort `fast`.
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: list[str],
        samples: int | None = None,
        epochs: int | None = None,
    ) -> None:
        self._codes, self._samples, self._epochs = members(latents, codes), samples, epochs

    @torch.inference_mode(mode=False)  # the view may be read under it; training can't be
    def measure(self, view: View) -> list[Score]:
        """Return a score per code, named after it, their `total`, and for images `visible/…`."""
        codes = self._codes or list(view.inferable)
        if not codes:
            return [nothing("audit", NO_CODE)]
        drawn = _draw(view, codes, self._samples or SAMPLES[view.effort])
        samples = (drawn.train.samples, drawn.validation.samples, drawn.test.samples)
        if lost := sum(map(broken, samples)):
            return [nothing("audit", f"{lost} of {sum(map(len, samples))} samples are not finite")]
        epochs = self._epochs or EPOCHS[view.effort]
        classifier = _classifier(view, drawn, "audit")
        classifier.fit(drawn.train, drawn.validation, epochs, _as_it_is)
        chance = _shuffled(view, drawn, epochs)
        reader = reader_bounds(view, drawn.test.samples, drawn.latent, drawn.test.bins, BINS)
        estimator = ESTIMATOR.format(
            train=len(drawn.train), epochs=epochs, validation=len(drawn.validation)
        )
        gains = _gains(drawn, classifier)
        audited = {
            code: _with_reader(
                replace(
                    _score(view, code, code, gain, drawn, estimator),
                    chance=chance[code],
                    warnings=cautions.absent(float(gain.mean())),
                ),
                reader.get(code),
            )
            for code, gain in gains.items()
        }
        scores = _with_total(view, "total", "MI audited, nats", audited, gains)
        if drawn.test.samples.dim() != 4:
            return scores
        return [*scores, *_visible(view, drawn, classifier, audited)]


def _as_it_is(samples: Tensor) -> Tensor:
    return samples


def _draw(view: View, codes: Sequence[str], count: int) -> Drawn:
    """Draw `count` samples to train on, a quarter as many to validate and half to test."""
    sizes = [count, count // 4, count // 2]
    latent = view.space.sample(sum(sizes), view.rng("audit draw"))
    bins = {
        code: torch.from_numpy(found).split(sizes)
        for code, found in binned(view, codes, latent, BINS).items()
    }
    train, validation, test = (
        Labelled(view.generate(part), {code: found[place] for code, found in bins.items()})
        for place, part in enumerate(latent.split(sizes))
    )
    tested = latent[sum(sizes[:2]) :]
    return Drawn(train, validation, test, tested, _held(view, codes, latent[:1]))


def _held(view: View, codes: Sequence[str], some: Tensor) -> dict[str, float]:
    """Return H of the bins of every code, in nats, by the names that bins of `some` latents have.

    Choices need not be equally likely: they know their entropy, which columns share evenly.
    """
    held: dict[str, float] = {}
    for code in codes:
        latent, names = view.space[code], binned(view, [code], some, BINS)
        whole = latent.entropy() / len(names) if latent.discrete else math.log(BINS)
        held |= dict.fromkeys(names, whole)
    return held


def _widths(drawn: Drawn) -> dict[str, int]:
    parts = (drawn.train, drawn.validation, drawn.test)
    return {
        code: max(int(part.bins[code].max()) for part in parts) + 1 for code in drawn.train.bins
    }


def _classifier(view: View, drawn: Drawn, purpose: str) -> Classifier:
    shape = tuple(drawn.train.samples.shape[1:])
    return Classifier(shape, _widths(drawn), view.rng(purpose))


def _shuffled(view: View, drawn: Drawn, epochs: int) -> dict[str, float]:
    """Return what the same procedure finds when samples and codes have nothing to do."""
    rng = view.rng("audit shuffle")
    train, validation, test = (
        part.shuffled(rng) for part in (drawn.train, drawn.validation, drawn.test)
    )
    blind = _classifier(view, drawn, "audit shuffled")
    blind.fit(train, validation, epochs, _as_it_is)
    found = blind.log_chances(test)
    return {code: drawn.held[code] + float(log_q.mean()) for code, log_q in found.items()}


def _gains(drawn: Drawn, classifier: Classifier) -> dict[str, Numbers]:
    """Return H + log q(bin | x) of each test sample, by code, in nats."""
    found = classifier.log_chances(drawn.test)
    return {code: drawn.held[code] + log_q for code, log_q in found.items()}


def _visible(
    view: View, drawn: Drawn, classifier: Classifier, audited: Mapping[str, Score]
) -> list[Score]:
    look: Look = Spoil(view.rng("audit visible"))
    classifier.fit(drawn.train, drawn.validation, FINE_TUNE, look)
    estimator = VISIBLE.format(epochs=FINE_TUNE)
    gains = _gains(drawn, classifier)
    seen = {}
    for code, gain in gains.items():
        whole, score = audited[code], _score(view, f"visible/{code}", code, gain, drawn, estimator)
        seen[code] = replace(
            score,
            details={**score.details, "hidden": whole.value - score.value},
            warnings=cautions.hidden(whole.value, score.value),
        )
    return _with_total(view, "visible/total", "visible", seen, gains)


def _score(view: View, name: str, code: str, gain: Numbers, drawn: Drawn, estimator: str) -> Score:
    held = drawn.held[code]
    details = {"share": float(gain.mean()) / held, "bins": _widths(drawn)[code]}
    return replace(_mean(view, name, gain, held, estimator), details=details)


def _with_total(
    view: View, name: str, headline: str, scores: Mapping[str, Score], gains: Mapping[str, Numbers]
) -> list[Score]:
    """Return the scores and, where there are several, their sum `name`, which is the headline.

    It bounds what all codes together are read for, as they are independent.
    """
    first, *more = scores.values()
    if not more:
        return [replace(first, headline=headline)]
    gain = np.sum(list(gains.values()), axis=0)
    most = sum(score.ceiling or 0.0 for score in scores.values())
    total = _mean(view, name, gain, most, f"sum over codes of: {first.estimator}")
    return [first, *more, replace(total, headline=headline)]


def _mean(view: View, name: str, gain: Numbers, most: float, estimator: str) -> Score:
    low, high = bootstrap_mean(gain, numpy_rng(view, f"audit {name}"))
    value, unit = float(gain.mean()), "nats"
    return Score(name, value, len(gain), estimator, unit, low=low, high=high, ceiling=most)


def _with_reader(score: Score, reader: float | None) -> Score:
    if reader is None:
        return score
    slack = score.value - reader
    details = {**score.details, "reader": reader, "slack": slack}
    return replace(score, details=details, warnings=[*score.warnings, *cautions.loose(slack)])
