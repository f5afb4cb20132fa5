"""Arrays too large for the memory, gone through once from the front into prepared rows."""

from __future__ import annotations

from collections.abc import Callable
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


def copy_rows(
    source: Rows,
    chosen: NDArray[np.int64],
    images: RowWriter,
    convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    at_once: int | None = None,
) -> None:
    """Write the rows `chosen`, ascending, as `convert` makes them: (n, ...) to (n, C, H, W).

    `at_once` rows are read at a time, without it some 30 MB. Goes on where `images` was marked.
    """
    count = source.shape[0]
    step = at_once or max(1, _BYTES_AT_ONCE // max(1, int(np.prod(source.shape[1:]))))
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
