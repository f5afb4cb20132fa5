"""3D Shapes: an object in a room, in every combination of six factors, from DeepMind's `.h5`.

An HDF5 file can name other files: by external and soft links, by external storage and by virtual
arrays. All of them are refused, so that no file decides what else is read.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, RowWriter, data_folder, prepared
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.grids import check_grid, described, places
from gantk_data.limits import spread
from gantk_data.places import locate, odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import copy_rows, to_size

COUNT = 480_000
SIZES = {
    "floor_hue": 10,
    "wall_hue": 10,
    "object_hue": 10,
    "scale": 8,
    "shape": 4,
    "orientation": 15,
}
"""The columns of the labels, and how many values each takes at most."""
_UNITS = {"orientation": "deg"}
_SIDE = 64
_VERSION = 2  # of this reader: raise it when the same file gives other arrays
# The published file has blocks of many pictures each; they are unpacked once when all that a
# row of them takes fits.
_BLOCKS_HELD = 1 << 28
_BLOCK_SLOTS = 100_003
_log = logging.getLogger("gantk")


def shapes3d(root: str | Path | None, size: int, subset: int | None) -> ArrayDataset:
    """Return 3D Shapes, (3, size, size), with its six factors as places in the file's grid."""
    source = SOURCES["shapes3d"]
    root = data_folder() if root is None else Path(root)
    path = locate(source, [root, root / "shapes3d", root / "3dshapes"], [source.files[0].name])
    key = {
        "version": _VERSION,
        "path": str(path.resolve()),
        "stamp": file_stamp(path),
        "size": size,
        "subset": subset,
    }
    ready = prepared("shapes3d", key, partial(_prepare, path, size, subset))
    report_odd(source, ready.facts["odd"])
    return ArrayDataset(
        source.title,
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=described(ready.facts["values"], _UNITS),
        notice=source.notice,
        fingerprint=ready.fingerprint,
    )


def _prepare(path: Path, size: int, subset: int | None, target: Path) -> Mapping[str, Any]:
    source = SOURCES["shapes3d"]
    with _opened(path) as file:
        labels = _Array(path, file, "labels", "f8", len(SIZES))
        values, factors = _factors(path, labels.read(0, labels.shape[0]))
        pictures = _Array(path, file, "images", "u1", _SIDE, _SIDE, 3)
        if pictures.shape[0] != len(factors):
            held = f"{pictures.shape[0]:,} images and {len(factors):,} rows of labels"
            raise DataError(f"{shown(str(path))}: it holds {held}")
        chosen = spread(subset, len(factors), source.title)
        _log.info("preparing %s pictures of %s, once; it takes minutes", f"{len(chosen):,}", path)
        shape = (len(chosen), 3, size, size)
        with RowWriter(target / "images.npy", shape, source.title) as images:
            copy_rows(pictures, chosen, images, partial(to_size, size=size))
    np.save(target / "factors.npy", factors[chosen])
    odd = odd_sums(source, [path])
    if len(factors) != COUNT:
        odd.append(f"{shown(str(path))} holds {len(factors):,} images, not {COUNT:,}")
    return {"odd": odd, "values": values}


class _Array:
    """An array of an HDF5 file that lies in this file, (N, *row)."""

    def __init__(self, path: Path, file: Any, name: str, dtype: str, *row: int) -> None:
        h5py = _h5py()
        self._where = f"{shown(str(path))}: {name}"
        with _damage(self._where):
            link = file.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "is not there" if link is None else f"is a {type(link).__name__}"
                raise ValueError(f"it {kind}; expected an array in this file")
            self._dataset = file[name]
            if not isinstance(self._dataset, h5py.Dataset):
                raise ValueError("it is no array")
            if self._dataset.external or self._dataset.is_virtual:
                raise ValueError("its contents lie in other files")
            self.shape: tuple[int, ...] = tuple(self._dataset.shape or ())
            found = self._dataset.dtype
        if found != np.dtype(dtype) or self.shape[1:] != row or not self.shape[0]:
            expected = ", ".join(["N", *map(str, row)])
            raise DataError(f"{self._where} is {found} {self.shape}, expected {dtype} ({expected})")

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return these rows."""
        with _damage(self._where):
            return np.asarray(self._dataset[start:stop])


def _h5py() -> Any:
    try:
        # Not imported above: it comes with an extra, and all other readers do without it.
        return importlib.import_module("h5py")
    except ImportError as error:
        raise DataError(
            "shapes3d reads HDF5 with the package h5py, which is not installed: "
            "pip install 'gan-toolkit[h5]'"
        ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    h5py = _h5py()
    with _damage(shown(str(path))):
        file = h5py.File(
            path, "r", locking=False, rdcc_nbytes=_BLOCKS_HELD, rdcc_nslots=_BLOCK_SLOTS
        )
    with file:
        yield file


@contextmanager
def _damage(where: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # at damage h5py raises almost anything
        raise DataError(f"{where} can't be read: {error}; get the file again") from error


def _factors(
    path: Path, labels: NDArray[np.float64]
) -> tuple[dict[str, list[float]], NDArray[np.float32]]:
    """Return the values that each factor takes, and the table of factors (N, 6)."""
    if not np.isfinite(labels).all():
        raise DataError(f"{shown(str(path))}: a label is not a number")
    values, table = places(dict(zip(SIZES, labels.T, strict=True)))
    for name, most in SIZES.items():
        if len(values[name]) > most:
            found = f"{name} takes {len(values[name]):,} values, expected {most} at most"
            raise DataError(f"{shown(str(path))}: {found}")
    check_grid([len(taken) for taken in values.values()], len(labels), path)
    return values, table
