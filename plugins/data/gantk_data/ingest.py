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
from gantk_data.pictures import BadPictureError, map_pictures
from gantk_data.trees import Tree

Picture = NDArray[np.uint8]
"""(C, H, W)."""
Work = Callable[[str, bytes], Picture]
"""Makes the picture of a file, given its name and contents; BadPictureError says why it can't."""

_AT_ONCE = 256
_BYTES_AT_ONCE = 1 << 26


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
    for some in _portions(tree.each(frozenset(wanted[done:]))):
        for (name, _), made in zip(some, map_pictures(partial(_tried, work), some), strict=True):
            if isinstance(made, str):
                bad[name] = made
            else:
                images.write(done - len(bad) if rows is None else rows[name], made[None])
            done += 1
        images.mark(done, {"bad": bad})
    return bad


def _tried(work: Work, job: tuple[str, bytes]) -> Picture | str:
    """Return the picture, or the reason why there is none."""
    try:
        return work(*job)
    except BadPictureError as error:
        return str(error)


def _portions(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the files some at a time: enough for all threads, not too much for the memory."""
    some: list[tuple[str, bytes]] = []
    held = 0
    for name, data in files:
        some.append((name, data))
        held += len(data)
        if len(some) == _AT_ONCE or held >= _BYTES_AT_ONCE:
            yield some
            some, held = [], 0
    if some:
        yield some
