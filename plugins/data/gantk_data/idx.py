"""The idx format: big-endian magic, one size a dimension, then bytes; plain or gzipped."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError

IMAGES, LABELS = 2051, 2049
_DIMENSIONS = {IMAGES: 3, LABELS: 1}
# Ten times the largest file of this format; a header may claim anything.
_LARGEST = 1 << 29


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
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(file, path, magic)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: {error}; the file is damaged: get it again") from error


def _parse(file: IO[bytes] | gzip.GzipFile, path: Path, magic: int) -> Idx:
    dimensions = _DIMENSIONS[magic]
    header = file.read(4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions:
        raise _damaged(path, f"it ends after {len(header)} bytes, within the header")
    found, *shape = struct.unpack(f">{1 + dimensions}I", header)
    if found != magic:
        raise _damaged(path, f"its magic number is {found}, expected {magic}")
    length = math.prod(shape)
    if length > _LARGEST:
        raise _damaged(path, f"its header claims {' x '.join(map(str, shape))} values")
    body = file.read(length + 1)
    if len(body) != length:
        held = "more" if len(body) > length else f"{len(body):,}"
        raise _damaged(path, f"its header promises {length:,} bytes, it holds {held}")
    digest = hashlib.md5(header, usedforsecurity=False)
    digest.update(body)
    return Idx(np.frombuffer(body, dtype=np.uint8).reshape(shape), digest.hexdigest())


def _damaged(path: Path, what: str) -> DataError:
    return DataError(f"{path}: {what}; the file is damaged or another one: get it again")
