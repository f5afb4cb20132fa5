"""What linear models can read: SAP, explicitness, InfoE.

They ask whether a factor is easy to read, not whether it is alone in one code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.utils.class_weight import compute_sample_weight

from gantk_measures.statistics import Indices, Numbers
from gantk_measures.variables import Variable

ITERATIONS = 1_000


def r_squared(columns: Numbers, targets: Numbers) -> float:
    """Return the share of the variance of `targets` (N, T) that a linear fit on (N, C) explains."""
    return _explained(columns, targets, _least_squares(columns, targets))


def sap(codes: Sequence[Variable], factors: Sequence[Variable]) -> Numbers:
    """Return the gap of each factor, (K,): R2 of the best code minus R2 of the second.

    Kumar et al. 2018, with R2 for every factor. The usual classifier of one number cannot name a
    value between two others: a perfect code of four values gets 0.5. A discrete factor enters by
    its index, so that the order of its values is taken at its word.
    """
    found = [[r_squared(code.columns(), factor.targets()) for code in codes] for factor in factors]
    ordered = np.sort(np.pad(np.array(found), ((0, 0), (2, 0))), axis=1)
    return ordered[:, -1] - ordered[:, -2]


class Explicit(NamedTuple):
    """How well the values of a factor can be told apart."""

    value: float
    """Mean area under the curve over values; 0.5 is chance, NaN when no value could be judged."""
    missing: tuple[int, ...]
    """Levels that only one part of the samples has, or that nothing else stands against."""


def explicitness(columns: Numbers, levels: Indices, train: Indices, test: Indices) -> Explicit:
    """Return the mean one-vs-rest area under the ROC curve of a logistic regression, held out.

    Ridgeway and Mozer 2018. `columns` (N, C) are all codes, `levels` (N,) one factor.
    """
    known = np.unique(levels[train])
    if len(known) < 2:
        return Explicit(float("nan"), tuple(np.unique(levels).tolist()))
    model = LogisticRegression(max_iter=ITERATIONS).fit(columns[train], levels[train])
    given = model.predict_proba(columns[test])
    areas, missing = [], set(np.unique(levels).tolist()) - set(known.tolist())
    for level, ranks in zip(known.tolist(), given.T, strict=True):
        here = levels[test] == level
        if here.any() and not here.all():
            areas.append(float(roc_auc_score(here, ranks)))
        else:
            missing.add(level)
    return Explicit(float(np.mean(areas)) if areas else float("nan"), tuple(sorted(missing)))


def infoe(columns: Numbers, factor: Variable, train: Indices, test: Indices) -> float:
    """Return the share of a factor's uncertainty that an unpenalised linear model takes away.

    Hsu et al. 2023, but on samples the model has not seen; below 0 it misleads. A discrete factor:
    1 - cross-entropy of a logistic regression / log(values), each value weighing the same. Others:
    R2 of least squares. Values that are missing from the rows `train` are not asked for.
    """
    if factor.kind != "discrete":
        targets = factor.targets()
        model = _least_squares(columns[train], targets[train])
        return _explained(columns[test], targets[test], model)
    levels = factor.levels()
    known = np.unique(levels[train])
    asked = test[np.isin(levels[test], known)]
    if len(known) < 2 or not len(asked):
        return float("nan")
    model = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=ITERATIONS)
    model.fit(columns[train], levels[train])
    weights = compute_sample_weight("balanced", levels[asked])
    given = model.predict_proba(columns[asked])
    lost = log_loss(levels[asked], given, sample_weight=weights, labels=known)
    return float(1 - lost / np.log(len(known)))


def predicts(columns: Numbers, factor: Variable, train: Indices, test: Indices) -> float:
    """Return how well a linear model predicts a factor: accuracy of a discrete one, R2 of others.

    Fitted to the rows `train`, judged on `test`.
    """
    if factor.kind != "discrete":
        targets = factor.targets()
        model = _least_squares(columns[train], targets[train])
        return _explained(columns[test], targets[test], model)
    levels = factor.levels()
    if len(np.unique(levels[train])) < 2:
        return float((levels[test] == levels[train[0]]).mean())
    model = LogisticRegression(max_iter=ITERATIONS).fit(columns[train], levels[train])
    return float(model.score(columns[test], levels[test]))


def _least_squares(columns: Numbers, targets: Numbers) -> Numbers:
    return np.linalg.lstsq(_with_one(columns), targets, rcond=None)[0].astype(np.float64)


def _explained(columns: Numbers, targets: Numbers, model: Numbers) -> float:
    lost = ((targets - _with_one(columns) @ model) ** 2).sum()
    whole = ((targets - targets.mean(axis=0)) ** 2).sum()
    return float(1 - lost / whole)


def _with_one(columns: Numbers) -> Numbers:
    return np.concatenate([columns, np.ones((len(columns), 1))], axis=1)
