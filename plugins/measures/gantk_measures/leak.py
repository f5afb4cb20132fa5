"""Leak: whether the noise carries factors that ought to be in a code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gan_toolkit import Score
from gantk_measures import importance
from gantk_measures.linear import predicts
from gantk_measures.statistics import Indices
from gantk_measures.variables import Variable

FITTED = 3_000
"""Most samples the models are fitted to: trees of wide noise are slow."""
ESTIMATOR = (
    "how well the noise predicts the factor: {}, by the better of a linear model and extra trees "
    "({} of them), fitted to {} samples and judged on {} others; chance: a model that knows nothing"
)


def leaks(
    noise: Sequence[Variable],
    factors: Sequence[Variable],
    train: Indices,
    test: Indices,
    seed: int,
    trees: int,
) -> list[Score]:
    """Return `leak/<factor>` for every factor: accuracy of a discrete one, R2 of others.

    `noise` are the columns that the generator gets, as numbers.

    The linear model finds what is spread over many columns, the trees what bends; either alone
    overlooks the other. R2 of noise that knows nothing is a little below 0.
    """
    train = train[:FITTED]
    columns = np.concatenate([each.columns() for each in noise], axis=1)
    by_trees = importance.fit(noise, factors, "extra_trees", train, test, seed, trees)
    scores = []
    for place, factor in enumerate(factors):
        linear = predicts(columns, factor, train, test)
        bent = float(by_trees.quality[place])
        kind = "accuracy" if factor.kind == "discrete" else "R2"
        scores.append(
            Score(
                name=f"leak/{factor.name}",
                value=max(linear, bent),
                count=len(train) + len(test),
                estimator=ESTIMATOR.format(kind, trees, len(train), len(test)),
                chance=float(by_trees.chance[place]),
                ceiling=1.0,
                details={"linear": linear, "extra_trees": bent},
            )
        )
    return scores
