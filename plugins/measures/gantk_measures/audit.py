"""Audit: how much of each code is in the samples, by a reader that training never knew.

I = log B - CE, in nats: B the bins of the code (a category is its own; a number has 20 of equal
probability), CE the cross-entropy of a classifier (`classifier`) on samples that it has not seen.
It is the bound of `bound` for another reader, on one scale for all kinds of code: numbers have a
ceiling too, log 20. Lower bound and estimator as in McAllester and Stratos (2020): a
difference of entropies of which one is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gan_toolkit import Latent, LatentSpace, Measure, Score, View
from gantk_measures import cautions
from gantk_measures.classifier import Classifier, Labelled, Look
from gantk_measures.codes import NO_CODE, binned, members
from gantk_measures.guard import broken
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

BINS = 20
SAMPLES = {"fast": 5_000, "default": 20_000, "full": 40_000}
EPOCHS = {"fast": 2, "default": 5, "full": 8}
FINE_TUNE = 2
NOISE = 8 / 127.5
"""Eight grey levels, in units of [-1, 1]."""
RULER = 2_000
"""Points at which a reader's density is summed over bins."""
ESTIMATOR = (
    "log B - cross-entropy of a fresh classifier trained on {train} samples, best of at most "
    "{epochs} epochs by {validation} others, one temperature a code; B: 20 bins of equal "
    "probability, or the categories; 95 % interval from 100 bootstrap resamples of the mean; "
    "chance: the same with shuffled codes"
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
        reader = _reader(view, codes, drawn)
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


class Spoil:
    """Takes from images (N, C, H, W) in [-1, 1] what nobody sees; their size stays."""

    def __init__(self, rng: torch.Generator) -> None:
        self._rng = rng

    def __call__(self, samples: Tensor) -> Tensor:
        """Round to 8 bits, add noise, and average each 2x2 pixels."""
        rounded = ((samples.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        noisy = rounded + NOISE * torch.randn(samples.shape, generator=self._rng)
        halved = functional.avg_pool2d(noisy, 2, ceil_mode=True)
        height, width = samples.shape[2:]
        return halved.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :height, :width]


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
    return Drawn(train, validation, test, latent[sum(sizes[:2]) :])


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
    found, widths = blind.log_chances(test), _widths(drawn)
    return {code: math.log(widths[code]) + float(log_q.mean()) for code, log_q in found.items()}


def _gains(drawn: Drawn, classifier: Classifier) -> dict[str, Numbers]:
    """Return log B + log q(bin | x) of each test sample, by code, in nats."""
    widths = _widths(drawn)
    found = classifier.log_chances(drawn.test)
    return {code: math.log(widths[code]) + log_q for code, log_q in found.items()}


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
    width = _widths(drawn)[code]
    details = {"share": float(gain.mean()) / math.log(width), "bins": width}
    return replace(_mean(view, name, gain, math.log(width), estimator), details=details)


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


def _reader(view: View, codes: Sequence[str], drawn: Drawn) -> dict[str, float]:
    """Return the bound of the training reader on the same bins, of codes where it can be told.

    Those are the choices and single numbers that are inferred. Absent too where what is read is
    not finite; `bound` says so.
    """
    raw = view.infer(drawn.test.samples) if view.inferable else {}
    values = view.space.split(drawn.latent)
    found: dict[str, float] = {}
    for code in codes:
        latent = view.space[code]
        if code not in raw or not raw[code].isfinite().all():
            continue
        if latent.discrete:
            log_q = latent.posterior(raw[code]).log_prob(values[code])
            found[code] = latent.entropy() + float(log_q.double().mean())
        elif latent.width == 1:
            ruler = _ruler(latent, view.rng("audit ruler"))
            log_q = _log_bin(latent, raw[code], drawn.test.bins[code], ruler)
            found[code] = math.log(BINS) + float(log_q.mean())
    return found


def _ruler(latent: Latent, rng: torch.Generator) -> Tensor:
    """Return evenly spaced numbers (R, 1) over the support of the prior, as far as it is drawn."""
    drawn = latent.sample(100 * RULER, rng)
    low, high = float(drawn.min()), float(drawn.max())
    return torch.linspace(low, high, RULER)[:, None]


def _log_bin(latent: Latent, raw: Tensor, bins: Tensor, ruler: Tensor) -> Tensor:
    """Return log of the share of q(c|x) over the ruler that lies in each sample's bin, (N,)."""
    places = latent.bins(ruler, BINS)[:, 0]
    rows = []
    for part, wanted in zip(raw.double().split(500), bins.split(500), strict=True):
        each = part.repeat_interleave(RULER, dim=0)
        density = latent.posterior(each).log_prob(ruler.double().repeat(len(part), 1))
        density = density.view(len(part), RULER)
        outside = places[None, :] != wanted[:, None]
        inside = density.masked_fill(outside, -math.inf).logsumexp(dim=1)
        rows.append(inside - density.logsumexp(dim=1))
    return torch.cat(rows)
