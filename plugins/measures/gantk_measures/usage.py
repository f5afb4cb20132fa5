"""Usage: whether real data uses the codes as the prior does.

In training q(c|x) sees generated samples only. On real ones it may name some categories hardly ever
(they are drawn, and look like nothing in the data), or be unsure of all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures import cautions
from gantk_measures.codes import binned
from gantk_measures.effort import samples_for
from gantk_measures.reading import Reading
from gantk_measures.real import RealCodes, variables_of
from gantk_measures.statistics import (
    Numbers,
    bootstrap,
    bootstrap_mean,
    counts_of,
    divergence,
    numpy_rng,
)

FAKE = 5_000
PRIOR = 100_000
KL = (
    "sum over categories of u log(u / p), u: share of real samples of which it is the likeliest, "
    f"p: share of {PRIOR:,} draws of the prior; chance: (K - 1) / 2N, what counting alone gives; "
    "95 % interval from 100 bootstrap resamples, centred on the value"
)
CONFIDENCE = (
    "mean probability of the likeliest category; 95 % interval from 100 bootstrap resamples of the "
    "mean; chance: 1 / K"
)
DEAD = "codes that do not vary: deviation at most a millionth of the widest, or one category"


class Usage(Measure):
    """Dead codes; and of every choice, distance of its use from the prior, and confidence.

    Void where no code varies at all; the reason names them.
    """

    def __init__(self, latents: LatentSpace, codes: list[str], samples: int | None = None) -> None:
        self._real = RealCodes(latents, codes, samples)

    def measure(self, view: View) -> list[Score]:
        """Return `dead`, and `<code>/kl` and `<code>/confidence` of each discrete code."""
        return self._real.score(view, "dead", _scores, anchors=["untrained"])


def _scores(view: View, reading: Reading) -> list[Score]:
    every = [*reading.codes, *reading.dead]
    count, lost = reading.count, len(reading.dead)
    chances = {code.name: code.probabilities for code in every if code.probabilities is not None}
    fake = view.infer(view.bank(samples_for(view, None, FAKE)).samples) if chances else {}
    return [
        Score(
            "dead",
            lost,
            count,
            f"{DEAD}; {reading.source}",
            ceiling=len(every),
            headline="dead codes",
        ),
        *(
            score
            for code, real in chances.items()
            for score in _of_choice(view, code, real, fake[code], reading.source)
        ),
    ]


def _of_choice(view: View, code: str, real: Numbers, raw: Tensor, source: str) -> Iterator[Score]:
    """Give both scores of a code, of its probabilities (N, K) on real samples."""
    rng = numpy_rng(view, f"usage {code}")
    yield _of_use(view, code, real, source, rng)
    (generated,) = variables_of(code, view.space[code], raw)
    assert generated.probabilities is not None, "the code is discrete on real samples too"
    yield _of_confidence(code, real, generated.probabilities, source, rng)


def _of_use(view: View, code: str, real: Numbers, source: str, rng: np.random.Generator) -> Score:
    count, width = real.shape
    latent = view.space.sample(PRIOR, view.rng("usage prior"))
    prior = counts_of(binned(view, [code], latent)[code], width)
    found = real.argmax(axis=1)

    def kl(weights: Numbers | None = None) -> float:
        return divergence(counts_of(found, width, weights), prior)

    low, high = bootstrap(count, kl, kl(), rng)
    used = counts_of(found, width)
    return Score(
        name=f"{code}/kl",
        value=kl(),
        count=count,
        estimator=f"{KL}; {source}",
        unit="nats",
        low=low,
        high=high,
        chance=(width - 1) / (2 * count),
        details={
            "shares": (used / count).tolist(),
            "prior": (prior / PRIOR).tolist(),
            "unused": np.flatnonzero(used == 0).tolist(),
        },
        warnings=cautions.unlike_prior(kl()),
    )


def _of_confidence(
    code: str, real: Numbers, generated: Numbers, source: str, rng: np.random.Generator
) -> Score:
    sure = real.max(axis=1)
    low, high = bootstrap_mean(sure, rng)
    return Score(
        name=f"{code}/confidence",
        value=float(sure.mean()),
        count=len(sure),
        estimator=f"{CONFIDENCE}; {source}",
        low=low,
        high=high,
        chance=1 / real.shape[1],
        ceiling=1.0,
        details={"generated": float(generated.max(axis=1).mean())},
    )
