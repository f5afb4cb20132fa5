"""Arrays in files: a `.npy`, mapped, or a member of an `.npz`, streamed. Never a pickle."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError
from gantk_data.archives.trees import shown
from gantk_data.formats.npz import open_npz

_LARGEST_WHOLE = 1 << 29


class Stored(Protocol):
    """An array in a file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return these rows; each call asks for later ones than the last."""


class Mapped:
    """A `.npy` file, mapped."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return these rows, still mapped."""
        return self.array[start:stop]


class Place(NamedTuple):
    """Where an array is: a `.npy` file, or a member of an `.npz`."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return shown(str(self.path)) + (f": array {self.member!r}" if self.member else "")


def place_of(path: Path, member: str | None) -> Place:
    """Return where the samples are; DataError if an archive has several candidates."""
    if not path.is_file():
        raise DataError(f"data.file: there is no file {shown(str(path))}")
    if path.suffix.lower() == ".npy":
        if member is not None:
            raise DataError("data.images names an array of an .npz; a .npy holds one only")
        return Place(path)
    with open_npz(path) as archive:
        names = archive.names()
        if member is None and len(names) != 1:
            raise DataError(
                f"{shown(str(path))} holds {len(names)} arrays ({', '.join(map(shown, names))}); "
                "say which in data.images"
            )
    return Place(path, member or names[0])


def beside(place: Place, name: str) -> Place:
    """Return where an array is that belongs to the samples."""
    if name.endswith(".npy"):
        return Place(place.path.parent / name)
    if not place.member:
        raise DataError(f"data: {name!r} is no .npy file; beside a .npy, arrays have their own")
    return Place(place.path, name)


@contextmanager
def opened(place: Place) -> Iterator[Stored]:
    """Open an array of plain numbers or texts; DataError if it is anything else."""
    if not place.member:
        yield _mapped(place.path)
        return
    with open_npz(place.path) as archive:
        shape, dtype = archive.look(place.member)
        with archive.open(place.member, dtype.str, *shape[1:]) as member:
            yield member


def whole(place: Place, stored: Stored, count: int) -> NDArray[Any]:
    """Return the first `count` rows; DataError if they are too many to hold."""
    size = count * prod(stored.shape[1:]) * stored.dtype.itemsize
    if size > _LARGEST_WHOLE:
        raise DataError(
            f"{place} takes {size:,} bytes, the limit is {_LARGEST_WHOLE:,}; save it as float32 in "
            "a .npy file, which is mapped, or set data.limit"
        )
    return stored.read(0, count)


def _mapped(path: Path) -> Mapped:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # damaged headers make the parser raise almost anything
        what = "it holds a pickle, which is never read" if "object" in str(error) else error
        raise DataError(f"{shown(str(path))}: {what}; save plain numbers by numpy.save") from error
    if not array.ndim or not array.size:  # an axis of 0 anywhere
        raise DataError(f"{shown(str(path))}: it holds nothing, {array.shape}")
    return Mapped(array)
