"""Random numbers of sample i: a function of what they are for, the seed and i, with no state.

Each purpose (a factor's name) has a stream of its own, so a new factor leaves the old ones as they
were, and any samples can be drawn in any order, together or alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from math import tau

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Streams:
    """The random numbers of one world, seed and set of samples."""

    def __init__(self, world: str, seed: int, indices: Tensor) -> None:
        self._world = world
        self._seed = seed
        self._indices = indices.numpy().astype(np.uint64)

    def __len__(self) -> int:
        return len(self._indices)

    def uniform(self, purpose: str, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return numbers spread evenly over [low, high), float64 (N,)."""
        text = "\0".join((self._world, str(self._seed), purpose))
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        key, offset = np.frombuffer(digest, dtype="<u8").astype(np.uint64)
        # Two rounds of SplitMix64's finaliser: the index enters one, the key both.
        bits = _mixed(_mixed(self._indices * _GAMMA + offset) ^ key)
        unit = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return torch.from_numpy(low + (high - low) * unit)

    def below(self, purpose: str, count: int) -> Tensor:
        """Return whole numbers 0 … count - 1, float64 (N,)."""
        return (self.uniform(purpose) * count).floor()

    def normal(self, purpose: str) -> Tensor:
        """Return standard normal numbers, float64 (N,)."""
        radius = (-2 * (1 - self.uniform(f"{purpose} radius")).log()).sqrt()
        return radius * self.uniform(f"{purpose} angle", 0, tau).cos()


def table(columns: Iterable[Tensor]) -> Tensor:
    """Return columns (N,) side by side as float32 (N, K)."""
    return torch.stack(list(columns), dim=1).float()


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
