"""A reading: codes and factors of the same samples, side by side, whoever read them.

On the reader's side the codes are read off real samples and the factors are known (`real`); on the
generator's side the codes are known and the factors are read off its samples (`controllability`).
What compares them is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gan_toolkit import Matrix, Score
from gantk_measures.statistics import Indices, Numbers
from gantk_measures.variables import Variable, still

Style = Literal["heat", "hinton"]

TRAIN, TEST = 10_000, 5_000
"""Most samples that a model is fitted to, and judged on: those of published tables."""
LEAST = 100
"""Fewest samples that are worth a number."""


class Unreadable(Exception):
    """There is nothing to compare; the message says why."""


@dataclass(frozen=True)
class Reading:
    """Codes and factors of the same N samples, in random order."""

    codes: tuple[Variable, ...]
    """Those that vary."""
    dead: tuple[Variable, ...]
    """Those that do not."""
    factors: tuple[Variable, ...]
    """Those that vary."""
    constant: tuple[str, ...]
    """Factors that were asked for and do not vary."""
    source: str
    """How the codes were read, for estimator texts."""

    @property
    def unusual(self) -> tuple[str, ...]:
        """Codes that are no numbers and factors that are no categories: not in published tables."""
        kinds = (self.codes, "continuous"), (self.factors, "discrete")
        return tuple(each.name for part, usual in kinds for each in part if each.kind != usual)

    @property
    def count(self) -> int:
        """N."""
        return len(self.codes[0].values)

    def matrix(self, values: Numbers, what: str, style: Style = "heat") -> Matrix:
        """Return what is found of every pair, (J, K) from 0 to 1, by name of code and factor."""
        codes = [code.name for code in self.codes]
        factors = [factor.name for factor in self.factors]
        return Matrix(codes, factors, values.tolist(), f"{what}, code by factor", style, 1.0)

    def halves(self) -> tuple[Indices, Indices]:
        """Return rows to fit to, two of three, and rows to judge on; see TRAIN and TEST."""
        cut = min(TRAIN, self.count * 2 // 3)
        rows = np.arange(self.count, dtype=np.int64)
        return rows[:cut], rows[cut : cut + TEST]

    def listed(self, first: Score, *rest: Score) -> list[Score]:
        """Return scores of it, of which the first lists what does not vary.

        They are void if a factor is constant: its part of a mean would be 0 / 0.
        """
        constant = ", ".join(self.constant)
        void = f"constant in these samples: {constant}; leave it out" if constant else ""
        facts = {"dead": [code.name for code in self.dead], "constant": [*self.constant]}
        first = replace(first, details={**first.details, **facts})
        return [replace(each, void=each.void or void) for each in (first, *rest)]


def reading_of(
    codes: Sequence[Variable], factors: Sequence[Variable], source: str, *, where: str
) -> Reading:
    """Return what is to be compared; Unreadable when no code, or no factor of some, varies.

    `source` goes into estimator texts, `where` says over which samples codes do not vary.
    """
    varying, constant = _apart(factors)
    if factors and not varying:
        raise Unreadable(f"no factor varies: {_names(constant)}")
    live, dead = _apart(codes)
    if not live:
        raise Unreadable(f"no code varies over {where}: {_names(dead)}")
    names = tuple(factor.name for factor in constant)
    return Reading(tuple(live), tuple(dead), tuple(varying), names, source)


def _apart(variables: Sequence[Variable]) -> tuple[list[Variable], list[Variable]]:
    """Return those that vary and those that do not."""
    flat = still(variables)
    return (
        [variable for variable, out in zip(variables, flat, strict=True) if not out],
        [variable for variable, out in zip(variables, flat, strict=True) if out],
    )


def _names(variables: Sequence[Variable]) -> str:
    return ", ".join(variable.name for variable in variables)
