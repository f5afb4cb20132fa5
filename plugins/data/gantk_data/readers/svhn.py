"""SVHN, cropped digits: MATLAB files streamed into prepared rows.

`X` is uint8 (32, 32, 3, N), rows first, so that an image is 3x32x32 bytes, columns before rows;
`y` (N, 1) holds 1 … 10, where 10 is the digit 0.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, data_folder
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats.flows import FlowRows
from gantk_data.formats.mat5 import open_matrix
from gantk_data.keeping import kept
from gantk_data.labelled import Images, check_labels, check_pair, labelled, write
from gantk_data.options import SvhnSplit
from gantk_data.places import odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import Chain

_SIDE = 32
_IMAGE = 3 * _SIDE * _SIDE
_VERSION = 1  # of this reader: raise it when the same files give other arrays
_FILES = {part: f"{part}_32x32.mat" for part in ("train", "test", "extra")}


def svhn(root: str | Path | None, split: SvhnSplit, limit: int | None) -> ArrayDataset:
    """Return SVHN (3, 32, 32); "train" holds out the test images, if their file is there."""
    folder = _folder(data_folder() if root is None else Path(root))
    names = [_FILES[part] for part in split.split("+")]
    lacking = [name for name in names if not (folder / name).is_file()]
    if lacking:
        raise SOURCES["svhn"].missing(lacking, [folder])
    test = folder / _FILES["test"]
    held_out = None
    if split.startswith("train") and test.is_file():
        held_out = _part([test], "test", None)
    return _part([folder / name for name in names], split, limit, held_out)


def upright(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (n, C, columns, rows) as (n, C, H, W)."""
    return images.transpose(0, 1, 3, 2)


def _folder(root: Path) -> Path:
    """Return the first folder that holds any of the files."""
    folders = [root, root / "SVHN", root / "svhn"]
    for folder in folders:
        if any((folder / name).is_file() for name in _FILES.values()):
            return folder
    raise SOURCES["svhn"].missing([*_FILES.values()], folders)


def _part(
    paths: Sequence[Path], split: str, limit: int | None, held_out: ArrayDataset | None = None
) -> ArrayDataset:
    source = SOURCES["svhn"]
    key = {
        "version": _VERSION,
        "files": [[str(path.resolve()), file_stamp(path)] for path in paths],
        "limit": limit,
    }
    ready = kept("svhn", key, partial(_prepare, paths, limit), lambda: _size(paths))
    report_odd(source, ready.facts["odd"])
    return labelled(source, tuple("0123456789"), split, ready, held_out)


def _prepare(paths: Sequence[Path], limit: int | None, target: Path) -> Mapping[str, Any]:
    with ExitStack() as stack:
        rows = [_rows(path, stack) for path in paths]
        labels = [_labels(path) for path in paths]
        for path, some, names in zip(paths, rows, labels, strict=True):
            where = shown(str(path))
            check_pair(some.shape[0], f"{where}: X", len(names), "y")
        images = Images(Chain(rows), np.concatenate(labels), upright)
        write(images, SOURCES["svhn"].title, limit, target)
    return {"odd": odd_sums(SOURCES["svhn"], paths)}


def _rows(path: Path, stack: ExitStack) -> FlowRows:
    matrix = stack.enter_context(open_matrix(path, "X"))
    if matrix.shape[:3] != (_SIDE, _SIDE, 3) or len(matrix.shape) != 4 or matrix.dtype != np.uint8:
        found = f"X is {matrix.dtype} {matrix.shape}"
        raise DataError(f"{shown(str(path))}: {found}, expected uint8 (32, 32, 3, N)")
    return FlowRows(matrix.file, (matrix.shape[3], 3, _SIDE, _SIDE), f"{shown(str(path))}: X")


def _labels(path: Path) -> NDArray[np.int64]:
    where = f"{shown(str(path))}: y"
    with open_matrix(path, "y") as matrix:
        try:
            labels = matrix.whole().astype(np.int64)
        except (ValueError, EOFError, zlib.error, OSError) as error:
            raise DataError(f"{where}: {error}; the file is damaged: get it again") from error
    check_labels(labels, 1, 10, where)
    return labels % 10


def _size(paths: Sequence[Path]) -> int:
    with ExitStack() as stack:
        return sum(_rows(path, stack).shape[0] * _IMAGE for path in paths)
