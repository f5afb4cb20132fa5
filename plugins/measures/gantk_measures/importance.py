"""Disentanglement, completeness, informativeness (Eastwood and Williams 2018).

`importance` is (J, K): how much a model that predicts factor k from all codes uses code j. The
values of different regressors are not comparable: name the one that was used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
)

from gantk_measures.statistics import Indices, Numbers
from gantk_measures.variables import Variable

Regressor = Literal["gradient_boosting", "extra_trees"]
_MODELS = {
    "gradient_boosting": (GradientBoostingClassifier, GradientBoostingRegressor),
    "extra_trees": (ExtraTreesClassifier, ExtraTreesRegressor),
}


def disentanglement(importance: Numbers) -> float:
    """Return D: is each code used for one factor only? 1 is best; NaN with a single factor.

    Sum over codes of share_j (1 - H_K(row j)), entropies to base K. A code that nothing uses has
    share 0. All zeros give 0.
    """
    return _concentration(importance)


def completeness(importance: Numbers) -> float:
    """Return C: does each factor use one code only? 1 is best; NaN with a single code.

    The same of columns, to base J: it depends on how many codes there are. Weighted by how much
    each factor uses in all, where some implementations take the plain mean.
    """
    return _concentration(importance.T)


def _concentration(importance: Numbers) -> float:
    rows, width = importance.sum(axis=1), importance.shape[1]
    if width < 2:
        return float("nan")
    if rows.sum() <= 0:
        return 0.0
    used = rows > 0
    shares = importance[used] / rows[used, None]
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    order = 1 + (shares * logs).sum(axis=1) / np.log(width)
    return float(rows[used] @ order / rows.sum())


def sum_blocks(importance: Numbers, widths: Sequence[int]) -> Numbers:
    """Return (J, ...) from the importances of columns (sum of widths, ...).

    The columns of one categorical code belong together: taken apart, ten equal ones would have
    completeness 0.
    """
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    return np.add.reduceat(importance, starts, axis=0)


class Fitted(NamedTuple):
    """What models of the factors use, and how well they predict samples they have not seen."""

    importance: Numbers
    """(J, K)"""
    quality: Numbers
    """(K,): accuracy of a discrete factor, R2 of others."""
    chance: Numbers
    """(K,): the same of a model that knows no code."""

    @property
    def skill(self) -> Numbers:
        """How far each quality is from chance to 1, at least 0, (K,)."""
        room = 1 - self.chance
        found = np.divide(self.quality - self.chance, room, np.zeros(len(room)), where=room > 0)
        return np.maximum(found, 0)


def fit(
    codes: Sequence[Variable],
    factors: Sequence[Variable],
    regressor: Regressor,
    train: Indices,
    test: Indices,
    seed: int,
    trees: int,
) -> Fitted:
    """Fit one model of so many trees per factor to the rows `train`; judge it on `test`."""
    parts = [code.columns() for code in codes]
    columns, widths = np.concatenate(parts, axis=1), [part.shape[1] for part in parts]
    found = [_of_factor(columns, factor, regressor, train, test, seed, trees) for factor in factors]
    return Fitted(
        sum_blocks(np.stack([each[0] for each in found], axis=1), widths),
        np.array([each[1] for each in found]),
        np.array([each[2] for each in found]),
    )


def _of_factor(
    columns: Numbers,
    factor: Variable,
    regressor: Regressor,
    train: Indices,
    test: Indices,
    seed: int,
    trees: int,
) -> tuple[Numbers, float, float]:
    """Return importances (C,), quality and chance."""
    make = partial(_model, regressor, trees, seed)
    if factor.kind == "discrete":
        levels = factor.levels()
        commonest = np.bincount(levels[train]).argmax()
        chance = float((levels[test] == commonest).mean())
        if len(np.unique(levels[train])) < 2:
            return np.zeros(columns.shape[1]), chance, chance
        model = make(classify=True).fit(columns[train], levels[train])
        quality = float(model.score(columns[test], levels[test]))
        return model.feature_importances_, quality, chance
    targets = factor.targets()
    models = [make(classify=False).fit(columns[train], target) for target in targets[train].T]
    predicted = np.stack([model.predict(columns[test]) for model in models], axis=1)
    lost = ((targets[test] - predicted) ** 2).sum()
    whole = ((targets[test] - targets[test].mean(axis=0)) ** 2).sum()
    importance = np.mean([model.feature_importances_ for model in models], axis=0)
    return importance, float(1 - lost / whole), 0.0


def _model(regressor: Regressor, trees: int, seed: int, *, classify: bool) -> ExtraTreesRegressor:
    model = _MODELS[regressor][0 if classify else 1]
    return model(n_estimators=trees, random_state=seed)
