"""Rows that come out of a file from the front: of compressed data nothing else can be had."""

from __future__ import annotations

import math
import zlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError

_SKIP = 1 << 20


class Readable(Protocol):
    """What bytes come out of."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer at the end only."""


class FlowRows:
    """An array of bytes, (N, ...), whose last rows come last; DataError if it ends early."""

    def __init__(self, file: Readable, shape: tuple[int, ...], where: str) -> None:
        self.shape = shape
        self._file = file
        self._where = where
        self._size = math.prod(shape[1:])
        self._at = 0

    def read(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Return these rows; each call asks for later ones than the last."""
        left = (start - self._at) * self._size
        while left > 0:
            left -= len(self._exactly(min(left, _SKIP)))
        data = self._exactly((stop - start) * self._size)
        self._at = stop
        if stop == self.shape[0] and self._some(1):
            raise self._damaged("it holds more than its header promises")
        return np.frombuffer(data, np.uint8).reshape(stop - start, *self.shape[1:])

    def _exactly(self, size: int) -> bytes:
        data = self._some(size)
        if len(data) < size:
            raise self._damaged("it ends too early")
        return data

    def _some(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> DataError:
        return DataError(f"{self._where}: {what}; the file is damaged: get it again")
