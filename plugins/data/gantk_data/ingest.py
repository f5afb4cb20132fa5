"""Pictures of a tree of files, decoded once into the rows of a prepared array.

Memory stays bounded whatever the set holds, several threads decode, and what was stopped goes on
where it had been marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, RowWriter
from gantk_data.archives.trees import Tree, shown
from gantk_data.pictures import BadPictureError, stream_pictures

Picture = NDArray[np.uint8]
"""(C, H, W)."""
Made = TypeVar("Made")
Work = Callable[[str, bytes], Made]
"""Makes something of a file, given its name and contents; BadPictureError says why it can't."""

_File = tuple[str, bytes | DataError]
_FILES_AT_ONCE = 16
_BYTES_AT_ONCE = 1 << 22
_AHEAD = 16


def ingest(
    tree: Tree,
    wanted: Sequence[str],
    work: Work[Picture],
    images: RowWriter,
    rows: Mapping[str, int] | None = None,
    *,
    unreadable: bool = False,
) -> dict[str, str]:
    """Write the pictures of the files `wanted`, and return those that are bad, each with why.

    `wanted` are names of the tree in its own order. `rows` gives the row of each; without it
    pictures lie in this order, the bad ones left out (then `images.shorten` belongs after it).
    Whatever else than BadPictureError `work` raises ends it at once; a file that can't be read
    does too, unless those that are `unreadable` count as bad.
    """
    bad = dict(images.notes.get("bad", {}))
    done = images.done
    for some in each_made(tree, wanted[done:], work, unreadable=unreadable):
        for name, made in some:
            if isinstance(made, BadPictureError):
                bad[name] = str(made)
            else:
                images.write(done - len(bad) if rows is None else rows[name], made[None])
            done += 1
        images.mark(done, {"bad": bad})
    return bad


def each_made(
    tree: Tree, wanted: Sequence[str], work: Work[Made], *, unreadable: bool
) -> Iterator[list[tuple[str, Made | BadPictureError]]]:
    """Yield what `work` makes of the files `wanted`, or why it can't, some files at a time.

    They come in the order of the tree; `unreadable` as in `ingest`.
    """
    files = _lenient(tree, wanted) if unreadable else tree.each(frozenset(wanted))
    yield from stream_pictures(partial(_worked, work), _portions(files), _AHEAD)


def _lenient(tree: Tree, wanted: Sequence[str]) -> Iterator[_File]:
    """Yield contents, or why there are none; damage to an archive as a whole still ends it."""
    if not tree.any_order:
        yield from tree.each(frozenset(wanted))
        return
    for name in wanted:
        try:
            yield name, tree.read(name)
        except DataError as error:
            yield name, _reason(tree, name, error)


def _reason(tree: Tree, name: str, error: DataError) -> DataError:
    """Return the error without the name that stands before it: who lists it writes the name."""
    path = shown(str(tree.path))
    why = str(error).removeprefix(f"{path}: member {name!r}: ")
    return DataError(why.removeprefix(f"{shown(str(tree.path / name))}: "))


def _worked(work: Work[Made], some: list[_File]) -> list[tuple[str, Made | BadPictureError]]:
    return [(name, _tried(work, name, data)) for name, data in some]


def _tried(work: Work[Made], name: str, data: bytes | DataError) -> Made | BadPictureError:
    if isinstance(data, DataError):
        return BadPictureError(f"it can't be read: {data}")
    try:
        return work(name, data)
    except BadPictureError as error:
        return error


def _portions(files: Iterable[_File]) -> Iterator[list[_File]]:
    """Yield the files some at a time: a bound on bytes, where one on files is none."""
    some: list[_File] = []
    held = 0
    for name, data in files:
        some.append((name, data))
        held += 0 if isinstance(data, DataError) else len(data)
        if len(some) == _FILES_AT_ONCE or held >= _BYTES_AT_ONCE:
            yield some
            some, held = [], 0
    if some:
        yield some
