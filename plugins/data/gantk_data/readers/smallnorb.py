"""smallNORB: toys photographed by two cameras from all sides and in six lights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from math import tau
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import (
    ArrayDataset,
    DataError,
    Factor,
    Prepared,
    RowWriter,
    data_folder,
    prepared,
)
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats import idx
from gantk_data.formats.norb import open_matrix, read_table
from gantk_data.grids import check_grid
from gantk_data.limits import first
from gantk_data.options import Camera, Split
from gantk_data.places import odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import Chain, copy_rows, to_size

SIDE = 96
COUNT = 24_300
"""Pairs of pictures in either split."""
_STEMS = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
_PICTURES, _CATEGORIES, _INFO = "dat", "cat", "info"
_CLASSES = ("animal", "human", "airplane", "truck", "car")
_ALLOWED = {
    "category": range(5),
    "instance": range(10),
    "elevation": range(9),
    "azimuth": range(0, 36, 2),
    "lighting": range(6),
}
"""What the files may say: category, then the columns of the info file."""
_FACTORS = (
    Factor("category", "discrete", _CLASSES),
    Factor("elevation", "continuous", low=30.0, high=70.0, unit="deg"),
    Factor("azimuth", "circular", low=0.0, high=tau, unit="rad"),
    Factor("lighting", "discrete", tuple("012345")),
    # A nuisance: the toys of a number have nothing in common over categories.
    Factor("instance", "discrete", tuple("0123456789"), scored=False),
)
_CAMERA = Factor("camera", "discrete", ("left", "right"), scored=False)
_VERSION = 1  # of this reader: raise it when the same files give other arrays


class _Wish(NamedTuple):
    """What is asked for of the set."""

    splits: tuple[str, ...]
    camera: Camera
    size: int
    limit: int | None


def smallnorb(
    root: str | Path | None, split: Split, camera: Camera, size: int, limit: int | None
) -> ArrayDataset:
    """Return smallNORB (1, size, size); the held-out samples of split "train" are the test ones.

    The splits show different toys. With both cameras a pair is two samples, the left one first.
    """
    source = SOURCES["smallnorb"]
    needed = ("test",) if split == "test" else ("train", "test")
    paths = _locate(data_folder() if root is None else Path(root), needed)
    mine = ("train",) if split == "train" else needed
    name = f"{source.title} train and test" if split == "all" else f"{source.title} {split}"
    ready = _ready(name, paths, _Wish(mine, camera, size, limit))
    if split != "train":
        report_odd(source, ready.facts["odd"])
        return _dataset(name, ready, camera)
    test = f"{source.title} test"
    kept = _ready(test, paths, _Wish(("test",), camera, size, None))
    report_odd(source, [*ready.facts["odd"], *kept.facts["odd"]])
    return _dataset(source.title, ready, camera, _dataset(test, kept, camera))


def _locate(root: Path, splits: Sequence[str]) -> dict[str, Path]:
    """Return the files by their names, of the first folder that holds any of them."""
    names = [
        f"{_STEMS[split]}-{kind}.mat"
        for split in splits
        for kind in (_PICTURES, _CATEGORIES, _INFO)
    ]
    folders = [root, root / "smallnorb"]
    for folder in folders:
        found = {name: idx.find(folder, name) for name in names}
        if any(found.values()):
            break
    lacking = [f"{name}(.gz)" for name, path in found.items() if path is None]
    if lacking:
        places = folders if len(lacking) == len(names) else [folder]
        raise SOURCES["smallnorb"].missing(lacking, places)
    return {name: path for name, path in found.items() if path is not None}


def _ready(name: str, paths: Mapping[str, Path], wish: _Wish) -> Prepared:
    mine = {file: path for file, path in paths.items() if file.startswith(_stems(wish))}
    key = {
        "version": _VERSION,
        "stamps": {str(path.resolve()): file_stamp(path) for path in mine.values()},
        **wish._asdict(),
    }
    return prepared("smallnorb", key, partial(_prepare, mine, wish, name))


def _dataset(
    name: str, ready: Prepared, camera: Camera, held_out: ArrayDataset | None = None
) -> ArrayDataset:
    factors = ready.arrays["factors"]
    return ArrayDataset(
        name,
        "real",
        ready.arrays["images"],
        factors[:, 0].astype(np.int64),
        factors,
        classes=_CLASSES,
        descriptions=(*_FACTORS, _CAMERA) if camera == "both" else _FACTORS,
        notice=SOURCES["smallnorb"].notice,
        held_out=held_out,
        fingerprint=ready.fingerprint,
    )


def _stems(wish: _Wish) -> tuple[str, ...]:
    return tuple(_STEMS[split] for split in wish.splits)


def _prepare(paths: Mapping[str, Path], wish: _Wish, name: str, target: Path) -> Mapping[str, Any]:
    stems = _stems(wish)
    factors = np.concatenate(
        [_factors(paths[f"{s}-{_CATEGORIES}.mat"], paths[f"{s}-{_INFO}.mat"]) for s in stems]
    )
    with ExitStack() as stack:
        # A pair is two rows: left, right.
        links = [
            stack.enter_context(open_matrix(paths[f"{stem}-{_PICTURES}.mat"], "u1"))
            for stem in stems
        ]
        pictures = Chain([link.rows(SIDE, SIDE) for link in links])
        if pictures.shape[0] != 2 * len(factors):
            held = f"{pictures.shape[0]:,} pictures, and two for each of {len(factors):,} labels"
            raise DataError(f"{shown(str(paths[f'{stems[0]}-{_PICTURES}.mat']))}: there are {held}")
        chosen = _of_camera(wish.camera, len(factors))
        chosen = chosen[: first(wish.limit, len(chosen), name)]
        shape = (len(chosen), 1, wish.size, wish.size)
        with RowWriter(target / "images.npy", shape, name) as images:
            copy_rows(pictures, chosen, images, partial(to_size, size=wish.size))
    columns = factors[chosen // 2]
    if wish.camera == "both":
        columns = np.column_stack([columns, (chosen % 2).astype(np.float32)])
    np.save(target / "factors.npy", columns)
    odd = odd_sums(SOURCES["smallnorb"], paths.values())
    if len(factors) != COUNT * len(stems):
        odd.append(f"there are {len(factors):,} pairs, not {COUNT * len(stems):,}")
    return {"odd": odd}


def _of_camera(camera: Camera, pairs: int) -> NDArray[np.int64]:
    """Return the rows of one camera's pictures, or of both."""
    if camera == "both":
        return np.arange(2 * pairs)
    return np.arange(int(camera == "right"), 2 * pairs, 2)


def _factors(categories: Path, info: Path) -> NDArray[np.float32]:
    """Return (N, 5) in the order of `_FACTORS`."""
    labels, rest = read_table(categories, 1), read_table(info, len(_ALLOWED) - 1)
    if len(labels) != len(rest):
        held = f"{len(labels):,} labels, {shown(str(info))} {len(rest):,}"
        raise DataError(f"{shown(str(categories))} holds {held}; they must be as many")
    columns = dict(zip(_ALLOWED, np.column_stack([labels, rest]).T, strict=True))
    for name, column in columns.items():
        wrong = column[~np.isin(column, _ALLOWED[name])]
        if len(wrong):
            where = categories if name == "category" else info
            allowed = _ALLOWED[name]
            found = f"{name} is {wrong[0]}, expected {allowed[0]} to {allowed[-1]}"
            raise DataError(f"{shown(str(where))}: {found}")
    check_grid([len(np.unique(column)) for column in columns.values()], len(labels), info)
    return np.column_stack(
        [
            columns["category"],
            30.0 + 5.0 * columns["elevation"],
            columns["azimuth"] * (tau / 36),
            columns["lighting"],
            columns["instance"],
        ]
    ).astype(np.float32)
