"""Features in which samples are compared, by name, and the guard that goes with them.

- `points`: the coordinates themselves, for samples (N, D);
- `taught`: the last shared layer of the probe that reads the scored factors, or else the labels;
- `untaught`: the same network with random weights, for data about which nothing is known. Naeem
  et al. 2020 (arXiv 2002.09797) found such features to serve where trained ones do not fit.

None of them is Inception: no score made of them may bear the name FID or KID.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from gan_toolkit import Dataset, View
from gantk_measures.codes import scored_factors
from gantk_measures.effort import steps_for
from gantk_measures.guard import Describe, Guard, Standard
from gantk_measures.judge import (
    REAL,
    has_labels,
    judge_of,
    judge_of_labels,
    real_split,
)
from gantk_measures.probe import FEATURES, body_for, initialise, shrink
from gantk_measures.statistics import numpy_rng

Name = Literal["auto", "points", "taught", "untaught"]

SEED = 0
"""Of the random weights: the same whatever the seed of the run, so that runs can be compared."""
LOOKED_AT = 2_000
"""Samples that tell whether a generator is data-like at all."""
SPREAD = 4_000
"""Real samples whose features tell the spread of each."""
_LAYER = f"last shared layer ({FEATURES} units) of a network "
_UNITS = ", in units of its spread over real samples"


@dataclass(frozen=True)
class Extractor:
    """What makes features of samples, and tells whether samples look like the data."""

    name: str
    describe: Describe
    """Features (N, F) of samples."""
    guard: Guard
    estimator: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def features(self, samples: Tensor) -> Tensor:
        """Return (N, F) in double precision, so that equal samples are at distance 0."""
        return self.describe(samples).double()

    def void(self, view: View, samples: Tensor) -> str:
        """Return why nothing can be said of generated samples; empty when something can."""
        return self.guard.score(samples[:LOOKED_AT], numpy_rng(view, "extractor guard")).void


def choose(data: Dataset, name: Name) -> Name:
    """Return the features for a data set: those named, or the first of the list that apply.

    Raises ValueError when those named don't apply, with those that do.
    """
    applies: dict[Name, bool] = {
        "points": len(data.sample_shape) == 1,
        "taught": bool(scored_factors(data, ())) or has_labels(data),
        "untaught": True,
    }
    fitting: list[Name] = [each for each, fits in applies.items() if fits]
    if name == "auto":
        return fitting[0]
    if not applies[name]:
        raise ValueError(
            f"features {name!r} do not apply to {data.name!r}, which has "
            f"{'images' if name == 'points' else 'neither factors nor labels'}; "
            f"these do: {', '.join(fitting)}"
        )
    return name


def extractor_of(
    view: View, name: Name, *, real: int = REAL, steps: int | None = None
) -> Extractor:
    """Return the extractor of that name, learned from at most `real` samples in `steps` steps.

    It is made once for all measures that ask alike.
    """
    chosen, wanted = choose(view.data, name), steps_for(view, steps)
    make: Mapping[str, Callable[[], Extractor]] = {
        "points": lambda: _plain(view, real),
        "taught": lambda: _taught(view, real, wanted),
        "untaught": lambda: _untaught(view, real),
    }
    key = ("extractor", chosen, real, wanted if chosen == "taught" else 0)
    return view.remember(key, make[chosen])


def real_and_unseen(view: View, count: int, real: int) -> tuple[Tensor, Tensor, str]:
    """Return real samples, as many others that the probe has not seen, and which those are.

    Both are at most `count`. The others are held-out ones where the data set has them; else the
    training samples that the probe does not learn from, which the generator did.
    """
    held_out = view.data.held_out()
    if held_out is not None:
        size = min(count, len(view.data), len(held_out))
        real_ones, others = view.real(size), view.real(size, held_out=True)
        return real_ones.samples, others.samples, "held-out samples"
    seen, unseen = real_split(view, real)
    size = min(count, len(seen.samples), len(unseen.samples))
    return (
        seen.samples[:size],
        unseen.samples[:size],
        "other training samples",
    )


def _plain(view: View, real: int) -> Extractor:
    train, test = real_split(view, real)
    guard = Guard(train.samples, test.samples, _itself)
    return Extractor("points", _itself, guard, "features: the coordinates")


def _taught(view: View, real: int, steps: int) -> Extractor:
    factors = scored_factors(view.data, ())
    learn = partial(judge_of, factors=()) if factors else judge_of_labels
    judge = learn(view, real=real, steps=steps)
    train, _ = real_split(view, real)
    subject = f"the {len(factors)} scored factors" if factors else "the labels"
    return Extractor(
        "taught",
        Standard(judge.probe.features, train.samples[:SPREAD]),
        judge.guard,
        f"features: {_LAYER}taught {subject} of {judge.learned_from:,} training samples in "
        f"{steps:,} steps{_UNITS}",
        {"probe": {name: skill["reliability"] for name, skill in judge.skill.items()}},
    )


def _untaught(view: View, real: int) -> Extractor:
    train, test = real_split(view, real)
    body = body_for(tuple(train.samples.shape[1:]))
    initialise(body, torch.Generator().manual_seed(SEED))
    body.eval()

    def describe(samples: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([body(shrink(part)) for part in samples.split(500)])

    standard = Standard(describe, train.samples[:SPREAD])
    return Extractor(
        "untaught",
        standard,
        Guard(train.samples, test.samples, describe),
        f"features: {_LAYER}with random weights (seed {SEED}){_UNITS}",
    )


def _itself(samples: Tensor) -> Tensor:
    return samples
