"""The matrices of the NORB sets: `.mat` files that have nothing to do with MATLAB.

Little-endian: a magic number that says the type, the number of dimensions, at least three sizes,
then the values; plain or gzipped.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown
from gantk_data.formats.flows import FlowRows, Readable, damaged, exactly, open_file

Kind = Literal["u1", "<i4"]
_MAGIC: dict[Kind, int] = {"u1": 0x1E3D4C55, "<i4": 0x1E3D4C54}
_SIZES_AT_LEAST = 3
_MOST_DIMENSIONS = 8
_LARGEST_WHOLE = 1 << 26


@dataclass(frozen=True)
class Matrix:
    """One file whose values are still to be read."""

    shape: tuple[int, ...]
    kind: Kind
    file: Readable
    where: str

    def rows(self, *row: int) -> FlowRows:
        """Return the values as rows (N, *row); DataError unless these are its last axes."""
        if self.shape[len(self.shape) - len(row) :] != row:
            expected = ", ".join(map(str, row))
            raise damaged(self.where, f"its sizes are {self.shape}, expected (…, {expected})")
        count = math.prod(self.shape) // math.prod(row)
        return FlowRows(self.file, (count, *row), self.where, self.kind)


@contextmanager
def open_matrix(path: Path, kind: Kind) -> Iterator[Matrix]:
    """Open a file, plain or `.gz`; DataError unless it holds values of `kind`."""
    where = shown(str(path))
    with open_file(path) as file:
        yield Matrix(_shape(file, kind, where), kind, file, where)


def read_table(path: Path, columns: int) -> NDArray[np.int32]:
    """Return a table of int32 (N, columns)."""
    with open_matrix(path, "<i4") as matrix:
        if math.prod(matrix.shape) * 4 > _LARGEST_WHOLE:
            raise DataError(f"{matrix.where}: it claims the sizes {matrix.shape}")
        row = (columns,) if columns > 1 else ()
        if matrix.shape[1:] != row:
            expected = f"(N, {columns})" if columns > 1 else "(N,)"
            raise DataError(f"{matrix.where}: its sizes are {matrix.shape}, not {expected}")
        return matrix.rows(*row).read(0, matrix.shape[0]).reshape(-1, columns)


def _shape(file: Readable, kind: Kind, where: str) -> tuple[int, ...]:
    """Read the header."""
    magic, dimensions = struct.unpack("<Ii", exactly(file, 8, where))
    if magic != _MAGIC[kind]:
        raise damaged(where, f"its magic number is {magic:#x}, expected {_MAGIC[kind]:#x}")
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise damaged(where, f"it claims {dimensions} dimensions")
    written = max(_SIZES_AT_LEAST, dimensions)
    shape = struct.unpack(f"<{written}i", exactly(file, 4 * written, where))[:dimensions]
    if min(shape) < 1:
        raise damaged(where, f"it claims the sizes {shape}")
    return shape
