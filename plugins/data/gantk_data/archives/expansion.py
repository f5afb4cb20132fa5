"""Compressed files, expanded while they are read, and dropped when they turn out to be bombs."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from gan_toolkit import DataError
from gantk_data.archives.trees import RATIO, SLACK, shown

Expanding = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
Expand = Callable[[IO[bytes]], Expanding]

COMPRESSIONS: dict[bytes, Expand] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
"""How a compressed file begins, and what expands it."""

_CHUNK = 1 << 16


class Flow:
    """What comes out of a compressed file: forwards only, and no more than it can honestly hold."""

    def __init__(self, path: Path, raw: IO[bytes], file: Expanding, most: int) -> None:
        self._path = path
        self._raw = raw
        self._file = file
        self._most = most
        self._at = 0

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, fewer at the end; DataError when they are too many to be true."""
        return b"".join(self._chunks(size))

    def seek(self, position: int, /) -> int:
        """Go forward; ValueError for any other way."""
        if position < self._at:
            raise ValueError("a header leads backwards")
        for _ in self._chunks(position - self._at):
            pass
        return self._at

    def tell(self) -> int:
        """Return how many bytes came out."""
        return self._at

    def finish(self) -> None:
        """Read to the end, where a compressed file has its sum."""
        while self.read(_CHUNK):
            pass

    def _chunks(self, size: int) -> Iterator[bytes]:
        while size > 0 and (data := self._file.read(min(size, _CHUNK))):
            size -= len(data)
            self._at += len(data)
            self._check()
            yield data

    def _check(self) -> None:
        packed = self._raw.tell()
        if self._at > RATIO * packed + SLACK:
            raise DataError(
                f"{shown(str(self._path))}: its first {packed:,} bytes expand to more than "
                f"{RATIO} times as many; no pictures do that, it is not read further"
            )
        if self._at > self._most:
            raise DataError(
                f"{shown(str(self._path))}: it expands to more than {self._most:,} bytes, the limit"
            )
