"""Codes as measures read them from the generator's side: the values that were put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import Batch, Dataset, Factor, Latent, LatentSpace, View, did_you_mean
from gantk_measures.statistics import Indices, Numbers
from gantk_measures.variables import Kind, Variable

NO_CODE = "no code is inferred; name some in `codes`"
"""Why a measure gives up that looks at inferred codes unless others are named."""
STEPS = 11
"""Values of a traversal, about."""


def members(space: LatentSpace, names: Sequence[str]) -> list[str]:
    """Return the latents that `names` stand for, groups taken apart; ValueError if unknown."""
    return [member for name in names for member in space.group(name)]


def kind_of(latent: Latent) -> Kind:
    """Return whether a latent is a category, a direction or a number."""
    if latent.discrete:
        return "discrete"
    return "circular" if latent.circular else "continuous"


def column_names(code: str, columns: int) -> list[str]:
    """Return a name for each column that is read of a code: `code[0]` and so on if several."""
    return [code] if columns == 1 else [f"{code}[{i}]" for i in range(columns)]


def put_in(space: LatentSpace, codes: Sequence[str], latent: Tensor) -> list[Variable]:
    """Return the true values of codes in the latents (N, W) that were put in.

    A category is its index, a number itself, a direction its angle. A code of several numbers
    gives a variable for each.
    """
    parts = space.split(latent)
    found: list[Variable] = []
    for code in codes:
        kind, columns = kind_of(space[code]), _values(space[code], parts[code]).T
        names = column_names(code, len(columns))
        found += [Variable(name, kind, each) for name, each in zip(names, columns, strict=True)]
    return found


def columns_put_in(space: LatentSpace, names: Sequence[str], latent: Tensor) -> list[Variable]:
    """Return each column of latents in (N, W) as a number, whatever it means.

    It is what the generator gets, and asks nothing of a latent that is noise but that it is drawn.
    """
    parts = space.split(latent.double())
    return [
        Variable(column, "continuous", values.numpy())
        for name in names
        for column, values in zip(
            column_names(name, parts[name].shape[1]), parts[name].T, strict=True
        )
    ]


def _values(latent: Latent, value: Tensor) -> Numbers:
    if latent.discrete:
        return latent.bins(value, 1).double().numpy()
    if latent.circular:
        cosine, sine = value.double().unflatten(1, (-1, 2)).unbind(dim=2)
        return torch.atan2(sine, cosine).numpy()
    return value.double().numpy()


def binned(view: View, codes: Sequence[str], latent: Tensor, count: int = 20) -> dict[str, Indices]:
    """Return the bin (N,), of `count`, of every code for the latents (N, W) that were put in.

    A code of several numbers gives an entry for each, named `code[0]`, `code[1]`, …
    """
    values = view.space.split(latent)
    found: dict[str, Indices] = {}
    for code in codes:
        columns = view.space[code].bins(values[code], count).numpy().astype(np.int64).T
        found |= dict(zip(column_names(code, len(columns)), columns, strict=True))
    return found


def trained_steps(latent: Latent) -> Tensor:
    """Return the values (S, width) of a traversal that training has seen, about 11 of them.

    Every category of a choice. ValueError if there are not two.
    """
    grid = latent.grid(STEPS)
    if not all(grid.trained):  # by custom half of it is, the outer quarters are not
        grid = latent.grid(2 * STEPS - 1)
    values = grid.values[torch.tensor(grid.trained)]
    if len(values) < 2:
        raise ValueError("fewer than two values of its traversal lie in the trained range")
    return values


def factor_place(data: Dataset, name: str) -> int:
    """Return the column of a factor; ValueError with the nearest name if there is none."""
    known = [factor.name for factor in data.factors]
    if name not in known:
        choices = ", ".join(known) or "none"
        raise ValueError(
            f"the data set {data.name!r} has no factor {name!r}; known: {choices}"
            f"{did_you_mean(name, known)}"
        )
    return known.index(name)


def factors_of(batch: Batch, places: Mapping[int, Factor]) -> tuple[Variable, ...]:
    """Return the true values of factors of real samples, each factor given by its column."""
    if batch.factors is None:
        raise ValueError("the samples come without factors")
    values = batch.factors.double().numpy()
    return tuple(Variable(each.name, each.kind, values[:, at]) for at, each in places.items())


def lacking(data: Dataset, factors: Sequence[str], codes: Sequence[str]) -> str:
    """Return why codes can't be held against factors of a data set; empty when they can."""
    if not scored_factors(data, factors if data.factors else []):
        return f"the data set {data.name!r} has no known factors to score"
    return "" if codes else NO_CODE


def scored_factors(data: Dataset, names: Sequence[str]) -> dict[int, Factor]:
    """Return the named factors, or all that are scored, by column."""
    if names:
        return {factor_place(data, name): data.factors[factor_place(data, name)] for name in names}
    return {place: factor for place, factor in enumerate(data.factors) if factor.scored}
