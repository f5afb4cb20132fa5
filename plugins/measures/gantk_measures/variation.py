"""Variation predictability: can one tell from a pair of samples which code was changed?

Zhu et al. 2020, "Learning disentangled representations with latent variation predictability". A
small fresh network is shown the difference of two samples that were made from the same latents but
for one code, and names the code. It asks for no labels and no reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gan_toolkit import LatentSpace, Measure, Score, View
from gantk_measures.classifier import Classifier, Labelled
from gantk_measures.codes import members
from gantk_measures.effort import samples_for
from gantk_measures.guard import broken
from gantk_measures.nothing import nothing
from gantk_measures.statistics import Indices, Numbers, bootstrap_mean, numpy_rng

PAIRS = 4_000
EPOCHS = 20
GREY = 2 / 255
"""A grey level, in units of [-1, 1]."""
REDRAWS = 50
CHANGED = "changed"
ESTIMATOR = (
    "share of {test} pairs, one code drawn anew in each, that a fresh network names right from the "
    "difference; trained on {train} others, best of at most {epochs} epochs by {validation} more; "
    "a pair that differs by less than a grey level, or as little of the deviation of points, is a "
    "guess, 1 / {codes}; 95 % interval from 100 bootstrap resamples of the mean"
)


@dataclass(frozen=True)
class Pairs:
    """Differences of samples, the code that was changed in each, and whether anything shows."""

    differences: Tensor
    changed: Tensor
    """(N,) indices of codes."""
    visible: Tensor
    """(N,) of bool."""

    def rows(self, rows: slice) -> Pairs:
        """Return some of them."""
        return Pairs(self.differences[rows], self.changed[rows], self.visible[rows])

    def labelled(self) -> Labelled:
        """Return the visible ones as a classifier takes them."""
        return Labelled(self.differences[self.visible], {CHANGED: self.changed[self.visible]})


class VariationPredictability(Measure):
    """How often a network names the code that was changed, in all and code by code.

    Where one code alone moves nothing, a network would name it for that: no difference is as good
    a sign as any. Pairs that nobody can tell apart therefore count as guesses.
    """

    def __init__(
        self,
        latents: LatentSpace,
        codes: list[str],
        pairs: int | None = None,
        epochs: int = EPOCHS,
    ) -> None:
        self._codes, self._pairs, self._epochs = members(latents, codes), pairs, epochs

    @torch.inference_mode(mode=False)  # the view may be read under it; training can't be
    def measure(self, view: View) -> list[Score]:
        """Return `accuracy`, `above_chance`, and `code/<name>` for every code."""
        codes = self._codes or list(view.inferable)
        if len(codes) < 2:
            return [nothing("accuracy", "needs two codes to tell apart; name some in `codes`")]
        count = samples_for(view, self._pairs, PAIRS)
        pairs = _draw(view, codes, count)
        if lost := broken(pairs.differences):
            return [nothing("accuracy", f"{lost} of {count} pairs are not finite")]
        cuts = slice(count // 2), slice(count // 2, count * 5 // 8), slice(count * 5 // 8, count)
        train, validation, test = (pairs.rows(rows) for rows in cuts)
        named = _named(view, train, validation, test, len(codes), self._epochs)
        estimator = ESTIMATOR.format(
            test=len(test.changed),
            train=int(train.visible.sum()),
            epochs=self._epochs,
            validation=int(validation.visible.sum()),
            codes=len(codes),
        )
        return _scores(codes, test, named, estimator, numpy_rng(view, "variation"))


def _draw(view: View, codes: Sequence[str], count: int) -> Pairs:
    """Draw pairs that differ in one code, each code equally often, in random order."""
    rng = view.rng("variation draw")
    changed = torch.randperm(count, generator=rng) % len(codes)
    before = view.space.sample(count, rng)
    after = before.clone()
    for place, code in enumerate(codes):
        rows, columns = (changed == place).nonzero()[:, 0], view.space.columns(code)
        after[rows, columns] = _another(view, code, before[rows, columns], rng)
    first, second = view.generate(before), view.generate(after)
    differences = (second - first).clone()
    unit = 1.0 if first.dim() == 4 else float(first.std())
    visible = differences.flatten(1).abs().amax(dim=1) >= GREY * unit
    return Pairs(differences, changed, visible & (unit > 0))


def _another(view: View, code: str, old: Tensor, rng: torch.Generator) -> Tensor:
    """Draw values (N, width) that differ from the old ones: a category is drawn again."""
    new = view.space[code].sample(len(old), rng).to(old)
    for _ in range(REDRAWS):
        same = (new == old).all(dim=1)
        if not same.any():
            break
        new[same] = view.space[code].sample(int(same.sum()), rng).to(old)
    return new


def _named(
    view: View, train: Pairs, validation: Pairs, test: Pairs, codes: int, epochs: int
) -> Indices | None:
    """Return the code that the network names for each pair (N,); None if it has none to learn."""
    if not train.visible.any() or not validation.visible.any():
        return None
    shape = tuple(train.differences.shape[1:])
    network = Classifier(shape, {CHANGED: codes}, view.rng("variation network"))
    network.fit(train.labelled(), validation.labelled(), epochs, lambda differences: differences)
    return network.likeliest(test.differences)[CHANGED]


def _scores(
    codes: Sequence[str],
    test: Pairs,
    named: Indices | None,
    estimator: str,
    rng: np.random.Generator,
) -> list[Score]:
    changed, chance = test.changed.numpy(), 1 / len(codes)
    hits = np.zeros(len(changed)) if named is None else named == changed
    right: Numbers = np.where(test.visible.numpy(), hits, chance)

    def score(name: str, of: Numbers) -> Score:
        low, high = bootstrap_mean(of, rng)
        return Score(
            name=name,
            value=float(of.mean()),
            count=len(of),
            estimator=estimator,
            low=low,
            high=high,
            chance=chance,
            ceiling=1.0,
        )

    shown = {
        code: float(test.visible[test.changed == place].float().mean())
        for place, code in enumerate(codes)
    }
    first = replace(score("accuracy", right), details={"codes": len(codes), "visible": shown})
    each = (score(f"code/{code}", right[changed == place]) for place, code in enumerate(codes))
    return [first, _above_chance(first, chance), *each]


def _above_chance(accuracy: Score, chance: float) -> Score:
    """Return how far from chance to 1 it is, and its interval."""
    ends = (accuracy.value, accuracy.low, accuracy.high)
    value, low, high = ((end - chance) / (1 - chance) for end in ends if end is not None)
    return Score(
        name="above_chance",
        value=value,
        count=accuracy.count,
        estimator=f"(a - 1 / J) / (1 - 1 / J), a: {accuracy.estimator}",
        low=low,
        high=high,
        chance=0.0,
        ceiling=1.0,
    )
