"""Path length: how fast samples change along the way from one draw of a latent to another.

PPL (Karras et al. 2019, "A style-based generator architecture"), equation 2:
E[d(G(at t), G(at t + e)) / e^2], t even on [0, 1]. Their d is a perceptual distance whose weights
are not to be had here; ours is named in the estimator and is not comparable with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures.codes import members, scored_factors
from gantk_measures.effort import samples_for
from gantk_measures.guard import Standard
from gantk_measures.judge import REAL, Judge, judge_of, judge_of_labels
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Numbers, bootstrap_mean, numpy_rng

Distance = Literal["pixels", "features"]

PATHS = 2_000
STEP = 1e-4
"""As published; in single precision 0.05 % off for a small network, at a tenth of it 0.4 %."""
TRIMMED = 1.0
"""Percent of the paths that are left out at either end."""
DISTANCES = {
    "pixels": "squared L2 distance of samples",
    "features": "squared L2 distance of the last layer of a probe that learned the {} from {} real "
    "samples, in units of its deviations over them",
}
ESTIMATOR = (
    "mean over {} paths of the {}, over the squared step of {:g} of the way between two draws of "
    "{}; each goes the way it has (numbers straight, directions by the shorter arc, normal noise "
    "by the great circle), all else is held; outside of 1 to 99 % left out; 95 % interval from 100 "
    "bootstrap resamples of the mean"
)


class PathLength(Measure):
    """Squared speed of samples while one latent goes from one draw to another, all else held.

    Categories are held: between two of them there is nothing that training has seen. Compare values
    of one distance and one data set only; a low one is smooth, or dead (`activeness`).
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: list[str],
        samples: int | None = None,
        distance: Distance = "pixels",
        real: int = REAL,
        steps: int | None = None,
    ) -> None:
        self._codes, self._samples = members(latents, codes), samples
        self._distance, self._real, self._steps = distance, real, steps
        if choices := [code for code in self._codes if latents[code].discrete]:
            raise ValueError(f"nothing lies between categories: {', '.join(choices)}")

    def measure(self, view: View) -> list[Score]:
        """Return `total`, all that is no category going at once, and one score for each of it."""
        names = self._codes or [name for name in view.space if not view.space[name].discrete]
        if not names:
            return [nothing("total", "all latents are categories, and nothing lies between them")]
        judge = self._judge(view) if self._distance == "features" else None
        if judge is None and self._distance == "features":
            return [
                nothing("total", f"the data set {view.data.name!r} has neither factors nor labels")
            ]
        describe, distance = _described(view, judge)
        moved = {"total": names} | {name: [name] for name in names}
        return [
            self._of_latents(view, score, latents, describe, distance)
            for score, latents in moved.items()
        ]

    def _judge(self, view: View) -> Judge | None:
        if scored_factors(view.data, []):
            return judge_of(view, [], real=self._real, steps=self._steps)
        if view.real(1).labels is not None:
            return judge_of_labels(view, real=self._real, steps=self._steps)
        return None

    def _of_latents(
        self,
        view: View,
        name: str,
        latents: Sequence[str],
        describe: Callable[[Tensor], Tensor],
        distance: str,
    ) -> Score:
        count = samples_for(view, self._samples, PATHS)
        rng = view.rng(f"path length {name}")
        first, second = view.space.sample(count, rng), view.space.sample(count, rng)
        places = torch.rand(count, 1, generator=rng) + torch.tensor([0.0, STEP])
        way = on_the_way(view.space, latents, first, second, places)
        start, end = (describe(view.generate(latent)) for latent in way.unbind(dim=1))
        lengths = path_lengths(start, end, STEP)
        finite = bool(np.isfinite(lengths).all())
        kept = trimmed(lengths) if finite else lengths
        low, high = bootstrap_mean(kept, numpy_rng(view, f"path length {name}"))
        moved = "these latents" if name == "total" else "the latent"
        return Score(
            name=name,
            value=float(kept.mean()),
            count=count,
            estimator=ESTIMATOR.format(count, distance, STEP, moved),
            low=low if finite else None,
            high=high if finite else None,
            void="" if finite else "samples are not finite",
            details={
                "latents": list(latents),
                "untrimmed": float(lengths.mean()),
                "median": float(np.median(lengths)),
            },
        )


def path_lengths(first: Tensor, second: Tensor, step: float) -> Numbers:
    """Return the squared distance of pairs (N, …), over the squared step between them, (N,)."""
    apart = (second.double() - first.double()).flatten(1)
    return (apart.square().sum(dim=1) / step**2).numpy()


def trimmed(lengths: Numbers) -> Numbers:
    """Return the lengths between the 1st and the 99th percentile."""
    low, high = np.percentile(lengths, [TRIMMED, 100 - TRIMMED])
    return lengths[(lengths >= low) & (lengths <= high)]


def on_the_way(
    space: LatentSpace, names: Sequence[str], first: Tensor, last: Tensor, shares: Tensor
) -> Tensor:
    """Return latents (N, n, W) like the first (N, W), the named ones `shares` of the way on.

    `shares` (N, n) of the way to the last (N, W), which each latent knows (`Latent.between`).
    """
    found = first[:, None].repeat(1, shares.shape[1], 1)
    for name in names:
        columns = space.columns(name)
        way = space[name].between(first[:, columns], last[:, columns], shares)
        found[:, :, columns] = way
    return found


def _described(view: View, judge: Judge | None) -> tuple[Callable[[Tensor], Tensor], str]:
    """Return what distances are taken of, and how the distance is called."""
    if judge is None:
        return (lambda samples: samples), DISTANCES["pixels"]
    learned = ", ".join(judge.probe.heads)
    describe = Standard(judge.probe.features, view.real(judge.learned_from).samples)
    return describe, DISTANCES["features"].format(learned, judge.learned_from)
