"""Pictures somewhere, whatever holds them, as one prepared array: found, decoded once, sorted out.

What holds them is a `Tree`: a folder, an archive, shards, a table. Nothing here knows which.
"""

from __future__ import annotations

import io
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, RowWriter
from gantk_data.archives import ARCHIVES, open_tree
from gantk_data.archives.trees import Tree, shown
from gantk_data.ingest import Picture, ingest
from gantk_data.keeping import kept
from gantk_data.options import Background, Resize
from gantk_data.pictures import SUFFIXES, decode, pixels, to_square

_VERSION = 1  # of what is made of a picture: raise it when the same files give other arrays
_SPARE = 4 / 3
"""Pixels asked of a JPEG's decoder, as a multiple of those needed: photographs of 178x218 brought
to 64x64 differ by 1.8 levels of 255 on average from a full decode, and take half the time."""
_SHOWN = 5
_log = logging.getLogger("gantk")

Find = Callable[[Tree], list[str]]
"""Names the files of a tree that are pictures, in its order; DataError if there is none."""


@dataclass(frozen=True)
class Look:
    """How a picture becomes a sample: uint8 (channels, size, size)."""

    size: int
    channels: int
    resize: Resize
    background: Background
    max_pixels: int

    @property
    def nbytes(self) -> int:
        """Bytes of one sample."""
        return self.channels * self.size * self.size

    def at(self, name: str, data: bytes) -> Picture:
        """Return the sample a file holds; BadPictureError says why it can't be used."""
        del name  # the kind of a picture is told by its contents
        at_least = None if self.resize == "refuse" else math.ceil(self.size * _SPARE)
        image = decode(io.BytesIO(data), self.background, self.max_pixels, at_least)
        return pixels(to_square(image, self.size, self.resize, self.background), self.channels)


@dataclass(frozen=True)
class Collection:
    """The pictures of a tree."""

    names: list[str]
    """All of them, the bad ones too."""
    bad: Mapping[str, str]
    """Why some can't be used."""
    images: NDArray[np.uint8]
    """(N, C, H, W) of the good ones, in the order of their names above."""
    fingerprint: str

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which of the names have an image."""
        return np.array([name not in self.bad for name in self.names])


def collect(kind: str, tree: Tree, find: Find, look: Look, skip_bad: bool) -> Collection:
    """Return the pictures that `find` names, prepared now unless they are found prepared.

    Raises DataError naming the first bad ones, unless some are good and the bad are skipped.
    """
    key = {
        "version": _VERSION,
        "path": str(tree.path.resolve()),
        "stamp": tree.stamp(is_picture),  # a table beside the pictures may change
        **asdict(look),
    }
    make = partial(_prepare, tree, find, look)
    ready = kept(kind, key, make, lambda: len(find(tree)) * look.nbytes)
    names = _unpacked(ready.arrays["names"])
    found = Collection(names, ready.facts["bad"], ready.arrays["images"], ready.fingerprint)
    if found.bad:
        _complain(tree.path, found, skip_bad)
    return found


def open_pictures(path: Path) -> AbstractContextManager[Tree]:
    """Open a folder or an archive; DataError for what isn't there, or is neither by its name."""
    if not path.exists():
        raise DataError(
            f"there is no folder or archive {shown(str(path))}; name a folder of pictures, a "
            "zip or a tar"
        )
    if path.is_file() and not path.name.lower().endswith(ARCHIVES):
        known = " ".join(ARCHIVES)
        raise DataError(f"{shown(str(path))} is neither a folder nor an archive ({known})")
    return open_tree(path)


def find_pictures(tree: Tree) -> list[str]:
    """Return the files of a tree that are pictures by their names; DataError if there is none."""
    names = tree.names()
    pictures = list(filter(is_picture, names))
    if not pictures:
        most = Counter(_suffix(name) or "none" for name in names).most_common(_SHOWN)
        kinds = ", ".join(f"{shown(suffix)} {count:,}" for suffix, count in most)
        saw = f"saw {len(names):,} files with other suffixes" + (f" ({kinds})" if kinds else "")
        known = " ".join(sorted(SUFFIXES))
        raise DataError(f"0 images in {shown(str(tree.path))}; {saw}; an image ends in {known}")
    return pictures


def is_picture(name: str) -> bool:
    """Return whether a file is a picture by its name."""
    return _suffix(name) in SUFFIXES


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _prepare(tree: Tree, find: Find, look: Look, target: Path) -> Mapping[str, Any]:
    names = find(tree)
    where = shown(str(tree.path))
    _log.info("preparing %s pictures of %s, once", f"{len(names):,}", where)
    shape = (len(names), look.channels, look.size, look.size)
    with RowWriter(target / "images.npy", shape, where) as images:
        bad = ingest(tree, names, look.at, images, unreadable=True)
        if len(bad) == len(names):
            raise DataError(f"{_told(tree.path, bad, len(names))}; mend or remove them")
        images.shorten(len(names) - len(bad))
    np.save(target / "names.npy", _packed(names))
    return {"bad": bad}


def _complain(path: Path, found: Collection, skip_bad: bool) -> None:
    text = _told(path, found.bad, len(found.names))
    if not skip_bad:
        # Those that are good stay prepared: to skip the others takes no second time.
        raise DataError(f"{text}; mend or remove them, or set skip_bad = true")
    _log.warning("%s; they are skipped", text)


def _told(path: Path, bad: Mapping[str, str], count: int) -> str:
    """Return how many pictures are bad, which, and why."""
    listed = [f"{shown(name)}: {why}" for name, why in list(bad.items())[:_SHOWN]]
    text = f"{len(bad):,} of {count:,} images in {shown(str(path))} are bad: {'; '.join(listed)}"
    return text + ("; …" if len(bad) > _SHOWN else "")


def _packed(names: Sequence[str]) -> NDArray[np.uint8]:
    """Return names as an array of bytes: a manifest of a million names would be read at once."""
    return np.frombuffer("\0".join(names).encode("utf-8", "surrogatepass"), dtype=np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode("utf-8", "surrogatepass").split("\0")
