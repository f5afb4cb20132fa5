"""Cars3D: 183 car models from 24 azimuths and 4 elevations, as `.mat` files in a tar or folder."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, RowWriter, data_folder, prepared
from gantk_data.archives import Limits, Tree, open_tree
from gantk_data.archives.trees import shown
from gantk_data.grids import Axis, circular, discrete, table
from gantk_data.limits import first
from gantk_data.places import locate, odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import to_size

CARS = 183
AZIMUTHS, ELEVATIONS = 24, 4
_VIEWS = AZIMUTHS * ELEVATIONS
_SIDE = 128
_SHAPE = (_SIDE, _SIDE, 3, AZIMUTHS, ELEVATIONS)
_LIST = "list.txt"
_LARGEST_LIST = 1 << 20
_VERSION = 1  # of this reader: raise it when the same files give other arrays
# The tar holds other sets of the same paper, too, one of them large.
_LIMITS = Limits(largest=1 << 32)
_log = logging.getLogger("gantk")


def cars3d(root: str | Path | None, size: int, limit: int | None) -> ArrayDataset:
    """Return Cars3D (3, size, size): models in the order of `list.txt`, then azimuth, elevation.

    What the four elevations are in degrees is not published; nor is where the azimuth begins.
    """
    source = SOURCES["cars3d"]
    root = data_folder() if root is None else Path(root)
    names = ["nips2015-analogy-data.tar.gz", "data/cars", "cars"]
    place = locate(source, [root, root / "cars3d"], names)
    with open_tree(place, _LIMITS) as tree:
        key = {
            "version": _VERSION,
            "path": str(place.resolve()),
            "stamp": tree.stamp(),
            "size": size,
            "limit": limit,
        }
        ready = prepared("cars3d", key, partial(_prepare, tree, size, limit))
    report_odd(source, ready.facts["odd"])
    return ArrayDataset(
        source.title,
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=[axis.factor for axis in _axes(ready.facts["cars"])],
        notice=source.notice,
        fingerprint=ready.fingerprint,
    )


def _axes(cars: list[str]) -> list[Axis]:
    return [
        # A nuisance: no code of a useful size could tell so many models apart.
        discrete("model", cars, scored=False),
        circular("azimuth", AZIMUTHS),
        discrete("elevation", [str(place) for place in range(ELEVATIONS)]),
    ]


def _prepare(tree: Tree, size: int, limit: int | None, target: Path) -> Mapping[str, Any]:
    source = SOURCES["cars3d"]
    cars = _listed(tree)
    count = first(limit, len(cars) * _VIEWS, source.title)
    needed = list(cars)[: -(-count // _VIEWS)]
    rows = {cars[car]: number * _VIEWS for number, car in enumerate(needed)}
    _log.info("preparing %s pictures of %s, once", f"{count:,}", tree.path)
    shape = (count, 3, size, size)
    with RowWriter(target / "images.npy", shape, source.title, items=len(rows)) as images:
        _write_cars(tree, rows, size, images, count)
    np.save(target / "factors.npy", table(_axes(list(cars)), np.arange(count)))
    odd = odd_sums(source, [tree.path] if tree.path.is_file() else [])
    if len(cars) != CARS:
        odd.append(f"{shown(str(tree.path))} lists {len(cars)} cars, not {CARS}")
    return {"odd": odd, "cars": list(cars)}


def _listed(tree: Tree) -> dict[str, str]:
    """Return the cars that `list.txt` names, in its order, each with the name of its file."""
    names = tree.names()
    lists = [name for name in names if name == _LIST or name.endswith(f"cars/{_LIST}")]
    if not lists:
        raise SOURCES["cars3d"].missing([f"cars/{_LIST}"], [tree.path])
    if len(lists) > 1:
        raise DataError(f"{shown(str(tree.path))}: there are {len(lists)} files cars/{_LIST}")
    folder = lists[0].removesuffix(_LIST)
    data = tree.read(lists[0])
    if len(data) > _LARGEST_LIST:
        raise DataError(f"{shown(str(tree.path))}: {lists[0]} has {len(data):,} bytes")
    cars = data.decode("ascii", "replace").split()
    there = set(names)
    lacking = [car for car in cars if f"{folder}{car}.mat" not in there]
    if lacking or not cars or len(set(cars)) < len(cars):
        fault = f"{folder}{lacking[0]}.mat is not there" if lacking else "it is empty or repeats"
        raise DataError(f"{shown(str(tree.path))}: {lists[0]}: {shown(fault)}; get the set again")
    return {car: f"{folder}{car}.mat" for car in cars}


def _write_cars(
    tree: Tree, rows: Mapping[str, int], size: int, images: RowWriter, count: int
) -> None:
    """Write the views of each car from its row on, in the order in which files come."""
    wanted = [name for name in tree.names() if name in rows]
    for name, data in tree.each(frozenset(wanted[images.done :])):
        views = to_size(_views(tree.path, name, data), size)
        images.write(rows[name], views[: count - rows[name]])
        images.mark(images.done + 1)


def _views(place: Path, name: str, data: bytes) -> NDArray[np.uint8]:
    """Return the pictures (96, 128, 128, 3) of a file, elevation fastest."""
    where = f"{shown(str(place))}: {name}"
    try:
        # Shape and type stand in the file's headers; they are looked at before memory is taken.
        held = {
            variable: (shape, kind) for variable, shape, kind in scipy.io.whosmat(io.BytesIO(data))
        }
        if held.get("im") != (_SHAPE, "uint8"):
            raise DataError(f"{where}: im is {held.get('im')}, expected {_SHAPE} of uint8")
        views = scipy.io.loadmat(io.BytesIO(data), variable_names=["im"])["im"]
    except DataError:
        raise
    except Exception as error:  # damaged bytes make the parser raise almost anything
        raise DataError(f"{where} can't be read: {error}; get the set again") from error
    return views.transpose(3, 4, 0, 1, 2).reshape(_VIEWS, _SIDE, _SIDE, 3)
