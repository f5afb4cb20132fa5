"""MATLAB's MAT files, level 5: their numeric matrices, streamed, and nothing else.

`scipy.io.loadmat` makes whole arrays: 1.6 GB for SVHN's largest file, and as much again while it
expands them. Here a matrix is read from the front, in MATLAB's order: the last axis is the
slowest. Objects, functions, cells and texts are passed over unread.

A file is a header of 128 bytes and elements, each a tag (kind, bytes) and its bytes; an element
may be another one, compressed by zlib.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown
from gantk_data.formats.flows import Opened, Readable, open_file

_HEADER = 128
_ENDS = {b"IM": "<", b"MI": ">"}
_MATRIX, _COMPRESSED, _UINT8 = 14, 15, 2
_DTYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_NUMERIC = range(6, 16)
"""Classes of matrices that hold plain numbers."""
_COMPLEX = 0x800
_LONGEST_NAME = 63
_MOST_DIMENSIONS = 8
_CHUNK = 1 << 16
_PADDING = 16
_LARGEST_WHOLE = 1 << 26


class Matrix(NamedTuple):
    """A matrix whose values are still to be read."""

    shape: tuple[int, ...]
    """As MATLAB says it; the first axis changes fastest."""
    dtype: np.dtype[Any]
    """Of the values in the file."""
    file: Readable
    """Gives the values, in MATLAB's order."""

    def whole(self) -> NDArray[Any]:
        """Return all values, (N,), in MATLAB's order; ValueError if they are too many."""
        size = math.prod(self.shape) * self.dtype.itemsize
        if size > _LARGEST_WHOLE:
            raise ValueError(f"it has {size:,} bytes, the limit is {_LARGEST_WHOLE:,}")
        return np.frombuffer(_exactly(self.file, size), self.dtype)


@contextmanager
def open_matrix(path: Path, name: str) -> Iterator[Matrix]:
    """Open the matrix `name` of a file.

    Raises DataError if the file is of another kind or damaged, or has no such numeric matrix;
    what reads the values may raise zlib.error or EOFError.
    """
    where = shown(str(path))
    with open_file(path) as file:
        try:
            found = _find(file, name)
        except (ValueError, struct.error, zlib.error, OSError) as error:
            raise DataError(f"{where}: {error}; it is damaged or another file: get it again") from (
                error
            )
        yield found


def _find(file: Opened, name: str) -> Matrix:
    end = _byte_order(file.read(_HEADER))
    names = []
    while tag := file.read(8):
        kind, size = struct.unpack(f"{end}II", tag)
        after = file.tell() + size
        if kind in (_MATRIX, _COMPRESSED):
            body: Readable = file
            if kind == _COMPRESSED:
                body = _Expanded(file, size)
                kind, _ = struct.unpack(f"{end}II", _exactly(body, 8))
            found, matrix = _matrix(body, end)
            if found == name:
                if kind != _MATRIX or matrix is None:
                    raise ValueError(f"{name} is no matrix of plain numbers")
                return matrix
            names.append(found)
        file.seek(after)
    raise ValueError(f"it holds no matrix {name!r}, but {', '.join(names) or 'none'}")


def _byte_order(header: bytes) -> str:
    end = _ENDS.get(header[126:128])
    if end is None:
        raise ValueError("it is no MAT file of level 5")
    (version,) = struct.unpack(f"{end}H", header[124:126])
    if version != 0x0100:
        raise ValueError("it is a MAT file of another level (7.3?); save it by `save -v7`")
    return end


def _matrix(body: Readable, end: str) -> tuple[str, Matrix | None]:
    """Read the head of a matrix; return its name, and the matrix if it holds numbers."""
    flags = struct.unpack(f"{end}II", _element(body, end, 8)[1])[0]
    raw = _element(body, end, 4 * _MOST_DIMENSIONS)[1]
    shape = struct.unpack(f"{end}{len(raw) // 4}i", raw)
    name = _element(body, end, _LONGEST_NAME)[1].decode("ascii", "replace")
    if flags & 0xFF not in _NUMERIC or flags & _COMPLEX or min(shape, default=-1) < 0:
        return name, None
    kind, size, small = _tag(body, end)
    if kind not in _DTYPES:
        return name, None
    dtype = np.dtype(end + _DTYPES[kind])
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name} promises {shape} of {dtype}, it holds {size:,} bytes")
    values = _Values(io.BytesIO(small) if small else body, size, body)
    return name, Matrix(shape, dtype, values)


def _element(body: Readable, end: str, largest: int) -> tuple[int, bytes]:
    """Read a short element: its kind and its bytes."""
    kind, size, small = _tag(body, end)
    if size > largest:
        raise ValueError(f"an element of its head has {size:,} bytes")
    if small is not None:
        return kind, small[:size]
    return kind, _exactly(body, size + -size % 8)[:size]


def _tag(body: Readable, end: str) -> tuple[int, int, bytes | None]:
    """Read a tag: kind, size, and the bytes if they are so few that they stand in the tag."""
    tag = _exactly(body, 8)
    kind, size = struct.unpack(f"{end}II", tag)
    if kind >> 16:
        if kind >> 16 > 4:
            raise ValueError(f"a small element has {kind >> 16} bytes")
        return kind & 0xFFFF, kind >> 16, tag[4:]
    return kind, size, None


class _Values:
    """The values of a matrix: no more bytes than it has, and an end that is checked."""

    def __init__(self, body: Readable, size: int, around: Readable) -> None:
        self._body = body
        self._left = size
        self._around = around

    def read(self, size: int, /) -> bytes:
        data = self._body.read(min(size, self._left))
        self._left -= len(data)
        if not self._left and isinstance(self._around, _Expanded):
            self._around.finish()
        return data


class _Expanded:
    """What a compressed element of `size` bytes expands to, never more than is asked for."""

    def __init__(self, file: Readable, size: int) -> None:
        self._file = file
        self._left = size
        self._zlib = zlib.decompressobj()

    def read(self, size: int, /) -> bytes:
        return b"".join(self._chunks(size))

    def finish(self) -> None:
        """Read what fills the element up, to its sum; EOFError, zlib.error if that is wrong."""
        self.read(_PADDING)
        if not self._zlib.eof:
            raise EOFError("a compressed element is cut, or holds more than it should")

    def _chunks(self, size: int) -> Iterator[bytes]:
        while size > 0 and not self._zlib.eof:
            packed = self._zlib.unconsumed_tail
            if not packed:
                packed = self._file.read(min(self._left, _CHUNK))
                self._left -= len(packed)
            data = self._zlib.decompress(packed, size)
            if not (data or packed):
                return
            size -= len(data)
            yield data


def _exactly(file: Readable, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it ends too early")
    return data
