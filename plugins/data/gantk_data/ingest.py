"""Pictures of a tree of files, decoded once into the rows of a prepared array.

Memory stays bounded whatever the set holds, several threads decode, and what was stopped goes on
where it had been marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import RowWriter
from gantk_data.pictures import BadPictureError, stream_pictures
from gantk_data.trees import Tree

Picture = NDArray[np.uint8]
"""(C, H, W)."""
Work = Callable[[str, bytes], Picture]
"""Makes the picture of a file, given its name and contents; BadPictureError says why it can't."""

_File = tuple[str, bytes]
_FILES_AT_ONCE = 16
_BYTES_AT_ONCE = 1 << 22
_AHEAD = 16


def ingest(
    tree: Tree,
    wanted: Sequence[str],
    work: Work,
    images: RowWriter,
    rows: Mapping[str, int] | None = None,
) -> dict[str, str]:
    """Write the pictures of the files `wanted`, and return those that are bad, each with why.

    `wanted` are names of the tree in its own order. `rows` gives the row of each; without it
    pictures lie in this order, the bad ones left out (then `images.shorten` belongs after it).
    Whatever else than BadPictureError `work` raises ends it at once.
    """
    bad = dict(images.notes.get("bad", {}))
    done = images.done
    portions = _portions(tree.each(frozenset(wanted[done:])))
    for some in stream_pictures(partial(_worked, work), portions, _AHEAD):
        for name, made in some:
            if isinstance(made, str):
                bad[name] = made
            else:
                images.write(done - len(bad) if rows is None else rows[name], made[None])
            done += 1
        images.mark(done, {"bad": bad})
    return bad


def _worked(work: Work, some: list[_File]) -> list[tuple[str, Picture | str]]:
    return [(name, _tried(work, name, data)) for name, data in some]


def _tried(work: Work, name: str, data: bytes) -> Picture | str:
    """Return the picture, or the reason why there is none."""
    try:
        return work(name, data)
    except BadPictureError as error:
        return str(error)


def _portions(files: Iterable[_File]) -> Iterator[list[_File]]:
    """Yield the files some at a time: a bound on bytes, where one on files is none."""
    some: list[_File] = []
    held = 0
    for name, data in files:
        some.append((name, data))
        held += len(data)
        if len(some) == _FILES_AT_ONCE or held >= _BYTES_AT_ONCE:
            yield some
            some, held = [], 0
    if some:
        yield some
