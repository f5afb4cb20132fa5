"""Rows that come out of a file from the front: of compressed data nothing else can be had."""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown

Opened = IO[bytes] | gzip.GzipFile
_SKIP = 1 << 20
_DAMAGE = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile)


class Readable(Protocol):
    """What bytes come out of."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer at the end only."""


class FlowRows:
    """An array, (N, ...), whose last rows come last; DataError unless the file ends with them."""

    def __init__(
        self, file: Readable, shape: tuple[int, ...], where: str, dtype: DTypeLike = np.uint8
    ) -> None:
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._file = file
        self._where = where
        self._row = math.prod(shape[1:]) * self.dtype.itemsize
        self._at = 0

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return these rows; each call asks for later ones than the last."""
        left = (start - self._at) * self._row
        while left > 0:
            left -= len(exactly(self._file, min(left, _SKIP), self._where))
        data = exactly(self._file, (stop - start) * self._row, self._where)
        self._at = stop
        # Only at the end of a compressed file its sum is compared.
        if stop == self.shape[0] and _some(self._file, 1, self._where):
            raise damaged(self._where, "it holds more than its header promises")
        return np.frombuffer(data, self.dtype).reshape(stop - start, *self.shape[1:])


def open_file(path: Path) -> Opened:
    """Open a file to read, unpacking one that ends in `.gz`; DataError if that can't be."""
    try:
        return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise DataError(f"{shown(str(path))}: {error.strerror or error}") from error


def exactly(file: Readable, size: int, where: str) -> bytes:
    """Return the next `size` bytes; DataError naming `where` if there are fewer."""
    data = _some(file, size, where)
    if len(data) < size:
        raise damaged(where, "it ends too early")
    return data


def damaged(where: str, what: str) -> DataError:
    """Return the error that says of a file why it isn't what it should be."""
    return DataError(f"{where}: {what}; the file is damaged or another one: get it again")


def _some(file: Readable, size: int, where: str) -> bytes:
    try:
        return file.read(size)
    except _DAMAGE as error:
        raise damaged(where, str(error)) from error
