"""What two codes have in common, whatever their kinds: N samples, A and B codes.

A code is a block of columns: the ranks of a number, a column per level of a category, (cos, sin)
of a direction. The association of two blocks is the root of their mean squared canonical
correlation, over as many as the smaller block has. That is |Spearman| between two numbers,
Cramér's V between two categories (1 whenever the one is the other renamed), the correlation ratio
of the ranks between a number and a category, and the coefficient of Jupp and Mardia (1980)
between two directions, which no rotation and no mirror changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import Lasso

from gantk_measures.statistics import Numbers
from gantk_measures.variables import Variable, standardised

NEGLIGIBLE = 1e-9
"""Share of the longest direction of a block up to which another one is rounding."""


def basis(code: Variable) -> Numbers:
    """Return an orthonormal basis (N, C) of a code's block, its mean taken off."""
    ranked = rankdata(code.values)[:, None] if code.kind == "continuous" else _block(code)
    directions, lengths, _ = np.linalg.svd(ranked - ranked.mean(axis=0), full_matrices=False)
    return directions[:, lengths > NEGLIGIBLE * lengths[0]]


def associations(rows: Sequence[Numbers], columns: Sequence[Numbers]) -> Numbers:
    """Return the association (A, B), in [0, 1], of codes that are given by their bases."""
    return np.array([[_association(row, column) for column in columns] for row in rows])


def _association(one: Numbers, other: Numbers) -> float:
    shared = np.linalg.norm(one.T @ other) ** 2 / min(one.shape[1], other.shape[1])
    return float(np.sqrt(min(shared, 1.0)))


def coefficients(codes: Sequence[Variable], targets: Sequence[Variable], alpha: float) -> Numbers:
    """Return how much of each code (A) a sparse linear model takes to predict each target (B).

    Lasso, |t - X w|^2 / 2N + `alpha` |w|_1, from the standardised columns of all codes to each
    standardised column of a target: the length of the coefficients of a code's columns, mean over
    the target's columns. A code that is the target gets 1 - `alpha`.
    """
    given = [_standardised(_block(code)) for code in codes]
    ends = np.cumsum([block.shape[1] for block in given])[:-1]
    together = np.concatenate(given, axis=1)
    gram = together.T @ together
    found = []
    for target in targets:
        model = Lasso(alpha=alpha, precompute=gram).fit(together, _standardised(_block(target)))
        weights = np.atleast_2d(model.coef_)
        parts = np.split(weights, ends, axis=1)
        found.append([float(np.linalg.norm(part, axis=1).mean()) for part in parts])
    return np.array(found).T


def _block(code: Variable) -> Numbers:
    return code.columns(soft=False)


def _standardised(block: Numbers) -> Numbers:
    return np.stack([standardised(column) for column in block.T], axis=1)
