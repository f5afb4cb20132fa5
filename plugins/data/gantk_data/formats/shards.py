"""Samples in tars, several files of one name each: the layout of WebDataset.

`000/cat.jpg`, `000/cat.cls`, `000/cat.json` are one sample, `000/cat`: what stands before the
first dot of a file's own name is its key, what comes after is its kind.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from gan_toolkit import DataError
from gantk_data.archives import open_tree
from gantk_data.archives.folders import walk
from gantk_data.archives.trees import Tree, few, file_stamp, shown
from gantk_data.formats.tables import Cell

IMAGES = ("jpg", "jpeg", "png", "webp")
CLASS, TABLE = "cls", "json"
"""Kinds of files that say what an image is."""
TARS = (".tar", ".tar.gz", ".tgz")
_BRACES = re.compile(r"(?P<before>[^{}]*)\{(?P<first>\d+)\.\.(?P<last>\d+)\}(?P<after>[^{}]*)")
_log = logging.getLogger("gantk")
_MOST_SHARDS = 1_000_000
_LONGEST_TEXT = 1 << 20


def shards_of(path: Path) -> list[Path]:
    """Return the tars of a folder, of a pattern such as `train-{000..012}.tar`, or the tar itself.

    Raises DataError if there is none, or one of a pattern is missing.
    """
    where = shown(str(path))
    if path.is_dir():
        found = [path / name for name in sorted(walk(path)) if name.lower().endswith(TARS)]
        if not found:
            raise DataError(f"0 shards in {where}; a shard ends in {' '.join(TARS)}")
        return found
    match = _BRACES.fullmatch(path.name)
    names = [path.name] if match is None else _expanded(match, where)
    found = [path.parent / name for name in names]
    lacking = [shard.name for shard in found if not shard.is_file()]
    if lacking:
        count = f"{len(lacking):,} of {len(found):,}"
        raise DataError(f"{count} shards of {where} are missing: {few(lacking)}")
    return found


class ShardTree(Tree):
    """The files of several tars, one after the other; names begin with that of their tar."""

    any_order = False

    def __init__(self, path: Path, shards: Sequence[Path], kept: Container[str]) -> None:
        self.path = path
        self.texts: dict[str, bytes] = {}
        """Contents of the files whose kinds are `kept`, once `names` was called."""
        self._kept = kept
        above = path if path.is_dir() else path.parent
        self._shards = {f"{shard.relative_to(above).as_posix()}/": shard for shard in shards}
        self._inside: dict[str, list[str]] = {}

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:  # noqa: ARG002
        """Return the hash of all shards' names, sizes and times."""
        digest = hashlib.sha256()
        for start, shard in self._shards.items():
            digest.update(f"{start}\0{file_stamp(shard)}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def names(self) -> list[str]:
        """Return the names in the order of the shards; the first call goes through all of them.

        A tar says what it holds by being gone through only, and one that is compressed by being
        expanded: so the small files are kept on the way.
        """
        if not self._inside:
            for start, shard in self._shards.items():
                self._inside[start] = list(self._take_stock(start, shard))
        return [start + name for start, names in self._inside.items() for name in names]

    def read(self, name: str) -> bytes:
        """Return the contents of one file."""
        for _, data in self.each({name}):
            return data
        raise KeyError(name)

    def each(self, wanted: Container[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield name and contents of the files `wanted`, or of all."""
        self.names()
        for start, names in self._inside.items():
            inside = {name for name in names if wanted is None or start + name in wanted}
            if inside:
                with open_tree(self._shards[start]) as tree:
                    yield from ((start + name, data) for name, data in tree.each(inside))

    def _take_stock(self, start: str, shard: Path) -> Iterator[str]:
        noting = _Noting(self._kept)
        with open_tree(shard) as tree:
            for name, data in tree.each(noting):
                if len(data) > _LONGEST_TEXT:
                    what = f"{len(data):,} bytes, the limit is {_LONGEST_TEXT:,}"
                    raise DataError(f"{shown(str(self.path))}: {shown(start + name)}: {what}")
                self.texts[start + name] = data
        yield from noting.met


class _Noting:
    """Is asked for every name of a tar, in order, and says whether its contents are wanted."""

    def __init__(self, kept: Container[str]) -> None:
        self.met: list[str] = []
        self._kept = kept

    def __contains__(self, name: object) -> bool:
        self.met.append(str(name))
        return kind_of(str(name)) in self._kept


def key_of(name: str) -> str:
    """Return the key of the sample that a file belongs to."""
    folder, slash, own = name.rpartition("/")
    return folder + slash + own.partition(".")[0]


def kind_of(name: str) -> str:
    """Return what a file is to its sample: all that comes after the first dot of its own name."""
    return name.rpartition("/")[2].partition(".")[2].lower()


def images_of(tree: Tree) -> list[str]:
    """Return the image of each sample, in the order of the tree; DataError if one has two."""
    images: dict[str, str] = {}
    names = tree.names()
    for name in names:
        if kind_of(name) in IMAGES:
            twin = images.setdefault(key_of(name), name)
            if twin is not name:
                where = shown(str(tree.path))
                raise DataError(f"{where}: {shown(name)} and {shown(twin)} are of one sample")
    if not images:
        raise DataError(
            f"0 images in {shown(str(tree.path))}; saw {len(names):,} other files; an image of a "
            f"sample ends in {' '.join('.' + kind for kind in IMAGES)}"
        )
    return list(images.values())


def tell_of_others(tree: Tree, images: Sequence[str]) -> None:
    """Say in one line how many samples have no image, if any."""
    keys = {key_of(image) for image in images}
    bare = {key_of(name) for name in tree.names()} - keys
    if bare:
        of = f"{len(bare):,} of {len(bare) + len(keys):,} samples"
        _log.warning("%s: %s have no image, such as %s", shown(str(tree.path)), of, min(bare))


def column(
    tree: ShardTree, images: Sequence[str], kind: str, key: str | None = None
) -> list[Cell] | None:
    """Return what the file of a kind says of each image: its text, or a key of its JSON.

    None if no sample has such a file; DataError if some have and some don't.
    """
    files = [f"{key_of(image)}.{kind}" for image in images]
    if not any(file in tree.texts for file in files):
        return None
    cells = []
    for file in files:
        where = f"{shown(str(tree.path))}: {shown(file)}"
        if file not in tree.texts:
            raise DataError(f"{where}: there is no such file, but other samples have one")
        cells.append(_cell(tree.texts[file], key, where))
    return cells


def _cell(data: bytes, key: str | None, where: str) -> Cell:
    try:
        text = data.decode().strip()
        value: Any = text if key is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    if key is not None:
        known = list(value) if isinstance(value, dict) else []
        if key not in known:
            has = ", ".join(map(shown, known)) or "none"
            raise DataError(f"{where}: no key is named {key!r}; known: {has}")
        value = value[key]
    if not isinstance(value, str | int | float):
        raise DataError(f"{where}: {key} is neither a text nor a number")
    return value


def _expanded(match: re.Match[str], where: str) -> list[str]:
    first, last = match["first"], match["last"]
    if not 0 <= int(last) - int(first) < _MOST_SHARDS:
        raise DataError(f"{where}: {{{first}..{last}}} counts no shards")
    numbers = range(int(first), int(last) + 1)
    return [f"{match['before']}{number:0{len(first)}}{match['after']}" for number in numbers]
