"""Clustering of samples: whether each category of a discrete code makes samples of one label.

C[g, y] counts the samples of category g that a classifier of real labels calls y. `clustering`
asks the reader the same of real samples; the two need not agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures.clustering import against_labels
from gantk_measures.codes import members, trained_steps
from gantk_measures.effort import samples_for
from gantk_measures.judge import LABEL, REAL, Judge, judge_of_labels, too_few
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Indices, Numbers, contingency, entropy, numpy_rng

SAMPLES = 1_000
BANK = 5_000
"""Samples of the prior by which it is told whether they are data-like."""
SOURCE = (
    "{} samples of each of {} categories, all else drawn from the prior, named by a classifier "
    "that learned the labels of {} real samples (accuracy on unseen ones {:.3f})"
)
ENT = (
    "entropy of labels within a category, mean over categories, and of categories within a label, "
    "mean over the labels that occur; mean of both, plug-in; chance: with shuffled categories"
)


class GeneratedClustering(Measure):
    """Error, information, Rand index and entropy of every discrete code against named samples.

    Void when the classifier is not reliable on real samples it has not seen, or the samples are
    not data-like.
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: list[str],
        samples: int | None = None,
        real: int = REAL,
        steps: int | None = None,
        reliable: float = 0.95,
    ) -> None:
        self._codes, self._samples = members(latents, codes), samples
        self._real, self._steps, self._reliable = real, steps, reliable
        if numbers := [code for code in self._codes if not latents[code].discrete]:
            raise ValueError(f"not discrete, so that no label can be matched: {', '.join(numbers)}")

    def measure(self, view: View) -> list[Score]:
        """Return `precision`, then `<code>/error` and all that `clustering` has, and `/ent`."""
        codes = self._codes or [code for code in view.inferable if view.space[code].discrete]
        if not codes:
            return [nothing("error", "no discrete code is inferred; name some in `codes`")]
        if view.real(1).labels is None:
            return [nothing("error", f"the data set {view.data.name!r} has no labels")]
        if few := too_few(view.data):
            return [nothing("error", few)]
        judge = judge_of_labels(view, real=self._real, steps=self._steps)
        bank = view.bank(samples_for(view, None, BANK))
        rng = numpy_rng(view, "generated clustering precision")
        precision = judge.guard.score(bank.samples, rng)
        void = precision.void or judge.doubt(self._reliable, [LABEL])
        scores = [score for code in codes for score in self._of_code(view, code, judge)]
        return [precision, *(replace(score, void=void or score.void) for score in scores)]

    def _of_code(self, view: View, code: str, judge: Judge) -> list[Score]:
        each = samples_for(view, self._samples, SAMPLES)
        try:
            named = list(_named(view, code, each, judge))
        except (NotImplementedError, ValueError) as reason:
            return [nothing(f"{code}/error", str(reason))]
        labels = np.concatenate(named)
        categories = np.arange(len(named)).repeat(each)
        accuracy = judge.skill[LABEL]["accuracy"]
        source = SOURCE.format(each, len(named), judge.learned_from, accuracy)
        rng = numpy_rng(view, f"generated clustering {code}")
        first, *others = against_labels(code, categories, labels, view.data.classes, source, rng)
        shuffled = mean_entropy(contingency(rng.permutation(categories), labels))
        return [
            replace(first, details={**first.details, "classifier": dict(judge.skill[LABEL])}),
            *others,
            Score(
                name=f"{code}/ent",
                value=mean_entropy(contingency(categories, labels)),
                count=len(labels),
                estimator=f"{source}; {ENT}",
                unit="nats",
                chance=shuffled,
                details={"worst": float(np.log(max(len(named), len(view.data.classes))))},
            ),
        ]


def mean_entropy(table: Numbers) -> float:
    """Return ENT of counts (categories, labels), in nats: 0 is best (Ojha et al. 2020).

    Mean entropy of rows and mean entropy of columns, halved; with K categories and K labels log K
    is worst. Columns of labels that no sample has tell nothing and are left out.
    """
    rows, columns = (
        [entropy(each, corrected=False) for each in side if each.sum() > 0]
        for side in (table, table.T)
    )
    return float((np.mean(rows) + np.mean(columns)) / 2)


def _named(view: View, code: str, each: int, judge: Judge) -> Iterator[Indices]:
    """Give the label of `each` samples (N,) of one category after another.

    ValueError when the code has no categories to set, or samples are not finite.
    """
    values = trained_steps(view.space[code])
    rng = view.rng(f"generated clustering {code}")
    for value in values:
        latent = view.space.sample(each, rng)
        latent[:, view.space.columns(code)] = value.to(latent)
        samples = view.generate(latent)
        if not bool(torch.isfinite(samples).all()):
            raise ValueError("samples are not finite")
        (label,) = judge.probe.read(judge.probe.features(samples))
        yield label.values.astype(np.int64)
