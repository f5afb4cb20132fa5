"""ModelCentrality (Lin et al. 2020): can the other runs read what this one makes, and it theirs?

A run whose codes mean what they mean elsewhere is near the centre. No label is needed, and no real
sample: the factors are the codes that were put in. Between M runs M (M - 1) readings are made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gan_toolkit import Comparison, Score, View
from gantk_measures.codes import binned
from gantk_measures.effort import samples_for
from gantk_measures.factor_vae import describe
from gantk_measures.models import model_centrality
from gantk_measures.reading import Unreadable
from gantk_measures.real import variables_of
from gantk_measures.several import LEAST, by_run, compared
from gantk_measures.statistics import bootstrap_mean, numpy_rng
from gantk_measures.variables import Variable
from gantk_measures.votes import Groups, Protocol, Votes, factor_vae

SAMPLES = 5_000
PURPOSE = "model_centrality"


@dataclass(frozen=True)
class Player:
    """One run: the latents (N, W) it is asked to show, and which of them share a code."""

    view: View
    latent: Tensor
    held: Groups

    def read(self, samples: Tensor) -> list[Variable]:
        """Return what this run's reader makes of anybody's samples."""
        raw = self.view.infer(samples)
        names = self.view.inferable
        return [v for name in names for v in variables_of(name, self.view.space[name], raw[name])]


class ModelCentrality(Comparison):
    """Mean FactorVAE score of a run's reader on the samples of others, and of theirs on its own."""

    least = LEAST

    def __init__(
        self, samples: int | None = None, images: int = 64, votes: int = 1_000, bins: int = 10
    ) -> None:
        self._samples, self._bins = samples, bins
        self._protocol = Protocol(images, votes, votes // 2)

    def compare(self, views: Sequence[View]) -> list[list[Score]]:
        """Return `centrality` of each run, in [0, 1]; the largest is the most central."""
        return compared(views, "centrality", self._player, self._scores)

    def _player(self, view: View) -> Player:
        if not view.inferable:
            raise Unreadable("no code is inferred")
        count = samples_for(view, self._samples, SAMPLES)
        latent = view.space.sample(count, view.rng(PURPOSE))
        factors = [
            Variable(name, "discrete", index.astype(np.float64))
            for name, index in binned(view, view.inferable, latent, self._bins).items()
        ]
        if len(factors) < 2:
            raise Unreadable("with one code every vote is right")
        try:
            return Player(view, latent, Groups(factors, self._protocol.images))
        except ValueError as reason:
            raise Unreadable(str(reason)) from reason

    def _scores(self, runs: Mapping[int, Player]) -> dict[int, Score]:
        votes = self._votes(runs)
        agreement = [[self._value(votes, i, j) for j in runs] for i in runs]
        central = model_centrality(np.array(agreement))
        return {
            place: self._score(runs, votes, place, float(value))
            for place, value in zip(runs, central, strict=True)
        }

    def _votes(self, runs: Mapping[int, Player]) -> dict[tuple[int, int], Votes]:
        """Return the votes of reader i on the samples of j, which are held one run at a time."""
        found = {}
        for j, maker in runs.items():
            samples = maker.view.generate(maker.latent)
            for i in [place for place in runs if place != j]:
                rng = numpy_rng(maker.view, f"{PURPOSE} {i} {j}")
                found[i, j] = factor_vae(runs[i].read(samples), maker.held, self._protocol, rng)
        return found

    @staticmethod
    def _value(votes: Mapping[tuple[int, int], Votes], i: int, j: int) -> float:
        return float("nan") if i == j else votes[i, j].value

    def _score(
        self,
        runs: Mapping[int, Player],
        votes: Mapping[tuple[int, int], Votes],
        place: int,
        value: float,
    ) -> Score:
        reads = {other: votes[place, other] for other in runs if other != place}
        is_read = {other: votes[other, place] for other in runs if other != place}
        both = [*reads.values(), *is_read.values()]
        right = np.concatenate([each.right for each in both])
        low, high = bootstrap_mean(right, numpy_rng(runs[place].view, f"{PURPOSE} interval"))
        return Score(
            "centrality",
            value,
            len(runs[place].latent),
            self._estimator(),
            low=low,
            high=high,
            chance=float(np.mean([each.chance for each in both])),
            ceiling=1.0,
            details={
                "reads": by_run({other: each.value for other, each in reads.items()}, place),
                "is_read": by_run({other: each.value for other, each in is_read.items()}, place),
            },
        )

    def _estimator(self) -> str:
        return (
            "mean over the other runs of the FactorVAE score of this run's reader on samples of "
            "the other, whose codes are the factors, and of the other's on samples of this one; "
            f"{describe(self._protocol)}; codes that are numbers or angles held within one of "
            f"{self._bins} equally probable bins; 95 % interval from 100 bootstrap resamples of "
            "the votes"
        )
