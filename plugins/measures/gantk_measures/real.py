"""What the reader's side compares: codes read off real samples, beside what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from torch import Tensor

from gan_toolkit import Batch, Dataset, Latent, LatentSpace, Matrix, Score, View
from gantk_measures.codes import factor_place, members, scored_factors
from gantk_measures.effort import samples_for
from gantk_measures.statistics import Indices, Numbers
from gantk_measures.variables import Kind, Variable, still

TRAIN, TEST = 10_000, 5_000
"""Most samples that a model is fitted to, and judged on: those of published tables."""
SAMPLES = 20_000
LEAST = 100
"""Fewest samples that are worth a number."""

Style = Literal["heat", "hinton"]


class Unreadable(Exception):
    """There is nothing to compare; the message says why."""


@dataclass(frozen=True)
class Reading:
    """Codes and factors of the same N real samples, in random order."""

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


class KnownFactors:
    """The factors of a data set that codes are held against: the named ones, or all scored."""

    def __init__(self, data: Dataset, names: Sequence[str]) -> None:
        for name in names if data.factors else []:
            factor_place(data, name)
        self._names = names

    def of(self, data: Dataset, batch: Batch) -> list[Variable]:
        """Return their values in a batch; Unreadable if there are none."""
        places = scored_factors(data, self._names if data.factors else [])
        if not places or batch.factors is None:
            raise Unreadable(f"the data set {data.name!r} has no known factors to score")
        values = batch.factors.double().numpy()
        return [Variable(each.name, each.kind, values[:, at]) for at, each in places.items()]


class RealCodes:
    """Which codes to read off how many real samples, held-out ones where the data set has them.

    All measures that ask for as many samples see the same ones.
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: Sequence[str],
        samples: int | None,
        factors: KnownFactors | None = None,
    ) -> None:
        self._codes, self._samples, self._factors = members(latents, codes), samples, factors

    def score(self, view: View, headline: str, of: Callable[[Reading], list[Score]]) -> list[Score]:
        """Return the scores of what is read; they are void if a factor is constant.

        The first one lists dead codes and constant factors. With nothing to compare there is one
        void score, `headline`.
        """
        try:
            reading = self._read(view)
            first, *rest = of(reading)
        except Unreadable as reason:
            return [Score(headline, float("nan"), 0, "", void=str(reason))]
        constant = ", ".join(reading.constant)
        split = "held-out" if view.data.held_out() is not None else "training"
        void = f"constant in these samples: {constant}; leave it out" if constant else ""
        facts = {"dead": [code.name for code in reading.dead], "constant": [*reading.constant]}
        first = replace(first, details={**first.details, **facts})
        return [replace(each, void=each.void or void, split=split) for each in (first, *rest)]

    def _read(self, view: View) -> Reading:
        held_out = view.data.held_out() is not None
        count = samples_for(view, self._samples, SAMPLES)
        batch, raw = view.read_real(count, held_out=held_out)
        if len(batch.samples) < LEAST:
            raise Unreadable(f"only {len(batch.samples)} real samples; at least {LEAST}")
        factors = self._factors.of(view.data, batch) if self._factors else []
        varying, constant = _apart(factors)
        if factors and not varying:
            raise Unreadable(f"no factor varies: {_names(constant)}")
        codes, dead = _apart(self._variables(view, raw))
        if not codes:
            raise Unreadable(f"no code varies over real samples: {_names(dead)}")
        which = "held-out" if held_out else "training"
        return Reading(
            tuple(codes),
            tuple(dead),
            tuple(varying),
            tuple(factor.name for factor in constant),
            f"q(c|x) on {len(batch.samples)} real {which} samples",
        )

    def _variables(self, view: View, raw: Mapping[str, Tensor]) -> list[Variable]:
        if not view.inferable:
            raise Unreadable("no code is inferred")
        chosen = self._codes or list(view.inferable)
        if silent := [code for code in chosen if code not in view.inferable]:
            raise Unreadable(f"not inferred: {', '.join(silent)}")
        return [
            variable
            for code in chosen
            for variable in variables_of(code, view.space[code], raw[code])
        ]


def variables_of(name: str, latent: Latent, raw: Tensor) -> list[Variable]:
    """Return what raw outputs (N, posterior_width) say of a code, a variable per column.

    Columns of a code of several numbers are named `code[0]`, `code[1]`, …; Unreadable if any raw
    output is not finite.
    """
    broken = int((~raw.isfinite().all(dim=1)).sum())
    if broken:
        raise Unreadable(f"what is read of {name} is not finite for {broken} of {len(raw)}")
    columns = latent.estimate(raw).double().numpy().T
    if len(columns) > 1:
        kind = _kind(latent, len(columns))
        return [Variable(f"{name}[{i}]", kind, column) for i, column in enumerate(columns)]
    chances = latent.posterior(raw).mean.double().numpy() if latent.discrete else None
    return [Variable(name, _kind(latent, 1), columns[0], chances)]


def _kind(latent: Latent, columns: int) -> Kind:
    """Tell categories, directions and numbers apart.

    A number goes into the generator as it is; a direction as (cos, sin), so that the latent is
    twice as wide as what is read of it.
    """
    if latent.discrete:
        return "discrete"
    return "circular" if latent.width == 2 * columns else "continuous"


def _apart(variables: Sequence[Variable]) -> tuple[list[Variable], list[Variable]]:
    """Return those that vary and those that do not."""
    flat = still(variables)
    return (
        [variable for variable, out in zip(variables, flat, strict=True) if not out],
        [variable for variable, out in zip(variables, flat, strict=True) if out],
    )


def _names(variables: Sequence[Variable]) -> str:
    return ", ".join(variable.name for variable in variables)
