"""The matrices of the NORB sets: `.mat` files that have nothing to do with MATLAB.

Little-endian: a magic number that says the type, the number of dimensions, at least three sizes,
then the values; plain or gzipped.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown

_MAGIC = {"u1": 0x1E3D4C55, "<i4": 0x1E3D4C54}
_SIZES_AT_LEAST = 3
_MOST_DIMENSIONS = 8
_LARGEST_WHOLE = 1 << 26
_SKIP = 1 << 20


class Matrix:
    """One file, read from the front as rows (N, *row); made by `open_matrix`."""

    def __init__(self, path: Path, file: IO[bytes] | gzip.GzipFile, dtype: str) -> None:
        self._path = path
        self._file = file
        self._dtype = np.dtype(dtype)
        self._at = 0
        magic, dimensions = struct.unpack("<Ii", self._exactly(8))
        if magic != _MAGIC[dtype]:
            raise self._bad(f"its magic number is {magic:#x}, expected {_MAGIC[dtype]:#x}")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise self._bad(f"it claims {dimensions} dimensions")
        written = max(_SIZES_AT_LEAST, dimensions)
        sizes = struct.unpack(f"<{written}i", self._exactly(4 * written))
        self.shape: tuple[int, ...] = sizes[:dimensions]
        if min(self.shape) < 1:
            raise self._bad(f"it claims the sizes {self.shape}")

    def as_rows(self, *row: int) -> Matrix:
        """Take the values for rows of another shape; DataError unless they fill them."""
        count, rest = divmod(math.prod(self.shape), math.prod(row))
        if rest or self.shape[len(self.shape) - len(row) :] != row:
            expected = ", ".join(map(str, row))
            raise self._bad(f"its sizes are {self.shape}, expected (…, {expected})")
        self.shape = (count, *row)
        return self

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return these rows; each call asks for later ones than the last, the last for the end."""
        row = math.prod(self.shape[1:]) * self._dtype.itemsize
        skip = (start - self._at) * row
        while skip > 0:
            skip -= len(self._exactly(min(skip, _SKIP)))
        data = self._exactly((stop - start) * row)
        self._at = stop
        if stop == self.shape[0] and self._some(1):
            raise self._bad("it is longer than its header says")
        return np.frombuffer(data, self._dtype).reshape(stop - start, *self.shape[1:])

    def _exactly(self, size: int) -> bytes:
        data = self._some(size)
        if len(data) != size:
            raise self._bad("it ends too early")
        return data

    def _some(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (OSError, EOFError, zlib.error) as error:
            raise self._bad(str(error)) from error

    def _bad(self, what: str) -> DataError:
        why = f"{what}; the file is damaged or another one: get it again"
        return DataError(f"{shown(str(self._path))}: {why}")


@contextmanager
def open_matrix(path: Path, dtype: str) -> Iterator[Matrix]:
    """Open a file, plain or `.gz`, which must hold values of `dtype`: "u1" or "<i4"."""
    try:
        # Closed below; this `try` is for opening.
        file = gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # noqa: SIM115
    except OSError as error:
        raise DataError(f"{shown(str(path))}: {error.strerror or error}") from error
    with file:
        yield Matrix(path, file, dtype)


def read_table(path: Path, columns: int) -> NDArray[np.int32]:
    """Return a table of int32 (N, columns)."""
    with open_matrix(path, "<i4") as matrix:
        if math.prod(matrix.shape) * 4 > _LARGEST_WHOLE:
            raise DataError(f"{shown(str(path))}: it claims the sizes {matrix.shape}")
        if matrix.shape[1:] != ((columns,) if columns > 1 else ()):
            expected = f"(N, {columns})" if columns > 1 else "(N,)"
            raise DataError(f"{shown(str(path))}: its sizes are {matrix.shape}, not {expected}")
        return matrix.read(0, matrix.shape[0]).reshape(-1, columns)
