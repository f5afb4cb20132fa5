"""A judge: what was learned of the real data, and how well, before any sample is looked at.

A probe reads the factors, or the labels, and a guard tells whether samples look like the data.
Both are made once for a data set and a seed; every measure that asks shares them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gan_toolkit import Batch, Dataset, Factor, View
from gantk_measures.codes import factors_of, scored_factors
from gantk_measures.effort import steps_for
from gantk_measures.guard import Guard
from gantk_measures.probe import Probe
from gantk_measures.reading import LEAST
from gantk_measures.variables import Variable

REAL = 20_000
HELD_OUT = 4_000
LABEL = "label"

Targets = Callable[[Batch], tuple[Batch, Mapping[int, Factor]]]
"""Gives real samples the factors that are learned of them, and says which columns those are."""


@dataclass(frozen=True)
class Judge:
    """A probe of real data, a guard, and what is known of both."""

    probe: Probe
    guard: Guard
    skill: Mapping[str, Mapping[str, float]]
    """How well the probe reads each factor of real samples it has not seen."""
    variety: Mapping[str, float]
    """How much each factor varies over those, as the probe reads it."""
    known: tuple[Variable, ...]
    """The true factors of those samples."""
    read: tuple[Variable, ...]
    """The same as the probe reads them."""
    learned_from: int
    """Real samples the probe was trained on."""

    def doubted(self, reliable: float) -> dict[str, float]:
        """Return the reliability of each factor that is read worse than `reliable` of real data."""
        found = {name: skill["reliability"] for name, skill in self.skill.items()}
        return {name: value for name, value in found.items() if not value >= reliable}

    def doubt(self, reliable: float, factors: Iterable[str]) -> str:
        """Return why those of the factors that are doubted void a score; nothing if none is."""
        doubted = self.doubted(reliable)
        told = [f"{name} ({doubted[name]:.2f})" for name in factors if name in doubted]
        if not told:
            return ""
        return f"the probe reads {', '.join(told)} of real samples less reliably than {reliable:g}"


def judge_of(
    view: View, factors: Sequence[str], *, real: int = REAL, steps: int | None = None
) -> Judge:
    """Return what reads the named factors, or all scored ones, from at most `real` samples."""

    def targets(batch: Batch) -> tuple[Batch, Mapping[int, Factor]]:
        return batch, scored_factors(view.data, factors)

    wanted = steps_for(view, steps)
    key = ("judge", *factors, real, wanted)
    return view.remember(key, lambda: _learn(view, targets, real, wanted))


def judge_of_labels(view: View, *, real: int = REAL, steps: int | None = None) -> Judge:
    """Return what reads the labels, as a discrete factor named `label`."""

    def targets(batch: Batch) -> tuple[Batch, Mapping[int, Factor]]:
        return labels_as_factor(view.data, batch)

    wanted = steps_for(view, steps)
    key = ("judge of labels", real, wanted)
    return view.remember(key, lambda: _learn(view, targets, real, wanted))


def too_few(data: Dataset) -> str:
    """Return why nothing can be learned from a data set; empty where there are enough samples."""
    return "" if len(data) >= LEAST else f"{len(data)} real samples; at least {LEAST} are needed"


def has_labels(data: Dataset) -> bool:
    """Return whether the samples of a data set bear labels."""
    return len(data) > 0 and data.batch(torch.zeros(1, dtype=torch.int64)).labels is not None


def labels_as_factor(data: Dataset, batch: Batch) -> tuple[Batch, Mapping[int, Factor]]:
    """Return samples whose only factor is their label; ValueError when they have none."""
    if batch.labels is None:
        raise ValueError(f"the data set {data.name!r} has no labels")
    factors = batch.labels[:, None].float()
    return batch._replace(factors=factors), {0: Factor(LABEL, "discrete", data.classes)}


def real_split(view: View, count: int) -> tuple[Batch, Batch]:
    """Return at most `count` real samples to learn from and others to be tested on.

    The latter are held-out ones where the data set has them, else a fifth of those.
    """
    train = view.real(count)
    if view.data.held_out() is not None:
        return train, view.real(HELD_OUT, held_out=True)
    cut = len(train.samples) - min(HELD_OUT, len(train.samples) // 5)
    return Batch(*(_rows(part, slice(cut)) for part in train)), Batch(
        *(_rows(part, slice(cut, None)) for part in train)
    )


def _learn(view: View, targets: Targets, real: int, steps: int) -> Judge:
    parts = real_split(view, real)
    (train, factors), (test, _) = map(targets, parts)
    probe = Probe(train, factors, steps=steps, rng=view.rng("explained probe"))
    features = probe.features(test.samples)
    raw = probe.raw(features)
    return Judge(
        probe=probe,
        guard=Guard(train.samples, test.samples, probe.features),
        skill=probe.skill(test),
        variety={name: head.variety(head.read(raw[name])) for name, head in probe.heads.items()},
        known=factors_of(test, factors),
        read=probe.read(features),
        learned_from=len(train.samples),
    )


def _rows(part: Tensor | None, rows: slice) -> Any:
    return None if part is None else part[rows]
