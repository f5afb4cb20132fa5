"""Scores by vote from a labelled bank: what stays still when a factor is held?

Both draw groups of samples that share one value of one factor. FactorVAE (Kim and Mnih 2018) asks
which code varies least within a group; BetaVAE (Higgins et al. 2017) which codes differ least
between pairs. Their data sets render groups on demand; here they are drawn from samples that are
already read, which agrees within 0.02 when every value of a factor has some hundreds of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from gantk_measures.statistics import Indices, Numbers, contingency
from gantk_measures.variables import Variable, still

Name = Literal["gantk", "dlib", "infogan-cr"]


@dataclass(frozen=True)
class Protocol:
    """How a score by vote is taken."""

    images: int
    """Samples that share the value, a vote."""
    votes: int
    """Votes the classifier is fitted to."""
    checks: int
    """Votes it is judged on; 0: those it was fitted to."""
    prune: Literal["relative", "absolute", "never"] = "relative"
    """Which codes count as dead: by their spread beside others, below 0.05, or none."""
    in_turn: bool = False
    """Factors one after another instead of by chance."""
    standardise: bool = True
    """Whether pairs are compared in units of each code's deviation."""


FACTOR_VAE: dict[Name, Protocol] = {
    "gantk": Protocol(64, 10_000, 5_000),
    "dlib": Protocol(64, 10_000, 5_000, prune="absolute"),
    "infogan-cr": Protocol(100, 500, 0, prune="never", in_turn=True),
}
BETA_VAE: dict[Name, Protocol] = {
    "gantk": Protocol(64, 10_000, 5_000),
    "dlib": Protocol(64, 10_000, 5_000, standardise=False),
    "infogan-cr": Protocol(50, 500, 0, standardise=False),
}


class Votes(NamedTuple):
    """A score by vote."""

    right: Numbers
    """(votes,): whether the classifier named the factor of each vote it is judged on."""
    chance: float
    """Share of the commonest factor among them."""
    dead: tuple[str, ...]
    """Codes that had no vote."""

    @property
    def value(self) -> float:
        """The accuracy."""
        return float(self.right.mean())

    @property
    def above_chance(self) -> float:
        """How far the accuracy is from chance to 1."""
        return (self.value - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


class Groups:
    """The samples of each value of each factor, those values with at least `least` samples.

    Raises ValueError when a factor has no such value.
    """

    def __init__(self, factors: Sequence[Variable], least: int, bins: int = 20) -> None:
        self._levels = [factor.levels(bins) for factor in factors]
        self._sizes = [np.bincount(levels) for levels in self._levels]
        self._order = [np.argsort(levels, kind="stable") for levels in self._levels]
        self._common = [
            np.flatnonzero(sizes[levels] >= least)
            for levels, sizes in zip(self._levels, self._sizes, strict=True)
        ]
        for factor, common in zip(factors, self._common, strict=True):
            if not len(common):
                raise ValueError(
                    f"no value of the factor {factor.name!r} has the {least} samples of a vote; "
                    "more samples, or fewer bins"
                )
        self.rare = {
            factor.name: int(((sizes > 0) & (sizes < least)).sum())
            for factor, sizes in zip(factors, self._sizes, strict=True)
            if ((sizes > 0) & (sizes < least)).any()
        }

    @property
    def count(self) -> int:
        """How many factors there are."""
        return len(self._levels)

    def asked(self, count: int, rng: np.random.Generator, *, in_turn: bool = False) -> Indices:
        """Return the factor each vote is about, (count,)."""
        if in_turn:
            return np.arange(count) * self.count // count
        return rng.integers(self.count, size=count)

    def anchors(self, factor: int, shape: tuple[int, ...], rng: np.random.Generator) -> Indices:
        """Return random samples whose value of the factor is not rare."""
        return self._common[factor][rng.integers(len(self._common[factor]), size=shape)]

    def partners(self, factor: int, rows: Indices, rng: np.random.Generator) -> Indices:
        """Return for each sample a random one that shares its value of the factor."""
        levels, sizes = self._levels[factor][rows], self._sizes[factor]
        starts = np.cumsum(sizes) - sizes
        place = (rng.random(rows.shape) * sizes[levels]).astype(np.int64)
        return self._order[factor][starts[levels] + place]


def factor_vae(
    codes: Sequence[Variable],
    groups: Groups,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Votes:
    """Return the FactorVAE score: a vote names the code that varies least, relative to overall.

    The classifier is the commonest factor of each code. With no live code nothing is right.
    """
    dead = _dead(codes, protocol)
    live = [code for code, out in zip(codes, dead, strict=True) if not out]
    count = protocol.votes + protocol.checks
    asked = groups.asked(count, rng, in_turn=protocol.in_turn)
    picked = np.zeros(count, dtype=np.int64)
    for factor in np.unique(asked) if live else []:
        here = np.flatnonzero(asked == factor)
        anchor = groups.anchors(factor, (len(here), 1), rng)
        rows = groups.partners(factor, np.repeat(anchor, protocol.images, axis=1), rng)
        picked[here] = np.stack([_relative(code, rows) for code in live]).argmin(axis=0)
    fitted, judged = _parts(protocol)
    table = contingency(picked[fitted], asked[fitted])
    stands_for = np.append(table.argmax(axis=1), np.full(len(codes), -1))
    right = (stands_for[picked[judged]] == asked[judged]).astype(np.float64)
    return Votes(right if live else right * 0, _commonest(asked[judged]), _names(codes, dead))


def beta_vae(
    codes: Sequence[Variable],
    groups: Groups,
    protocol: Protocol,
    rng: np.random.Generator,
) -> Votes:
    """Return the BetaVAE score: a linear classifier names the factor that pairs share.

    It reads the mean difference of each code over the pairs of a vote. It cannot see that one
    factor is missing from the codes: that one is then named by what moves.
    """
    dead = _dead(codes, protocol)
    live = [code for code, out in zip(codes, dead, strict=True) if not out]
    count = protocol.votes + protocol.checks
    asked = groups.asked(count, rng)
    features = np.zeros((count, len(live)))
    for factor in np.unique(asked) if live else []:
        here = np.flatnonzero(asked == factor)
        rows = groups.anchors(factor, (len(here), protocol.images), rng)
        others = groups.partners(factor, rows, rng)
        gaps = [_difference(code, rows, others, protocol) for code in live]
        features[here] = np.stack(gaps, axis=1)
    fitted, judged = _parts(protocol)
    right = np.full(len(asked[judged]), float(groups.count == 1))
    if live and groups.count > 1:
        model = LogisticRegression(max_iter=1_000).fit(features[fitted], asked[fitted])
        right = (model.predict(features[judged]) == asked[judged]).astype(np.float64)
    return Votes(right, _commonest(asked[judged]), _names(codes, dead))


def _relative(code: Variable, rows: Indices) -> Numbers:
    """Return the spread within each row of `rows` over that of all.

    NaN for a constant code that was not pruned: it takes every vote, as in the code that does not
    prune.
    """
    whole = float(code.spread())
    return code.spread(rows) / whole if whole > 0 else np.full(len(rows), np.nan)


def _difference(code: Variable, rows: Indices, others: Indices, protocol: Protocol) -> Numbers:
    """Return the mean distance of pairs along the last axis."""
    in_units = protocol.standardise and code.kind == "continuous"
    return code.distance(rows, others).mean(axis=-1) / (code.deviation() if in_units else 1.0)


def _dead(codes: Sequence[Variable], protocol: Protocol) -> list[bool]:
    if protocol.prune == "relative":
        return still(codes)
    floor = 0.05 if protocol.prune == "absolute" else -1.0
    return [code.deviation() < floor for code in codes]


def _parts(protocol: Protocol) -> tuple[slice, slice]:
    fitted = slice(protocol.votes)
    return fitted, slice(protocol.votes, None) if protocol.checks else fitted


def _commonest(asked: Indices) -> float:
    return float(np.bincount(asked).max() / len(asked))


def _names(codes: Sequence[Variable], chosen: Sequence[bool]) -> tuple[str, ...]:
    return tuple(code.name for code, out in zip(codes, chosen, strict=True) if out)
