"""CelebA, aligned and cropped: the pictures in a folder or zip, with what is known of each."""

from __future__ import annotations

import io
import logging
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Factor, RowWriter, data_folder, prepared
from gantk_data.archives import Tree, open_tree
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats import celeba_texts as texts
from gantk_data.ingest import ingest
from gantk_data.limits import first
from gantk_data.options import CelebaCrop, CelebaScored, CelebaSplit
from gantk_data.pictures import BadPictureError, decode, pixels
from gantk_data.places import odd_sums, report_odd
from gantk_data.sources import SOURCES

WIDTH, HEIGHT = 178, 218
COUNT = 202_599
_FOLDER, _ZIP = "img_align_celeba", "img_align_celeba.zip"
_VERSION = 1  # of this reader: raise it when the same files give other arrays
_PICTURE = re.compile(r"(?:.*/)?(\d{6}\.jpg)", re.ASCII)
_READ: dict[str, Callable[[Path], texts.Table]] = {
    texts.PARTITION: texts.read_partition,
    texts.ATTRIBUTES: texts.read_attributes,
    texts.LANDMARKS: texts.read_landmarks,
}
_log = logging.getLogger("gantk")


class _Files(NamedTuple):
    """Where a copy of the set lies."""

    pictures: Path
    """A folder or a zip."""
    texts: Mapping[str, Path]
    """The text files that are there."""


class _Wish(NamedTuple):
    """What is asked for of the set."""

    split: CelebaSplit
    size: int
    crop: CelebaCrop
    limit: int | None


def celeba(
    root: str | Path | None,
    split: CelebaSplit,
    size: int,
    crop: CelebaCrop,
    scored: CelebaScored,
    limit: int | None,
) -> ArrayDataset:
    """Return CelebA (3, size, size); the held-out samples of split "train" are the test images.

    Factors are the attributes, if their file is there, then a stand-in for the azimuth and the
    landmarks, if theirs is.
    """
    files = _locate(data_folder() if root is None else Path(root))
    if split != "all" and texts.PARTITION not in files.texts:
        note = f"it says which images are split = {split!r}; split = 'all' needs no such file"
        raise SOURCES["celeba"].missing([texts.PARTITION], [files.pictures.parent], note)
    with open_tree(files.pictures) as tree:
        stamp = tree.stamp()
        wish = _Wish(split, size, crop, limit)
        test = wish._replace(split="test", limit=None)
        held_out = _part(files, tree, stamp, test, scored) if split == "train" else None
        return _part(files, tree, stamp, wish, scored, held_out)


def box(crop: CelebaCrop) -> tuple[int, int, int, int]:
    """Return what a crop keeps: left, upper, right, lower."""
    if crop == "none":
        return (0, 0, WIDTH, HEIGHT)
    if crop == "progressive":
        return (89 - 64, 121 - 64, 89 + 64, 121 + 64)
    side = int(crop)
    left, upper = (WIDTH - side) // 2, (HEIGHT - side) // 2
    return (left, upper, left + side, upper + side)


def _locate(root: Path) -> _Files:
    folders = [root / "celeba", root]
    for name in (_FOLDER, _ZIP):
        for folder in folders:
            if (folder / name).exists():
                found = {text: folder / text for text in _READ if (folder / text).is_file()}
                return _Files(folder / name, found)
    raise SOURCES["celeba"].missing([f"{_FOLDER}/", _ZIP], folders)


def _part(
    files: _Files,
    tree: Tree,
    stamp: str,
    wish: _Wish,
    scored: CelebaScored,
    held_out: ArrayDataset | None = None,
) -> ArrayDataset:
    source = SOURCES["celeba"]
    key = {
        "version": _VERSION,
        "path": str(files.pictures.resolve()),
        "stamp": stamp,
        "texts": {name: file_stamp(path) for name, path in files.texts.items()},
        **wish._asdict(),
    }
    ready = prepared("celeba", key, partial(_prepare, files, tree, wish))
    if held_out is None:  # once is enough
        report_odd(source, ready.facts["odd"])
    name = source.title if wish.split == "train" else f"{source.title} {wish.split}"
    return ArrayDataset(
        name,
        "real",
        ready.arrays["images"],
        factors=ready.arrays.get("factors"),
        descriptions=_descriptions(files, ready.facts["attributes"], scored),
        notice=source.notice,
        held_out=held_out,
        fingerprint=ready.fingerprint,
    )


def _descriptions(files: _Files, attributes: list[str], scored: CelebaScored) -> list[Factor]:
    described = texts.attribute_factors(tuple(attributes), scored)
    if texts.LANDMARKS in files.texts:
        described += texts.landmark_factors(WIDTH, HEIGHT)
    return described


def _prepare(files: _Files, tree: Tree, wish: _Wish, target: Path) -> Mapping[str, Any]:
    source = SOURCES["celeba"]
    found = _pictures(tree)
    tables = {name: _READ[name](path) for name, path in files.texts.items()}
    values = {name: table.of(found) for name, table in tables.items()}
    rows = np.arange(len(found))
    if wish.split != "all":
        rows = np.flatnonzero(values[texts.PARTITION][:, 0] == texts.PARTS.index(wish.split))
    rows = rows[: first(wish.limit, len(rows), f"{source.title} {wish.split}")]
    if not len(rows):
        raise DataError(f"{shown(str(tree.path))}: no image is of split {wish.split!r}")
    places = list(found.values())
    _write_pictures(tree, [places[row] for row in rows], wish, target)
    columns = _factors(values)
    if columns:
        np.save(target / "factors.npy", np.concatenate(columns, axis=1)[rows])
    archive = [files.pictures] if files.pictures.is_file() else []
    odd = odd_sums(source, [*archive, *files.texts.values()])
    if len(found) != COUNT:
        odd.append(f"{shown(str(tree.path))} holds {len(found):,} images, not {COUNT:,}")
    attributes = tables.get(texts.ATTRIBUTES)
    return {"odd": odd, "attributes": [] if attributes is None else list(attributes.columns)}


def _pictures(tree: Tree) -> dict[str, str]:
    """Return where each picture lies in the tree, by its own name, ascending."""
    found: dict[str, str] = {}
    for name in tree.names():
        if match := _PICTURE.fullmatch(name):
            twin = found.setdefault(match[1], name)
            if twin is not name:
                raise DataError(f"{shown(str(tree.path))}: {name} and {twin} are one picture")
    if not found:
        raise SOURCES["celeba"].missing(["000001.jpg, 000002.jpg …"], [tree.path])
    return dict(sorted(found.items()))


def _write_pictures(tree: Tree, names: list[str], wish: _Wish, target: Path) -> None:
    title = SOURCES["celeba"].title
    _log.info("preparing %s pictures of %s, once; it takes minutes", f"{len(names):,}", tree.path)
    rows = {name: row for row, name in enumerate(names)}
    wanted = [name for name in tree.names() if name in rows]
    work = partial(_face, place=tree.path, size=wish.size, crop=wish.crop)
    with RowWriter(target / "images.npy", (len(names), 3, wish.size, wish.size), title) as images:
        ingest(tree, wanted, work, images, rows)


def _face(name: str, data: bytes, place: Path, size: int, crop: CelebaCrop) -> NDArray[np.uint8]:
    """Return the picture as (3, size, size); DataError naming its file."""
    left, upper, right, lower = box(crop)
    # Twice the pixels that are needed, so that what the decoder drops would not be seen.
    at_least = math.ceil(2 * WIDTH * size / (right - left))
    try:
        image = decode(io.BytesIO(data), at_least=at_least, only=(WIDTH, HEIGHT))
    except BadPictureError as error:
        raise DataError(f"{shown(str(place))}: {name}: {error}") from error
    scale = image.width / WIDTH
    kept = (left * scale, upper * scale, right * scale, lower * scale)
    scaled = image.resize((size, size), Image.Resampling.LANCZOS, box=kept)
    return pixels(scaled, 3)


def _factors(values: Mapping[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
    columns = []
    if texts.ATTRIBUTES in values:
        columns.append(values[texts.ATTRIBUTES].astype(np.float32))
    if texts.LANDMARKS in values:
        columns.append(texts.with_azimuth(values[texts.LANDMARKS]))
    return columns
