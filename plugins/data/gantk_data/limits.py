"""Taking a part of a data set: the first n samples, or a share of them for ever the same."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError


def first(limit: int | None, count: int, name: str) -> int:
    """Return how many of `count` samples `limit` leaves; DataError when there are fewer."""
    if limit is None:
        return count
    if limit > count:
        raise DataError(f"limit = {limit:,} is more than the {count:,} samples of {name}")
    return limit


def divide(count: int, share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices to train on and those held out (`share` of them), both ascending.

    The choice is a permutation by hash and not by a library's generator, whose stream may change
    with its version: samples once held out must stay so.
    """
    keys = [hashlib.sha256(f"{seed} {index}".encode()).digest() for index in range(count)]
    shuffled = np.array(sorted(range(count), key=keys.__getitem__), dtype=np.int64)
    kept = count - int(count * share)
    return np.sort(shuffled[:kept]), np.sort(shuffled[kept:])
