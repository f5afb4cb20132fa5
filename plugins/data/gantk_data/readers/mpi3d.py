"""MPI3D: a robot arm with an object in its hand, rendered or photographed, from the `.npz`."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gan_toolkit import ArrayDataset, DataError, RowWriter, data_folder, prepared
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats.npz import open_npz
from gantk_data.grids import Axis, continuous, discrete, table
from gantk_data.limits import spread
from gantk_data.options import Mpi3dVariant
from gantk_data.places import locate, odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import copy_rows, to_size

SIDE = 64
STEPS = 40
"""Positions of either joint, when the set is complete."""
FILES: dict[Mpi3dVariant, tuple[str, ...]] = {
    "toy": ("mpi3d_toy.npz",),
    "realistic": ("mpi3d_realistic.npz",),
    "real": ("mpi3d_real.npz",),
    "real_complex": ("mpi3d_real_complex.npz", "real3d_complicated_shapes_ordered.npz"),
}
"""The names each variant is published under."""
_SIMPLE = (
    ("white", "green", "red", "blue", "brown", "olive"),
    ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere"),
)
_COMPLEX = (
    ("yellow", "green", "olive", "red"),
    ("coffee cup", "tennis ball", "croissant", "beer cup"),
)
_UNNAMED = (("0", "1", "2", "3"),) * 2
_OTHERS = 2 * 3 * 3
_VERSION = 1  # of this reader: raise it when the same file gives other arrays
_log = logging.getLogger("gantk")


def mpi3d(
    root: str | Path | None, variant: Mpi3dVariant, size: int, subset: int | None
) -> ArrayDataset:
    """Return a variant of MPI3D, (3, size, size), with its seven factors."""
    source = SOURCES["mpi3d"]
    root = data_folder() if root is None else Path(root)
    path = locate(source, [root, root / "mpi3d"], FILES[variant])
    key = {
        "version": _VERSION,
        "path": str(path.resolve()),
        "stamp": file_stamp(path),
        "variant": variant,
        "size": size,
        "subset": subset,
    }
    ready = prepared("mpi3d", key, partial(_prepare, path, variant, size, subset))
    report_odd(source, ready.facts["odd"])
    return ArrayDataset(
        f"{source.title} {variant}",
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=[axis.factor for axis in grid(variant, ready.facts["count"], path)],
        notice=source.notice,
        fingerprint=ready.fingerprint,
    )


def grid(variant: Mpi3dVariant, count: int, path: Path) -> list[Axis]:
    """Return the factors that `count` samples of a variant have, the last one fastest.

    Complete sets have 6 x 6 objects, the complex photographs 4 x 4. An early release of the other
    variants had 4 x 4, too, and much code takes that for granted: here the count decides. What
    the early colours and shapes were is not known, so they are numbers.
    """
    known = (_COMPLEX,) if variant == "real_complex" else (_SIMPLE, _UNNAMED)
    for colours, shapes in known:
        steps = math.isqrt(count // (len(colours) * len(shapes) * _OTHERS))
        if steps in range(1, STEPS + 1):
            axes = _axes(colours, shapes, steps)
            if math.prod(len(axis.values) for axis in axes) == count:
                return axes
    complete = " or ".join(f"{_complete(names):,}" for names in known)
    raise DataError(
        f"{shown(str(path))}: it holds {count:,} images, which is no grid of {variant}; the "
        f"complete one has {complete}"
    )


def _axes(colours: Sequence[str], shapes: Sequence[str], steps: int) -> list[Axis]:
    positions = np.linspace(0, 1, steps).tolist()
    return [
        discrete("object_colour", colours),
        discrete("object_shape", shapes),
        discrete("object_size", ("small", "large")),
        discrete("camera_height", ("top", "centre", "bottom")),
        discrete("background_colour", ("purple", "sea green", "salmon")),
        continuous("horizontal", positions),
        continuous("vertical", positions),
    ]


def _complete(names: Sequence[Sequence[str]]) -> int:
    return math.prod(map(len, names)) * _OTHERS * STEPS**2


def _prepare(
    path: Path, variant: Mpi3dVariant, size: int, subset: int | None, target: Path
) -> Mapping[str, Any]:
    source = SOURCES["mpi3d"]
    title = f"{source.title} {variant}"
    with open_npz(path) as archive, archive.open("images", "u1", SIDE, SIDE, 3) as pictures:
        count = pictures.shape[0]
        axes = grid(variant, count, path)
        chosen = spread(subset, count, title)
        _log.info("preparing %s pictures of %s, once; it takes minutes", f"{len(chosen):,}", path)
        shape = (len(chosen), 3, size, size)
        with RowWriter(target / "images.npy", shape, title) as images:
            copy_rows(pictures, chosen, images, partial(to_size, size=size))
    np.save(target / "factors.npy", table(axes, chosen))
    odd = odd_sums(source, [path])
    if len(axes[-1].values) != STEPS:
        odd.append(f"{shown(str(path))} holds {count:,} images, fewer than the complete set")
    return {"odd": odd, "count": count}
