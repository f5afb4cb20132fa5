"""The DC-IGN faces: renders of a 3D face model, in batches within which one thing varies.

Nothing else is published of them: a batch shows one face, changing in the way its folder says.
By how much, and in which order its pictures lie, is not known (they were stored as a folder was
listed), so that no factor here can be scored; across batches face, pose and light all change.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Factor, RowWriter, data_folder, prepared
from gantk_data.archives import Tree, open_tree
from gantk_data.archives.trees import shown
from gantk_data.formats.torch7 import Torch7Error, read_tensor
from gantk_data.limits import first
from gantk_data.options import FaceVariation, Split
from gantk_data.sources import SOURCES
from gantk_data.streams import to_size

SIDE = 150
TOGETHER = 20
"""Pictures of a batch."""
_FOLDERS: dict[FaceVariation, str] = {
    "azimuth": "th_AZ_VARIED",
    "elevation": "th_EL_VARIED",
    "light": "th_LIGHT_AZ_VARIED",
    "shape": "th_SHAPE_VARIED",
}
_SPLITS = {"train": ("FT_training",), "test": ("FT_test",), "all": ("FT_training", "FT_test")}
_BATCH = re.compile(r"(?:.*/)?(th_\w+)/(FT_training|FT_test)/batch(\d{1,9})", re.ASCII)
_ZIP = "dcign_facedataset_monovariant.zip"
# Luma was summed from rounded weights: white may be a little more than 1.
_SLACK = 1e-3
_VERSION = 1  # of this reader: raise it when the same files give other arrays
_log = logging.getLogger("gantk")


class _Batch(NamedTuple):
    """One file; batches sort by split, variation and number."""

    split: int
    variation: int
    number: int
    tree: Tree
    file: str


class _Wish(NamedTuple):
    """What is asked for of the set."""

    split: Split
    variations: tuple[FaceVariation, ...]
    size: int
    limit: int | None


def dcign_faces(
    root: str | Path | None,
    split: Split,
    variations: list[FaceVariation],
    size: int,
    limit: int | None,
) -> ArrayDataset:
    """Return the faces (1, size, size); the held-out samples of split "train" are the test ones.

    Factors, none of them scored: which way the batch varies, which batch it is, and the place in
    it. Test images are those of the same variations, if there are any.
    """
    title = SOURCES["dcign_faces"].title
    ways = tuple(variation for variation in _FOLDERS if variation in variations)
    places = _locate(data_folder() if root is None else Path(root), ways)
    with ExitStack() as stack:
        trees = [stack.enter_context(open_tree(place)) for place in places]
        batches = _batches(trees)
        wish = _Wish(split, ways, size, limit)
        _check_all_there(batches, wish, places)
        if split != "train":
            name = f"{title} {'train and test' if split == 'all' else split}"
            return _dataset(name, _of(batches, wish), wish)
        kept = wish._replace(split="test", limit=None)
        test = _of(batches, kept)
        held_out = _dataset(f"{title} test", test, kept) if test else None
        return _dataset(title, _of(batches, wish), wish, held_out)


def _locate(root: Path, variations: Sequence[FaceVariation]) -> list[Path]:
    """Return the folders of these variations, or the archive that holds them."""
    names = [_FOLDERS[variation] for variation in variations]
    folders = [root, root / "dcign_faces"]
    for folder in folders:
        found = [folder / name for name in names if (folder / name).is_dir()]
        if found:
            lacking = [f"{name}/" for name in names if folder / name not in found]
            if lacking:
                raise SOURCES["dcign_faces"].missing(lacking, [folder])
            return found
        if (folder / _ZIP).is_file():
            return [folder / _ZIP]
    raise SOURCES["dcign_faces"].missing([f"{name}/" for name in names] + [_ZIP], folders)


def _batches(trees: Sequence[Tree]) -> list[_Batch]:
    """Return all batches, sorted; files of other names are left out."""
    folders, splits = list(_FOLDERS.values()), _SPLITS["all"]
    found: dict[tuple[int, int, int], _Batch] = {}
    for tree in trees:
        above = f"{tree.path.name}/" if tree.path.is_dir() else ""
        for file in tree.names():
            match = _BATCH.fullmatch(above + file)
            if match is None or match[1] not in folders:
                continue
            place = (splits.index(match[2]), folders.index(match[1]), int(match[3]))
            twin = found.setdefault(place, _Batch(*place, tree, file))
            if twin.file != file:
                fault = f"{file} and {twin.file} are one batch"
                raise DataError(f"{shown(str(tree.path))}: {fault}")
    return [found[place] for place in sorted(found)]


def _of(batches: Sequence[_Batch], wish: _Wish) -> list[_Batch]:
    splits = [_SPLITS["all"].index(folder) for folder in _SPLITS[wish.split]]
    ways = [list(_FOLDERS).index(variation) for variation in wish.variations]
    return [batch for batch in batches if batch.split in splits and batch.variation in ways]


def _check_all_there(batches: Sequence[_Batch], wish: _Wish, places: Sequence[Path]) -> None:
    folders = " or ".join(_SPLITS[wish.split])
    lacking = [
        f"{_FOLDERS[variation]}/{folders}/batch<N>"
        for variation in wish.variations
        if not _of(batches, wish._replace(variations=(variation,)))
    ]
    if lacking:
        raise SOURCES["dcign_faces"].missing(lacking, places)


def _dataset(
    name: str, batches: Sequence[_Batch], wish: _Wish, held_out: ArrayDataset | None = None
) -> ArrayDataset:
    trees = {str(batch.tree.path.resolve()): batch.tree for batch in batches}
    key = {
        "version": _VERSION,
        "stamps": {path: tree.stamp() for path, tree in trees.items()},
        **wish._asdict(),
    }
    ready = prepared("dcign_faces", key, partial(_prepare, name, batches, wish))
    return ArrayDataset(
        name,
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=(
            Factor("variation", "discrete", tuple(_FOLDERS), scored=False),
            Factor("batch", "discrete", tuple(ready.facts["batches"]), scored=False),
            Factor("place", "continuous", high=TOGETHER - 1.0, scored=False),
        ),
        notice=SOURCES["dcign_faces"].notice,
        held_out=held_out,
        fingerprint=ready.fingerprint,
    )


def _prepare(name: str, batches: Sequence[_Batch], wish: _Wish, target: Path) -> Mapping[str, Any]:
    count = first(wish.limit, len(batches) * TOGETHER, name)
    _log.info("preparing %s pictures of %s, once", f"{count:,}", name)
    shape = (count, 1, wish.size, wish.size)
    used = -(-count // TOGETHER)
    with RowWriter(target / "images.npy", shape, name, items=used) as images:
        for number in range(images.done, used):
            row = number * TOGETHER
            images.write(row, to_size(_faces(batches[number]), wish.size)[: count - row])
            images.mark(number + 1)
    rows = np.arange(count)
    ways = np.array([batch.variation for batch in batches])
    columns = [ways[rows // TOGETHER], rows // TOGETHER, rows % TOGETHER]
    np.save(target / "factors.npy", np.column_stack(columns).astype(np.float32))
    splits, variations = _SPLITS["all"], list(_FOLDERS)
    names = [f"{variations[b.variation]} {splits[b.split]} {b.number}" for b in batches]
    return {"batches": names}


def _faces(batch: _Batch) -> NDArray[np.uint8]:
    """Return the pictures of a batch, (20, 150, 150)."""
    where = f"{shown(str(batch.tree.path))}: {batch.file}"
    try:
        values = read_tensor(batch.tree.read(batch.file))
    except Torch7Error as error:
        raise DataError(f"{where}: {error}; get the set again") from error
    if values.shape != (TOGETHER, 1, SIDE, SIDE):
        expected = (TOGETHER, 1, SIDE, SIDE)
        raise DataError(f"{where}: its sizes are {values.shape}, expected {expected}")
    low, high = values.min(), values.max()
    if not (low >= -_SLACK and high <= 1 + _SLACK):  # also for what is no number
        raise DataError(f"{where}: values go from {low:g} to {high:g}, expected 0 to 1")
    return np.rint(values[:, 0] * 255).astype(np.uint8)
