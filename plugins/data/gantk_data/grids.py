"""Sets that hold every combination of some factors, in the order of an odometer.

The last factor turns fastest: sample i shows the digits of i in a mixed radix. N samples, K
factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, Factor
from gantk_data.archives.trees import shown


class Axis(NamedTuple):
    """One factor of a grid."""

    factor: Factor
    values: Sequence[float]
    """What the table of factors says at each of its places; for a discrete factor 0, 1, …"""


def discrete(name: str, values: Sequence[str], *, scored: bool = True) -> Axis:
    """Return the axis of a factor that takes one of these values."""
    factor = Factor(name, "discrete", tuple(values), scored=scored)
    return Axis(factor, range(len(values)))


def continuous(name: str, values: Sequence[float], unit: str = "") -> Axis:
    """Return the axis of a quantity."""
    return Axis(Factor(name, "continuous", low=min(values), high=max(values), unit=unit), values)


def circular(name: str, places: int) -> Axis:
    """Return the axis of an angle that takes so many places in a full turn, from 0 on."""
    factor = Factor(name, "circular", low=0.0, high=math.tau, unit="rad")
    return Axis(factor, [place * math.tau / places for place in range(places)])


def places(
    columns: Mapping[str, NDArray[np.float64]],
) -> tuple[dict[str, list[float]], NDArray[np.float32]]:
    """Return the values that each column (N,) takes, rising, and the places of all in them, (N, K).

    Sets that hold a whole grid are scored by place, as in published tables: a histogram would
    merge neighbouring values, and an angle at which shapes look alike has no direction.
    """
    found = {name: np.unique(column, return_inverse=True) for name, column in columns.items()}
    indices = np.column_stack([place for _, place in found.values()]).astype(np.float32)
    return {name: taken.tolist() for name, (taken, _) in found.items()}, indices


def described(values: Mapping[str, Sequence[float]], units: Mapping[str, str]) -> list[Factor]:
    """Return the factors whose places `places` found; each is named after its value."""
    return [
        Factor(name, "discrete", tuple(f"{value:.4g}" for value in taken), unit=units.get(name, ""))
        for name, taken in values.items()
    ]


def check_grid(sizes: Sequence[int], count: int, path: Path) -> None:
    """Raise DataError unless a grid of these sizes has `count` samples."""
    product = math.prod(sizes)
    if product != count:
        grid = " x ".join(f"{size:,}" for size in sizes)
        raise DataError(
            f"{shown(str(path))}: it holds {count:,} samples, yet its factors take {grid} = "
            f"{product:,} combinations; the file is cut or another one"
        )


def table(axes: Sequence[Axis], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the factors (len(rows), K) of the samples `rows`."""
    at = np.unravel_index(rows, [len(axis.values) for axis in axes])
    columns = [
        np.asarray(axis.values, dtype=np.float32)[place]
        for axis, place in zip(axes, at, strict=True)
    ]
    return np.stack(columns, axis=1)
