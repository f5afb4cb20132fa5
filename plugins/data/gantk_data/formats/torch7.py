"""Tensors of floats in the binary format of Torch7, the Lua library; nothing else is read.

Such a file may hold tables, strings, and functions as Lua bytecode. This parser knows a tensor
of float or double and the storage behind it; it names whatever else it meets and stops there.
Numbers are little-endian: type of an object (int32), its number (int32), a version and a class
(strings after an int32 of their length); then, of a tensor, the number of dimensions (int32),
sizes, strides and offset from 1 (int64), and the storage: an object again, with its length
(int64) and values.
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

_TORCH = 4
_KINDS = {
    0: "nothing",
    1: "a number",
    2: "a string",
    3: "a table",
    5: "a boolean",
    6: "a function",
    7: "a function",
    8: "a function",
}
_TENSORS = {
    "torch.FloatTensor": ("torch.FloatStorage", "<f4"),
    "torch.DoubleTensor": ("torch.DoubleStorage", "<f8"),
}
_VERSION = b"V 1"
_LONGEST_CLASS = 64
_MOST_DIMENSIONS = 16


class Torch7Error(ValueError):
    """A file can't be used as a tensor; the text says why, without its name."""


def read_tensor(data: bytes) -> NDArray[np.floating]:
    """Return the one tensor of a file's contents, float32 or float64.

    Raises Torch7Error. No memory is taken beside `data`, whatever it claims.
    """
    cursor = _Cursor(data)
    name = cursor.class_of_object()
    if name not in _TENSORS:
        raise Torch7Error(f"it holds a {name}, expected {' or '.join(_TENSORS)}")
    storage, dtype = _TENSORS[name]
    dimensions = cursor.int32()
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise Torch7Error(f"it claims {dimensions} dimensions")
    sizes, strides = cursor.longs(dimensions), cursor.longs(dimensions)
    (offset,) = cursor.longs(1)
    if (found := cursor.class_of_object()) != storage:
        raise Torch7Error(f"behind the {name} is a {found}, expected {storage}")
    (length,) = cursor.longs(1)
    if min(sizes) < 1 or offset != 1 or length != math.prod(sizes) or not _plain(sizes, strides):
        claims = f"sizes {sizes}, strides {strides}, offset {offset} in {length:,} values"
        raise Torch7Error(f"it claims {claims}; expected a whole tensor, row by row")
    return np.frombuffer(cursor.last(length * np.dtype(dtype).itemsize), dtype).reshape(sizes)


def _plain(sizes: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether values lie row by row; the stride of a single place says nothing."""
    expected = 1
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


class _Cursor:
    """A place in the contents of a file; nothing is taken that isn't there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int32(self) -> int:
        return int(struct.unpack("<i", self._take(4))[0])

    def longs(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f"<{count}q", self._take(8 * count))

    def class_of_object(self) -> str:
        """Read on to the contents of an object, and return its class."""
        kind = self.int32()
        if kind != _TORCH:
            raise Torch7Error(f"it holds {_KINDS.get(kind, f'an object of type {kind}')}")
        self.int32()  # its number, for others to refer to it
        version = self._string()
        if version != _VERSION:
            raise Torch7Error(f"an object has version {version!r}, expected {_VERSION!r}")
        return repr(self._string().decode("latin1"))[1:-1]

    def last(self, size: int) -> bytes:
        """Take all that is left, which must be `size` bytes."""
        left = len(self._data) - self._at
        if left != size:
            raise Torch7Error(f"{size:,} bytes of values are promised, {left:,} are there")
        return self._take(size)

    def _string(self) -> bytes:
        length = self.int32()
        if not 0 <= length <= _LONGEST_CLASS:
            raise Torch7Error(f"a name claims {length:,} bytes")
        return self._take(length)

    def _take(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        if len(data) != size:
            raise Torch7Error("it ends too early")
        self._at += size
        return data
