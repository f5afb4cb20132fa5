"""Taking a part of a data set: the first n samples, a share, or some of everywhere."""

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

    Samples once held out stay so.
    """
    shuffled = _shuffled(count, seed)
    kept = count - int(count * share)
    return np.sort(shuffled[:kept]), np.sort(shuffled[kept:])


def spread(subset: int | None, count: int, name: str) -> NDArray[np.int64]:
    """Return the indices of `subset` of `count` samples, ascending, drawn once for ever.

    The first samples of a factor grid share most factors; these don't. A larger subset holds the
    smaller ones. DataError when there are fewer.
    """
    if subset is None:
        return np.arange(count)
    if subset > count:
        raise DataError(f"subset = {subset:,} is more than the {count:,} samples of {name}")
    return np.sort(_shuffled(count, 0)[:subset])


def _shuffled(count: int, seed: int) -> NDArray[np.int64]:
    """Return a permutation by hash: a library's generator may give another one some day."""
    keys = [hashlib.sha256(f"{seed} {index}".encode()).digest() for index in range(count)]
    return np.array(sorted(range(count), key=keys.__getitem__), dtype=np.int64)
