"""A guard: whether samples look like the data, so that what a probe reads of them means anything.

A probe answers whatever it is shown: on pure checkerboards one "explained" 81 % of a rotation by
the code. Its own features can't be trusted to notice, for they were never asked about such
images. The guard therefore describes a sample in three ways, two of which no factor has trained:

- `features`: the probe's last shared layer;
- `layout`: principal components of the image averaged to 16 pixels a side, and what they miss;
- `texture`: how large the differences between neighbouring pixels are, at three scales.

A sample is data-like when it lies inside the real manifold in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gan_toolkit import Score
from gantk_measures.neighbours import Manifold
from gantk_measures.statistics import Numbers, bootstrap_mean

Describe = Callable[[Tensor], Tensor]

REAL = 4_000
LEAST = 0.1
COMPONENTS = 24
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.97)
SCALES = 3
FAINT = 0.1
ESTIMATOR = (
    "k-NN precision (Kynkäänniemi et al. 2019), k = 5, 4,000 real samples: share of samples inside "
    "the real manifold in each of: {}; reference: the share of unseen real samples"
)


class Guard:
    """The manifolds of real samples in every description.

    `on_real` is the precision of real samples the manifolds were not made of: what a perfect
    generator would get.
    """

    def __init__(self, real: Tensor, unseen: Tensor, features: Describe) -> None:
        real = real[:REAL]
        self._describe: dict[str, Describe] = {"layout": Layout(real)}
        if real.dim() == 4:
            # Quantiles that hardly vary over real images are held to half a factor e, not to
            # nothing: a background that is white but for a level or two is still white.
            self._describe["texture"] = Standard(texture, real, least=0.5)
            self._describe["features"] = Standard(features, real)
        self._manifolds = {
            name: Manifold(describe(real)) for name, describe in self._describe.items()
        }
        self.on_real = float(self._all(self.inside(unseen)).mean())

    def inside(self, samples: Tensor) -> dict[str, Numbers]:
        """Return for each description whether each sample lies inside, (N,) of 0 and 1."""
        return {
            name: manifold.inside(self._describe[name](samples)).numpy().astype(np.float64)
            for name, manifold in self._manifolds.items()
        }

    def score(self, samples: Tensor, rng: np.random.Generator) -> Score:
        """Return the precision of samples, void when they are not data-like."""
        inside = self.inside(samples)
        everywhere = self._all(inside)
        value = float(everywhere.mean())
        low, high = bootstrap_mean(everywhere, rng)
        return Score(
            name="precision",
            value=value,
            count=len(everywhere),
            estimator=ESTIMATOR.format(", ".join(inside)),
            low=low,
            high=high,
            ceiling=1.0,
            reference=self.on_real,
            void=""
            if value >= LEAST
            else f"the samples are not data-like: precision {value:.3f} in {', '.join(inside)} "
            f"together, below {LEAST:g} (unseen real samples: {self.on_real:.2f})",
            details={name: float(each.mean()) for name, each in inside.items()},
        )

    @staticmethod
    def _all(inside: Mapping[str, Numbers]) -> Numbers:
        everywhere: Numbers = np.stack(list(inside.values())).min(axis=0)
        return everywhere


class Standard:
    """A description in units of its spread over real samples."""

    def __init__(self, describe: Describe, real: Tensor, least: float = 0.0) -> None:
        self._describe = describe
        spread = describe(real).std(dim=0)
        self._spread = spread.clamp_min(max(least, 0.1 * float(spread.mean()), 1e-6))

    def __call__(self, samples: Tensor) -> Tensor:
        """Return the description, each column divided by its spread."""
        return self._describe(samples) / self._spread


class Layout:
    """Principal components of real images averaged to 16 pixels a side, or points as they are."""

    def __init__(self, real: Tensor) -> None:
        flat = _small(real)
        self._mean = flat.mean(dim=0)
        centred = flat - self._mean
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        self._axes = vectors[:, -COMPONENTS:]

    def __call__(self, samples: Tensor) -> Tensor:
        """Return (N, components + 1): the components, and the length of what they miss."""
        centred = _small(samples) - self._mean
        components = centred @ self._axes
        missed = (centred - components @ self._axes.T).norm(dim=1, keepdim=True)
        return torch.cat([components, missed], dim=1)


def texture(samples: Tensor) -> Tensor:
    """Return log quantiles of the 2x2 differences of images (N, C, H, W) at three scales.

    Checkerboards, noise and blur change them at once, whatever the image shows. Differences of
    a few grey levels count as none.
    """
    parts: list[Tensor] = []
    quantiles = torch.tensor(QUANTILES)
    for _ in range(SCALES):
        height, width = (size // 2 * 2 for size in samples.shape[2:])
        upper, lower = samples[..., 0:height:2, :width], samples[..., 1:height:2, :width]
        a, b, c, d = (half[..., first::2] for half in (upper, lower) for first in (0, 1))
        sides = torch.maximum((a + b - c - d).abs(), (a - b + c - d).abs()) / 2
        cross = (a - b - c + d).abs() / 2
        parts += [torch.quantile(band.flatten(1), quantiles, dim=1).T for band in (sides, cross)]
        samples = (a + b + c + d) / 4
    return torch.log(torch.cat(parts, dim=1) + FAINT)


def broken(samples: Tensor) -> int:
    """Return how many samples, or raw outputs, (N, …) are not finite."""
    return int((~samples.flatten(1).isfinite().all(dim=1)).sum())


def _small(samples: Tensor) -> Tensor:
    if samples.dim() == 4 and max(samples.shape[2:]) > 16:
        samples = functional.adaptive_avg_pool2d(samples, 16)
    return samples.flatten(1)
