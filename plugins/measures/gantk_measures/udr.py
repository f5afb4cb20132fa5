"""UDR (Duan et al. 2019): do runs that learn apart arrive at the same codes?

Codes that mean something are found again by other seeds, up to order and sign; mixtures of them
differ from seed to seed. No label is needed. Runs that share a mistake agree on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import numpy as np
from torch import Tensor

from gan_toolkit import Comparison, Latent, Score, View
from gantk_measures.association import associations, basis, coefficients
from gantk_measures.models import udr, udr_pair
from gantk_measures.reading import Reading, Unreadable
from gantk_measures.real import RealCodes, variables_of
from gantk_measures.several import LEAST, by_run, compared
from gantk_measures.statistics import Numbers, numpy_rng
from gantk_measures.variables import Variable

T = TypeVar("T")

ALPHA = 0.1
"""Penalty of the sparse model (Duan et al. 2019)."""

RANKS = (
    "root mean squared canonical correlation: |Spearman| between numbers, Cramér's V between "
    "categories, correlation ratio of the ranks between the two, (cos, sin) of directions"
)


@dataclass(frozen=True)
class Alive:
    """The codes of one run that say something of N real samples."""

    codes: tuple[Variable, ...]
    dead: tuple[str, ...]
    """Names of the others."""
    source: str
    """How they were read."""

    @property
    def count(self) -> int:
        """N."""
        return len(self.codes[0].values)

    def shuffled(self, rng: np.random.Generator) -> Alive:
        """Return the same codes of the same samples in another order."""
        order = rng.permutation(self.count)
        return replace(self, codes=tuple(code.taken(order) for code in self.codes))


class Udr(Comparison):
    """Median over the other runs of how far the codes of two runs are each other's."""

    least = LEAST

    def __init__(
        self,
        samples: int | None = None,
        similarity: Literal["spearman", "lasso"] = "spearman",
        alpha: float | None = None,
        alive: float = 0.01,
    ) -> None:
        self._samples, self._similarity = samples, similarity
        self._alpha, self._alive = alpha or ALPHA, alive

    def compare(self, views: Sequence[View]) -> list[list[Score]]:
        """Return `udr` of each run, in [0, 1]."""
        rng = numpy_rng(views[0], "udr")
        return compared(views, "udr", self._read, lambda runs: self._scores(runs, rng))

    def _read(self, view: View) -> Alive:
        reading = RealCodes(view.space, [], self._samples).read(view)
        said = informative(view, reading)
        codes = tuple(code for code in reading.codes if said[code.name] >= self._alive)
        if not codes:
            raise Unreadable(f"no code says {self._alive:g} nats of a real sample")
        live = {code.name for code in codes}
        every = [code.name for code in (*reading.codes, *reading.dead)]
        return Alive(codes, tuple(name for name in every if name not in live), reading.source)

    def _scores(self, runs: Mapping[int, Alive], rng: np.random.Generator) -> dict[int, Score]:
        pairs = self._pairs([*runs.values()])
        chance = udr(self._pairs([run.shuffled(rng) for run in runs.values()]))
        return {
            place: Score(
                "udr",
                float(value),
                run.count,
                self._estimator(run.source),
                chance=float(by_chance),
                ceiling=1.0,
                details={
                    "with": by_run(dict(zip(runs, row, strict=True)), place),
                    "live": [code.name for code in run.codes],
                    "dead": list(run.dead),
                },
            )
            for (place, run), value, by_chance, row in zip(
                runs.items(), udr(pairs), chance, pairs.tolist(), strict=True
            )
        }

    def _pairs(self, runs: Sequence[Alive]) -> Numbers:
        """Return `udr_pair` of each two runs, (M, M); the diagonal is not read."""
        if self._similarity == "lasso":
            return _each_two(
                [run.codes for run in runs],
                lambda one, other: coefficients(one, other, self._alpha),
            )
        return _each_two([[basis(code) for code in run.codes] for run in runs], associations)

    def _estimator(self, source: str) -> str:
        what = f"|Lasso coefficients|, alpha {self._alpha:g}"
        return (
            "median over the other runs of UDR_ij, half the mean over the codes of i, plus half "
            "that over the codes of j, of largest R^2 / sum R; R: "
            f"{what if self._similarity == 'lasso' else RANKS}; codes whose posterior is less than "
            f"{self._alive:g} nats from its mean left out; {source}, the same for all runs; "
            "chance: samples of each run in an order of its own"
        )


def informative(view: View, reading: Reading) -> dict[str, float]:
    """Return what each code that varies says of a real sample, by name, in nats.

    The mean KL of q(c|x) to its own mean over samples: H(mean) - mean H of a category, log(1 +
    variance of the mean / mean variance) / 2 of a number, as if all were normal. Infinite where the
    posterior has no variance to be asked for: such a code counts as soon as it varies.
    """
    held_out = view.data.held_out() is not None
    _, raw = view.read_real(reading.count, held_out=held_out)
    found: dict[str, float] = {}
    for code in view.inferable:
        latent = view.space[code]
        variables = variables_of(code, latent, raw[code])
        for place, variable in enumerate(variables):
            found[variable.name] = _information(variable, latent, raw[code], place)
    return found


def _information(code: Variable, latent: Latent, raw: Tensor, place: int) -> float:
    if code.probabilities is not None:
        return _entropy(code.probabilities.mean(axis=0)) - _entropy(code.probabilities)
    if code.kind != "continuous":
        return float("inf")
    try:
        noise = float(latent.posterior(raw).variance[:, place].double().mean())
    except NotImplementedError:
        return float("inf")
    return float(np.log1p(code.values.var() / noise) / 2) if noise > 0 else float("inf")


def _entropy(shares: Numbers) -> float:
    """Return the entropy of shares along the last axis, mean over all others, in nats."""
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return float(-(shares * logs).sum(axis=-1).mean())


def _each_two(runs: Sequence[T], similarity: Callable[[T, T], Numbers]) -> Numbers:
    return np.array([[udr_pair(similarity(one, other)) for other in runs] for one in runs])
