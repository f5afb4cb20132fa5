"""Members of an `.npz` archive, opened one by one by name and streamed; nothing else is touched.

An object array in such an archive is a pickle, that is, a program. Members that nobody asks for
are not opened at all, and one that is asked for must say that it holds plain numbers.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown
from gantk_data.formats.flows import FlowRows

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_SUFFIX = ".npy"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LARGEST_WHOLE = 1 << 28


class Npz:
    """An open archive; made by `open_npz`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive

    def names(self) -> list[str]:
        """Return the names of its arrays."""
        members = self._archive.namelist()
        return [member.removesuffix(_SUFFIX) for member in members if member.endswith(_SUFFIX)]

    def look(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Return shape and dtype of an array; DataError if it isn't one of plain numbers."""
        with self._opened(name) as (_, _, shape, dtype):
            return shape, dtype

    @contextmanager
    def open(self, name: str, dtype: str, *row: int) -> Iterator[FlowRows]:
        """Open the array `name`, (N, *row) of `dtype`, N >= 1; DataError if it is another one."""
        with self._opened(name) as (where, file, shape, found):
            if found != np.dtype(dtype) or len(shape) != 1 + len(row) or shape[1:] != row:
                expected = ", ".join(["N", *map(str, row)])
                raise DataError(f"{where} is {found} {shape}, expected {dtype} ({expected})")
            yield FlowRows(file, shape, where, found)

    def whole(self, name: str, dtype: str, *row: int) -> NDArray[Any]:
        """Return an array of modest size."""
        with self.open(name, dtype, *row) as member:
            size = math.prod(member.shape) * member.dtype.itemsize
            if size > _LARGEST_WHOLE:
                raise DataError(
                    f"{shown(str(self._path))}: array {name!r} has {size:,} bytes, the limit is "
                    f"{_LARGEST_WHOLE:,}"
                )
            return member.read(0, member.shape[0])

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[str, IO[bytes], tuple[int, ...], np.dtype[Any]]]:
        member = f"{name}{_SUFFIX}"
        if member not in self._archive.namelist():
            held = ", ".join(sorted(self._archive.namelist())[:10])
            raise DataError(f"{shown(str(self._path))}: no array {name!r} in it; it holds {held}")
        where = f"{shown(str(self._path))}: array {name!r}"
        with _damage(where):
            info = self._archive.getinfo(member)
            if info.compress_type not in _METHODS:
                raise ValueError(f"it is packed by method {info.compress_type}")
            file = self._archive.open(info)
        with file:
            with _damage(where):
                shape, found = _header(file, info.file_size)
            yield where, file, shape, found


@contextmanager
def open_npz(path: Path) -> Iterator[Npz]:
    """Open an archive; DataError if it isn't one."""
    with _damage(shown(str(path))):
        archive = zipfile.ZipFile(path)
    with archive:
        yield Npz(path, archive)


def _header(file: IO[bytes], size: int) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of a member of `size` bytes; return shape and dtype."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"its header has version {version}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers that Python 2 wrote
        shape, fortran, dtype = _HEADERS[version](file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never loaded")
    if fortran and len(shape) > 1:
        raise ValueError("its first axis is not the slowest")
    promised = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 1 or size - file.tell() != promised:
        held = f"{size - file.tell():,} bytes"
        raise ValueError(f"its header promises {shape} of {dtype}, it holds {held}")
    return shape, dtype


@contextmanager
def _damage(where: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # damaged bytes make the parsers raise almost anything
        raise DataError(f"{where} can't be read: {error}; get the file again") from error
