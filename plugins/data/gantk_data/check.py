"""Every picture of a folder or an archive decoded, to find those that can't be."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gantk_data.archives.trees import shown
from gantk_data.collection import find_pictures, is_picture, open_pictures
from gantk_data.ingest import each_made
from gantk_data.pictures import BadPictureError, decode

_SECONDS = 3.0  # between two lines of progress
_log = logging.getLogger("gantk")


class Checked(NamedTuple):
    """What became of one picture."""

    name: str
    """One printable line."""
    reason: str
    """Why it is bad; empty if it is good."""


def check(path: Path) -> Iterator[Checked]:
    """Yield every picture of `path`: a folder, an archive, or a picture itself.

    They are decoded in full, on several threads, with no more memory for many than for few. Raises
    DataError if there is no picture, and for damage to an archive as a whole.
    """
    if path.is_file() and is_picture(path.name):
        yield Checked(shown(path.name), _fault(path))
        return
    with open_pictures(path) as tree:
        names = find_pictures(tree)
        told, done = time.monotonic(), 0
        for some in each_made(tree, names, _decoded, unreadable=True):
            yield from (Checked(shown(name), "" if r is None else str(r)) for name, r in some)
            done += len(some)
            if time.monotonic() - told >= _SECONDS:
                told = time.monotonic()
                _log.info("checking %s: %s/%s", tree.path, f"{done:,}", f"{len(names):,}")


def _decoded(name: str, data: bytes) -> None:
    del name
    decode(io.BytesIO(data))


def _fault(path: Path) -> str:
    try:
        decode(path)
    except BadPictureError as error:
        return str(error)
    return ""
