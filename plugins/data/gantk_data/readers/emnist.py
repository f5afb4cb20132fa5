"""EMNIST: letters and digits in MNIST's format, read from their files or inside NIST's zip.

The files hold each image transposed; here they stand upright, as MNIST's do. Labels of `letters`
begin at 1 there, and at 0 here.
"""

from __future__ import annotations

import gzip
import io
import math
import string
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, data_folder
from gantk_data.archives import Limits, open_tree
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats import idx
from gantk_data.formats.flows import Opened, open_file
from gantk_data.keeping import kept
from gantk_data.labelled import Images, check_labels, check_pair, labelled, write
from gantk_data.options import EmnistVariant, Split
from gantk_data.places import odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import Chain

_ZIP = "gzip.zip"
_SIDE = 28
_VERSION = 1  # of this reader: raise it when the same files give other arrays
# The largest file inside takes some 180 MB; one such is held at a time.
_LIMITS = Limits(largest=1 << 29)
_CHARACTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_MERGED = "".join(c for c in _CHARACTERS if c not in "cijklmopsuvwxyz")
_CLASSES = {
    "letters": string.ascii_lowercase,
    "digits": string.digits,
    "mnist": string.digits,
    "balanced": _MERGED,
    "bymerge": _MERGED,
    "byclass": _CHARACTERS,
}


class _Place(NamedTuple):
    """Where a file is: by itself, or the member of a zip."""

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return shown(str(self.path)) + (f": {shown(self.member)}" if self.member else "")


def emnist(
    root: str | Path | None, variant: EmnistVariant, split: Split, limit: int | None
) -> ArrayDataset:
    """Return a variant of EMNIST; the held-out samples of split "train" are the test images."""
    files = _locate(data_folder() if root is None else Path(root), variant)
    if split != "train":
        return _part(files, variant, split, limit)
    return _part(files, variant, split, limit, _part(files, variant, "test", None))


def upright(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (n, 28, 28) of a file as (n, 1, 28, 28)."""
    return images.transpose(0, 2, 1)[:, None]


def _locate(root: Path, variant: EmnistVariant) -> dict[str, _Place]:
    """Return the four files of the first folder or zip that holds any of them."""
    names = [
        f"emnist-{variant}-{part}-{kind}-ubyte"
        for part in ("train", "test")
        for kind in ("images-idx3", "labels-idx1")
    ]
    folders = [root / "EMNIST" / "raw", root]
    zips = [folder / _ZIP for folder in (*folders, root / "EMNIST")]
    found: dict[str, _Place] = {}
    for folder in folders:
        paths = {name: idx.find(folder, name) for name in names}
        found = found or {name: _Place(path) for name, path in paths.items() if path}
    if not found:
        archive = next(filter(Path.is_file, zips), None)
        found = {} if archive is None else _members(archive, names)
    lacking = [f"{name}(.gz)" for name in names if name not in found]
    if lacking:
        places = {place.path if place.member else place.path.parent for place in found.values()}
        raise SOURCES["emnist"].missing(lacking, [*places] or [*folders, zips[0]])
    return found


def _members(archive: Path, names: list[str]) -> dict[str, _Place]:
    with open_tree(archive, _LIMITS) as tree:
        known = {PurePosixPath(name).name.removesuffix(".gz"): name for name in tree.names()}
    return {name: _Place(archive, known[name]) for name in names if name in known}


def _part(
    files: Mapping[str, _Place],
    variant: EmnistVariant,
    split: Split,
    limit: int | None,
    held_out: ArrayDataset | None = None,
) -> ArrayDataset:
    source = SOURCES["emnist"]
    parts = {"train": ("train",), "test": ("test",), "all": ("train", "test")}[split]
    used = {name: place for name, place in files.items() if name.split("-")[2] in parts}
    key = {
        "version": _VERSION,
        "files": [
            [str(place.path.resolve()), place.member, file_stamp(place.path)]
            for place in used.values()
        ],
        "limit": limit,
    }
    places = list(used.values())
    make = partial(_prepare, places, variant, limit)
    ready = kept("emnist", key, make, lambda: sum(map(_size, places[::2])))
    if held_out is None:  # once is enough
        report_odd(source, ready.facts["odd"])
    return labelled(source, tuple(_CLASSES[variant]), split, ready, held_out)


def _prepare(
    places: list[_Place], variant: EmnistVariant, limit: int | None, target: Path
) -> Mapping[str, Any]:
    """Write what files hold that come in pairs, images before their labels."""
    with ExitStack() as stack:
        rows, labels = [], []
        for images, names in zip(places[::2], places[1::2], strict=True):
            rows.append(idx.rows(stack.enter_context(_opened(images)), str(images)))
            if rows[-1].shape[1:] != (_SIDE, _SIDE):
                raise DataError(f"{images}: its images are {rows[-1].shape[1:]}, expected (28, 28)")
            labels.append(_labels(names, variant))
            check_pair(rows[-1].shape[0], str(images), len(labels[-1]), str(names))
        write(
            Images(Chain(rows), np.concatenate(labels), upright),
            f"{SOURCES['emnist'].title} {variant}",
            limit,
            target,
        )
    return {"odd": odd_sums(SOURCES["emnist"], {place.path for place in places if place.member})}


def _labels(place: _Place, variant: EmnistVariant) -> NDArray[np.int64]:
    with _opened(place) as file:
        labels = idx.parse(file, str(place), idx.LABELS).array.astype(np.int64)
    begin = 1 if variant == "letters" else 0
    check_labels(labels, begin, begin + len(_CLASSES[variant]) - 1, str(place))
    return labels - begin


def _size(images: _Place) -> int:
    with _opened(images) as file:
        return math.prod(idx.rows(file, str(images)).shape)


@contextmanager
def _opened(place: _Place) -> Iterator[Opened]:
    if not place.member:
        with open_file(place.path) as file:
            yield file
        return
    with open_tree(place.path, _LIMITS) as tree:
        data = io.BytesIO(tree.read(place.member))
    yield gzip.GzipFile(fileobj=data) if place.member.endswith(".gz") else data
