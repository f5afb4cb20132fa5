"""How a factor is learned, read and compared with a code: one class per kind of factor.

N samples. `raw` is what a probe puts out for a factor, (N, width); `truth` is the data set's
column, (N,); a *reading* is what the probe says, as an array that `explained` takes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from gan_toolkit import Factor
from gantk_measures.statistics import (
    Indices,
    Numbers,
    between_share,
    contingency,
    entropy,
    uncertainty,
)
from gantk_measures.variables import Kind


class Head(ABC):
    """Learns, reads and scores one factor."""

    kind: Kind
    """That of the factors it reads."""
    width: int
    """Columns the probe gives it."""
    estimator: str
    """How `explained` is computed."""

    @abstractmethod
    def loss(self, raw: Tensor, truth: Tensor) -> Tensor:
        """Return the scalar a probe minimises, about 1 for a blind one."""

    @abstractmethod
    def read(self, raw: Tensor) -> np.ndarray[Any, Any]:
        """Return the reading of each sample."""

    @abstractmethod
    def values(self, reading: np.ndarray[Any, Any]) -> Numbers:
        """Return a reading in the data set's terms, (N,): radians, a number, an index."""

    @abstractmethod
    def skill(self, raw: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the probe's quality on samples it has not seen; `reliability` is at most 1."""

    @abstractmethod
    def explained(
        self, reading: np.ndarray[Any, Any], bins: Indices, weights: Numbers | None = None
    ) -> float:
        """Return how much of the readings the bins explain, 0 to 1; NaN if they don't vary."""

    @abstractmethod
    def variety(self, reading: np.ndarray[Any, Any]) -> float:
        """Return how much the readings vary: a variance, or an entropy."""


class DirectionHead(Head):
    """An angle, learned and compared as the unit vector (cos, sin).

    With u a unit vector, Var(u) = 1 - |E u|^2 is the circular variance in its squared form, so
    that the explained share is the circular analogue of the correlation ratio: it has no seam,
    and a reading that is off by half a turn half the time counts as not explained.
    """

    kind = "circular"
    width = 2
    estimator = "1 - E[Var(u|bin)] / Var(u), u = (cos, sin) of the measured angle"

    def loss(self, raw: Tensor, truth: Tensor) -> Tensor:
        """Return the mean squared distance to the unit vector."""
        return (raw - _unit(truth)).square().sum(dim=1).mean()

    def read(self, raw: Tensor) -> Numbers:
        """Return unit vectors (N, 2)."""
        return functional.normalize(raw.double(), dim=1).numpy()

    def values(self, reading: np.ndarray[Any, Any]) -> Numbers:
        """Return angles in radians, -pi to pi."""
        return np.arctan2(reading[:, 1], reading[:, 0])

    def skill(self, raw: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the median angular error in degrees and the share of Var(u) it leaves."""
        wanted, found = _unit(truth).double().numpy(), self.read(raw)
        cosines = np.clip((wanted * found).sum(axis=1), -1, 1)
        lost = ((wanted - found) ** 2).sum(axis=1).mean()
        return {
            "median_error_degrees": float(np.degrees(np.median(np.arccos(cosines)))),
            "reliability": float(1 - lost / max(_variance(wanted), 1e-12)),
        }

    def explained(
        self, reading: np.ndarray[Any, Any], bins: Indices, weights: Numbers | None = None
    ) -> float:
        """Return the between-bin share of the variance of unit vectors."""
        return between_share(reading, bins, weights)

    def variety(self, reading: np.ndarray[Any, Any]) -> float:
        """Return 1 - |E u|^2."""
        return _variance(reading)


class NumberHead(Head):
    """A number, learned in standard units of the data."""

    kind = "continuous"
    width = 1
    estimator = "1 - E[Var(u|bin)] / Var(u), u = the measured number"

    def __init__(self, truth: Tensor) -> None:
        self._mean, self._scale = truth.mean(), truth.std().clamp_min(1e-6)

    def loss(self, raw: Tensor, truth: Tensor) -> Tensor:
        """Return the mean squared error in standard units."""
        return (raw[:, 0] - (truth - self._mean) / self._scale).square().mean()

    def read(self, raw: Tensor) -> Numbers:
        """Return numbers (N, 1) in the factor's unit."""
        return (raw.double() * self._scale + self._mean).numpy()

    def values(self, reading: np.ndarray[Any, Any]) -> Numbers:
        """Return the numbers."""
        return reading[:, 0]

    def skill(self, raw: Tensor, truth: Tensor) -> dict[str, float]:
        """Return R2, which is the reliability too."""
        wanted = truth.double().numpy()[:, None]
        lost = ((wanted - self.read(raw)) ** 2).mean()
        r2 = float(1 - lost / max(_variance(wanted), 1e-12))
        return {"r2": r2, "reliability": r2}

    def explained(
        self, reading: np.ndarray[Any, Any], bins: Indices, weights: Numbers | None = None
    ) -> float:
        """Return the between-bin share of the variance."""
        return between_share(reading, bins, weights)

    def variety(self, reading: np.ndarray[Any, Any]) -> float:
        """Return the variance."""
        return _variance(reading)


class ClassHead(Head):
    """One of some values, learned as a softmax and read as the likeliest."""

    kind = "discrete"
    estimator = "I(bin; u) / H(u), Miller-Madow, u = the likeliest value"

    def __init__(self, values: int) -> None:
        self.width = values

    def loss(self, raw: Tensor, truth: Tensor) -> Tensor:
        """Return the cross-entropy in units of a blind guess."""
        blind = math.log(max(self.width, 2))
        return functional.cross_entropy(raw, truth.long()) / blind

    def read(self, raw: Tensor) -> Indices:
        """Return indices (N,)."""
        return raw.argmax(dim=1).numpy()

    def values(self, reading: np.ndarray[Any, Any]) -> Numbers:
        """Return the indices."""
        return reading.astype(np.float64)

    def skill(self, raw: Tensor, truth: Tensor) -> dict[str, float]:
        """Return the accuracy, which is the reliability too."""
        accuracy = float((raw.argmax(dim=1) == truth.long()).float().mean())
        return {"accuracy": accuracy, "reliability": accuracy}

    def explained(
        self, reading: np.ndarray[Any, Any], bins: Indices, weights: Numbers | None = None
    ) -> float:
        """Return the uncertainty coefficient."""
        return uncertainty(contingency(bins, reading, weights))

    def variety(self, reading: np.ndarray[Any, Any]) -> float:
        """Return the entropy in nats."""
        return entropy(np.bincount(reading).astype(np.float64))


def head_for(factor: Factor, truth: Tensor) -> Head:
    """Return the head of a factor whose values in real data are `truth` (N,)."""
    if factor.kind == "circular":
        return DirectionHead()
    if factor.kind == "continuous":
        return NumberHead(truth)
    return ClassHead(max(len(factor.values), int(truth.max()) + 1))


def _unit(angle: Tensor) -> Tensor:
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def _variance(values: Numbers) -> float:
    return float(((values - values.mean(axis=0)) ** 2).sum(axis=1).mean())
