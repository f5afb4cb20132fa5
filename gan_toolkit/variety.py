"""How different generated samples are, at a glance: what the alarms of a run look at.

A few samples of fixed latents beside as many real ones, by plain distances between their values.
Cheap and blunt: a measure of what the samples are worth looks at features of thousands.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan_toolkit.alarms import COVERAGE, SPREAD, TWINS
from gan_toolkit.interfaces import View

COUNT = 64
NEIGHBOURS = 5
"""Of a real sample: within their distance it counts as covered, as in `coverage` (Naeem et al.
2020, arXiv 2002.09797, equation 9)."""
TWIN = 0.05
"""Of the distance that a real sample typically has to the next: closer generated ones are alike."""


class Variety:
    """Looks at the samples of the same latents again and again; B is at most `COUNT`."""

    def __init__(self, view: View) -> None:
        """Take what does not change: latents (B, W), and real samples (B, D)."""
        self._latent = view.space.sample(COUNT, view.rng("variety"))
        self._real = _flat(view.real(COUNT).samples)
        between = _distances(self._real, self._real)
        nearest = between.sort(dim=1).values
        self._spread = _off_diagonal(between).mean()
        self._near = nearest[:, 1].median() if len(nearest) > 1 else between.sum()
        self._radius = nearest[:, min(NEIGHBOURS, len(nearest) - 1)]
        # Equal latents give equal samples: that is no fault of the generator.
        self._same = _distances(self._latent, self._latent) == 0

    def look(self, view: View) -> Mapping[str, float]:
        """Return what can be said, each from 0 on.

        `SPREAD`: the mean distance between two samples, over that of real ones. `TWINS`: the share
        of samples that have another one next to them. `COVERAGE`: the share of real samples with a
        generated one among their neighbours. Left out: what is not finite, and what real samples
        that are all alike can't tell.
        """
        fake = _flat(view.generate(self._latent))
        if not fake.isfinite().all():
            return {}
        between = _distances(fake, fake)
        found = {COVERAGE: (_distances(self._real, fake).amin(1) <= self._radius).float().mean()}
        if self._spread > 0:
            found[SPREAD] = _off_diagonal(between).mean() / self._spread
        if self._near > 0 and not self._same.all():
            alike = (between < TWIN * self._near) & ~self._same
            found[TWINS] = alike.any(1).float().mean()
        return {name: value.item() for name, value in found.items()}


def _flat(samples: Tensor) -> Tensor:
    return samples.flatten(1).float().cpu()


def _distances(one: Tensor, other: Tensor) -> Tensor:
    """Return Euclidean distances; by products of matrices, equal rows would be some way apart."""
    return torch.cdist(one, other, compute_mode="donot_use_mm_for_euclid_dist")


def _off_diagonal(distances: Tensor) -> Tensor:
    """Return all but the distances of samples to themselves."""
    return distances[~torch.eye(len(distances), dtype=torch.bool)]
