"""dSprites: white shapes of known shape, scale, orientation and place, from DeepMind's `.npz`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Factor, RowWriter, data_folder, prepared
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats.npz import Npz, open_npz
from gantk_data.grids import check_grid, described, places
from gantk_data.limits import spread
from gantk_data.places import locate, odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import copy_rows

COUNT = 737_280
_SIDE = 64
_VERSION = 2  # of this reader: raise it when the same file gives other arrays
_SHAPES = ("square", "ellipse", "heart")
_RANGES = {"scale": (0.5, 1.0), "orientation": (0.0, tau), "x": (0.0, 1.0), "y": (0.0, 1.0)}
"""The file's latents behind colour and shape, and the values they may have."""
_UNITS = {"scale": "of the largest", "orientation": "rad"}
_log = logging.getLogger("gantk")


def dsprites(root: str | Path | None, subset: int | None) -> ArrayDataset:
    """Return dSprites (1, 64, 64), white on black, with five factors.

    Factors are places in the file's grid, as in published tables. The sixth, colour, is the same
    for all and left out. The orientations 0 and 2 pi are both there, and look alike; so do a
    square's quarter turns and an ellipse's half turns.
    """
    source = SOURCES["dsprites"]
    root = data_folder() if root is None else Path(root)
    path = locate(source, [root, root / "dsprites"], [source.files[0].name])
    key = {
        "version": _VERSION,
        "path": str(path.resolve()),
        "stamp": file_stamp(path),
        "subset": subset,
    }
    ready = prepared("dsprites", key, partial(_prepare, path, subset))
    report_odd(source, ready.facts["odd"])
    return ArrayDataset(
        source.title,
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=[
            Factor("shape", "discrete", _SHAPES),
            *described(ready.facts["values"], _UNITS),
        ],
        notice=source.notice,
        fingerprint=ready.fingerprint,
    )


def _prepare(path: Path, subset: int | None, target: Path) -> Mapping[str, Any]:
    source = SOURCES["dsprites"]
    with open_npz(path) as archive:
        values, factors = _factors(path, archive)
        chosen = spread(subset, len(factors), source.title)
        _log.info("preparing %s pictures of %s, once", f"{len(chosen):,}", path)
        with (
            archive.open("imgs", "u1", _SIDE, _SIDE) as sprites,
            RowWriter(
                target / "images.npy", (len(chosen), 1, _SIDE, _SIDE), source.title
            ) as images,
        ):
            if sprites.shape[0] != len(factors):
                held = f"{sprites.shape[0]:,} images and {len(factors):,} rows of latents"
                raise DataError(f"{shown(str(path))}: it holds {held}")
            copy_rows(sprites, chosen, images, partial(_white, path))
    np.save(target / "factors.npy", factors[chosen])
    odd = odd_sums(source, [path])
    if len(factors) != COUNT:
        odd.append(f"{shown(str(path))} holds {len(factors):,} images, not {COUNT:,}")
    return {"odd": odd, "values": values}


def _factors(path: Path, archive: Npz) -> tuple[dict[str, list[float]], NDArray[np.float32]]:
    """Return the values of scale, orientation, x and y, and the factors of all samples, (N, 5)."""
    classes = archive.whole("latents_classes", "i8", 6)
    values = archive.whole("latents_values", "f8", 6)
    colour, shape = classes[:, 0], classes[:, 1]
    if len(values) != len(classes) or not np.isfinite(values).all():
        raise DataError(f"{shown(str(path))}: its latents are not numbers, or not as many")
    if colour.any() or shape.min() < 0 or shape.max() > 2:
        raise DataError(f"{shown(str(path))}: expected one colour, and the shapes 0, 1 and 2")
    columns = dict(zip(_RANGES, values.T[2:], strict=True))
    for name, (low, high) in _RANGES.items():
        least, most = columns[name].min(), columns[name].max()
        if least < low or most > high:
            found = f"{name} goes from {least:g} to {most:g}"
            raise DataError(f"{shown(str(path))}: {found}, expected {low} to {high}")
    taken, found_at = places(columns)
    sizes = [len(np.unique(shape)), *map(len, taken.values())]
    check_grid(sizes, len(classes), path)
    return taken, np.column_stack([shape, found_at]).astype(np.float32)


def _white(path: Path, sprites: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 0 and 255 for 0 and 1."""
    if sprites.max() > 1:
        raise DataError(f"{shown(str(path))}: a pixel is {sprites.max()}, expected 0 or 1")
    return sprites[:, None] * np.uint8(255)
