"""Codes as measures read them from the generator's side: the bin each input value lies in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from gan_toolkit import Dataset, Factor, LatentSpace, View, did_you_mean
from gantk_measures.statistics import Indices


def members(space: LatentSpace, names: Sequence[str]) -> list[str]:
    """Return the latents that `names` stand for, groups taken apart; ValueError if unknown."""
    return [member for name in names for member in space.group(name)]


def binned(view: View, codes: Sequence[str], latent: Tensor, count: int = 20) -> dict[str, Indices]:
    """Return the bin (N,), of `count`, of every code for the latents (N, W) that were put in.

    A code of several numbers gives an entry for each, named `code[0]`, `code[1]`, …
    """
    values = view.space.split(latent)
    found: dict[str, Indices] = {}
    for code in codes:
        columns = view.space[code].bins(values[code], count).numpy().astype(np.int64).T
        names = [code] if len(columns) == 1 else [f"{code}[{i}]" for i in range(len(columns))]
        found |= dict(zip(names, columns, strict=True))
    return found


def factor_place(data: Dataset, name: str) -> int:
    """Return the column of a factor; ValueError with the nearest name if there is none."""
    known = [factor.name for factor in data.factors]
    if name not in known:
        raise ValueError(
            f"the data set {data.name!r} has no factor {name!r}; known: {', '.join(known)}"
            f"{did_you_mean(name, known)}"
        )
    return known.index(name)


def scored_factors(data: Dataset, names: Sequence[str]) -> dict[int, Factor]:
    """Return the named factors, or all that are scored, by column."""
    if names:
        return {factor_place(data, name): data.factors[factor_place(data, name)] for name in names}
    return {place: factor for place, factor in enumerate(data.factors) if factor.scored}
