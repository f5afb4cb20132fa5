"""Arrays too large for the memory, gone through once from the front into prepared rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_toolkit import RowWriter

_BYTES_AT_ONCE = 1 << 25


class Rows(Protocol):
    """An array of uint8 rows somewhere, (N, ...)."""

    shape: tuple[int, ...]

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return these rows; each call asks for later ones than the last."""


class Chain:
    """Several arrays of equal rows, one behind the other."""

    def __init__(self, links: Sequence[Rows]) -> None:
        self._links = links
        self.shape = (sum(link.shape[0] for link in links), *links[0].shape[1:])

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return these rows; each call asks for later ones than the last."""
        parts = []
        begin = 0
        for link in self._links:
            end = begin + link.shape[0]
            if start < end and stop > begin:
                parts.append(link.read(max(start - begin, 0), min(stop, end) - begin))
            begin = end
        return np.concatenate(parts)


def copy_rows(
    source: Rows,
    chosen: NDArray[np.int64],
    images: RowWriter,
    convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    """Write the rows `chosen`, ascending, as `convert` makes them: (n, ...) to (n, C, H, W).

    Some 30 MB are read at a time. Goes on where `images` was marked.
    """
    count = source.shape[0]
    step = max(1, _BYTES_AT_ONCE // max(1, int(np.prod(source.shape[1:]))))
    for start in range(0, count, step):
        first, last = np.searchsorted(chosen, (start, start + step))
        if last > max(first, images.done):
            rows = source.read(start, min(start + step, count))[chosen[first:last] - start]
            images.write(int(first), convert(rows))
            images.mark(int(last))


def to_size(pictures: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return pictures (n, H, W) or (n, H, W, 3) as (n, C, size, size), scaled by Lanczos."""
    if pictures.shape[1:3] != (size, size):
        pictures = np.stack([_scaled(picture, size) for picture in pictures])
    return pictures[:, None] if pictures.ndim == 3 else pictures.transpose(0, 3, 1, 2)


def _scaled(picture: NDArray[np.uint8], size: int) -> NDArray[Any]:
    image = Image.fromarray(picture)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))
