"""The idx format: big-endian magic, one size a dimension, then bytes; plain or gzipped."""

from __future__ import annotations

import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.formats.flows import FlowRows, Opened, damaged, open_file

IMAGES, LABELS = 2051, 2049
_DIMENSIONS = {IMAGES: 3, LABELS: 1}
# A header may claim anything. Ten times the largest set that is read whole, or streamed.
_LARGEST = 1 << 29
_LARGEST_FLOW = 1 << 33
_DAMAGE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True)
class Idx:
    """The contents of one file."""

    array: NDArray[Any]
    """uint8: images (N, rows, columns), or labels (N,)."""
    md5: str
    """Of the uncompressed file."""


def find(folder: Path, name: str) -> Path | None:
    """Return the file `name`, plain or gzipped, or None."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    return None


def read(path: Path, magic: int) -> Idx:
    """Read a file that must hold what `magic` says; DataError when it doesn't."""
    with open_file(path) as file:
        return parse(file, str(path), magic)


def parse(file: Opened, where: str, magic: int) -> Idx:
    """Return what an open file holds; DataError naming `where` unless it is what `magic` says."""
    try:
        header, shape = _header(file, where, magic)
        length = math.prod(shape)
        if length > _LARGEST:
            raise _oversized(where, shape)
        body = file.read(length + 1)
    except _DAMAGE as error:
        raise damaged(where, str(error)) from error
    if len(body) != length:
        held = "more" if len(body) > length else f"{len(body):,}"
        raise damaged(where, f"its header promises {length:,} bytes, it holds {held}")
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(body)
    return Idx(np.frombuffer(body, dtype=np.uint8).reshape(shape), digest.hexdigest())


def rows(file: Opened, where: str) -> FlowRows:
    """Return the images (N, rows, columns) of an open file, to be read from the front."""
    try:
        _, shape = _header(file, where, IMAGES)
    except _DAMAGE as error:
        raise damaged(where, str(error)) from error
    if math.prod(shape) > _LARGEST_FLOW:
        raise _oversized(where, shape)
    return FlowRows(file, shape, where)


def _header(file: Opened, where: str, magic: int) -> tuple[bytes, tuple[int, ...]]:
    dimensions = _DIMENSIONS[magic]
    header = file.read(4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise damaged(where, f"it ends after {len(header)} bytes, within the header")
    found, *shape = struct.unpack(f">{1 + dimensions}I", header)
    if found != magic:
        raise damaged(where, f"its magic number is {found}, expected {magic}")
    return header, tuple(shape)


def _oversized(where: str, shape: tuple[int, ...]) -> DataError:
    return damaged(where, f"its header claims {' x '.join(map(str, shape))} values")
