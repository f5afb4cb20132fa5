"""Clustering: whether the categories of a discrete code are the labels of real data.

C[g, y] counts the real held-out samples with likeliest category g and label y. No label is used
in training; they only name the clusters here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)
from torch import Tensor

from gan_toolkit import Batch, Matrix, Measure, Score, View
from gantk_measures import cautions
from gantk_measures.effort import samples_for
from gantk_measures.mutual import plug_in_bias
from gantk_measures.nothing import nothing
from gantk_measures.reading import Unreadable
from gantk_measures.real import refuse_broken
from gantk_measures.statistics import (
    Indices,
    Numbers,
    bootstrap_mean,
    contingency,
    entropy,
    match_majority,
    match_one_to_one,
    numpy_rng,
)

SAMPLES = 10_000
READ = "likeliest category of q(c|x) on real {which} samples"
ERRORS = ("error", "error_majority")
"""Of which less is better."""
ESTIMATORS = {
    "error": "one-to-one map of categories to labels with the fewest errors (Hungarian); "
    "categories beyond the labels count as errors; interval from 100 bootstrap resamples with "
    "the map held",
    "error_majority": "each category stands for its commonest label (1 - purity)",
    "nmi": "mutual information over the arithmetic mean of the entropies",
    "ari": "adjusted Rand index",
    "ami": "mutual information less what chance gives, over the arithmetic mean of the entropies "
    "less the same",
}


class Clustering(Measure):
    """Error, normalised information and Rand index of every discrete code against the labels.

    The headline is the error under the best one-to-one map. The majority error is never larger
    and rewards more categories than labels; the two agree when the majority map is one-to-one.
    """

    def __init__(self, samples: int | None = None) -> None:
        self._samples = samples

    def measure(self, view: View) -> list[Score]:
        """Return `<code>/error`, `/error_majority`, `/nmi`, `/ari`, `/ami` of discrete codes."""
        codes = [code for code in view.inferable if view.space[code].discrete]
        if not codes:
            return [nothing("error", "no discrete code is inferred")]
        held_out = view.data.held_out() is not None
        if view.real(1, held_out=held_out).labels is None:
            return [nothing("error", f"the data set {view.data.name!r} has no labels")]
        count = samples_for(view, self._samples, SAMPLES)
        real, raw = view.read_real(count, held_out=held_out)
        which = "held-out" if held_out else "training"
        return [
            score for code in codes for score in self._of_code(view, code, raw[code], real, which)
        ]

    def _of_code(self, view: View, code: str, raw: Tensor, real: Batch, which: str) -> list[Score]:
        assert real.labels is not None, "checked by the caller"
        try:
            found = _categories(view, code, raw)
        except Unreadable as reason:
            return [nothing(f"{code}/error", str(reason))]
        before = self._before_training(view, code)
        rng = numpy_rng(view, f"clustering {code}")
        labels = _index(real.labels)
        scores = against_labels(
            code, found, labels, view.data.classes, READ.format(which=which), rng
        )
        anchors = [{}] * len(scores) if before is None else [{"untrained": v} for v in before]
        error, majority, nmi, *rest = (
            replace(score, split=which, anchors=anchor)
            for score, anchor in zip(scores, anchors, strict=True)
        )
        error = replace(error, headline=f"{code} against labels, error")
        nmi = replace(nmi, warnings=_overstated(found, labels))
        return [error, majority, nmi, *rest]

    def _before_training(self, view: View, code: str) -> list[float] | None:
        """Return what the reader gets by its shape alone, of the same samples, score by score."""
        untrained = view.untrained()
        if untrained is None:
            return None
        count = samples_for(view, self._samples, SAMPLES)
        real, raw = untrained.read_real(count, held_out=view.data.held_out() is not None)
        assert real.labels is not None, "the data is the same"
        try:
            found = _categories(untrained, code, raw[code])
        except Unreadable:
            return None
        return list(cluster_scores(found, _index(real.labels)).values())


def against_labels(
    code: str,
    found: Indices,
    labels: Indices,
    classes: tuple[str, ...],
    source: str,
    rng: np.random.Generator,
) -> list[Score]:
    """Return the scores of categories (N,) of a code against labels (N,), both from `source`.

    The first is the error, with its interval, the maps and the table.
    """
    chance = cluster_scores(rng.permutation(found), labels)
    confusion = confused(found, labels, classes)
    scores = [
        Score(
            name=f"{code}/{name}",
            value=value,
            count=len(labels),
            estimator=f"{source}; {ESTIMATORS[name]}",
            chance=chance[name],
            ceiling=None if name in ERRORS else 1.0,
            details=describe(found, labels, classes) if name == "error" else {},
            matrices={f"{code}/confusion": confusion} if name == "error" else {},
        )
        for name, value in cluster_scores(found, labels).items()
    ]
    low, high = bootstrap_mean(_wrong(found, labels), rng)
    return [replace(scores[0], low=low, high=high), *scores[1:]]


def cluster_scores(found: Indices, labels: Indices) -> dict[str, float]:
    """Return error, majority error, NMI, ARI and AMI of categories (N,) against labels (N,)."""
    table = contingency(found, labels)
    return {
        "error": 1 - match_one_to_one(table).accuracy,
        "error_majority": 1 - match_majority(table).accuracy,
        "nmi": float(normalized_mutual_info_score(labels, found)),
        "ari": float(adjusted_rand_score(labels, found)),
        "ami": float(adjusted_mutual_info_score(labels, found)),
    }


def describe(found: Indices, labels: Indices, classes: tuple[str, ...]) -> Mapping[str, Any]:
    """Return both maps from category to the name of a label, and the table they come from."""
    table = contingency(found, labels)
    maps = {"mapping": match_one_to_one(table), "majority": match_majority(table)}
    named = {
        name: {str(row): _label(label, classes) for row, label in matching.labels.items()}
        for name, matching in maps.items()
    }
    return {**named, "table": table.astype(int).tolist()}


def _overstated(found: Indices, labels: Indices) -> list[str]:
    held = entropy(np.bincount(labels).astype(np.float64), corrected=False)
    bias = plug_in_bias(len(np.unique(found)), len(np.unique(labels)), len(labels))
    return cautions.overstated({"the labels": bias / held}) if held > 0 else []


def confused(found: Indices, labels: Indices, classes: tuple[str, ...]) -> Matrix:
    """Return the share of each label in each category, in the order of the one-to-one map.

    So a code that is the label has ones on the diagonal. Categories without a label come last; a
    row of one that is never read is NaN.
    """
    table = contingency(found, labels)
    stands_for = match_one_to_one(table).labels
    order = sorted(range(len(table)), key=lambda row: (stands_for.get(row, table.shape[1]), row))
    with np.errstate(invalid="ignore"):
        shares = table[order] / table[order].sum(axis=1, keepdims=True)
    return Matrix(
        [
            f"{row} = {_label(stands_for[row], classes)}" if row in stands_for else f"{row}"
            for row in order
        ],
        [_label(label, classes) for label in range(table.shape[1])],
        shares.tolist(),
        "share of each label (columns) in each category (rows), category = label by the map with "
        "the fewest errors",
        ceiling=1.0,
    )


def _label(label: int, classes: tuple[str, ...]) -> str:
    return classes[label] if label < len(classes) else str(label)


def _wrong(found: Indices, labels: Indices) -> Numbers:
    stands_for = match_one_to_one(contingency(found, labels)).labels
    meant = np.array([stands_for.get(row, -1) for row in range(int(found.max()) + 1)])
    wrong: Numbers = (meant[found] != labels).astype(np.float64)
    return wrong


def _categories(view: View, code: str, raw: Tensor) -> Indices:
    """Return the likeliest category (N,); Unreadable if an output is not finite: NaN has none."""
    refuse_broken(code, raw)
    return _index(view.space[code].estimate(raw))


def _index(tensor: Tensor) -> Indices:
    index: Indices = tensor.reshape(-1).long().numpy()
    return index
