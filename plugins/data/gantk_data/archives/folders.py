"""The files below a folder, found without following what could lead astray.

A link to a file counts as that file, wherever it lies: the folder is the user's own. A link to a
folder is left out, since it may lead in a circle. A link to nothing counts, so that whoever
reads it says its name. Pipes, sockets and devices are no files: opening one could wait forever.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gan_toolkit import DataError
from gantk_data.archives.trees import Limits, Tree, hidden, shown


class FolderTree(Tree):
    """The files below a folder; hidden ones don't count."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self._limits = limits
        self._names = sorted(walk(path), key=lambda name: name.split("/"))

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:
        """Return the hash of names, sizes and times."""
        digest = hashlib.sha256()
        for name in filter(counts, self._names) if counts else self._names:
            digest.update(os.fsencode(name))
            try:
                facts = self._facts(name)
                digest.update(f"\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
            except DataError:
                digest.update(b"\0unreadable\0")  # whoever reads it says so
        return digest.hexdigest()

    def names(self) -> list[str]:
        """Return the names, sorted folder by folder."""
        return self._names

    def read(self, name: str) -> bytes:
        """Return the contents of one file."""
        size = self._facts(name).st_size
        if size > self._limits.largest:
            raise self._unreadable(name, f"{size:,} bytes, the limit is {self._limits.largest:,}")
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise self._unreadable(name, error.strerror or str(error)) from error

    def _facts(self, name: str) -> os.stat_result:
        try:
            return (self.path / name).stat()
        except OSError as error:
            raise self._unreadable(name, error.strerror or str(error)) from error

    def _unreadable(self, name: str, why: str) -> DataError:
        return DataError(f"{shown(str(self.path / name))}: {why}")


def walk(root: Path) -> Iterator[str]:
    """Yield the names of all files below `root` that aren't hidden, in no order.

    Raises DataError naming a folder that can't be listed.
    """
    # Path.rglob would make and compare a hundred thousand paths: ten times slower.
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        folder = os.path.join(root, prefix)  # noqa: PTH118 - as above
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{prefix}{entry.name}/")
                    elif _is_file(entry):
                        yield prefix + entry.name
        except OSError as error:
            raise DataError(f"{shown(folder)}: {error.strerror or error}") from error


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        # What `stat` finds at the end of a link is there; what it can't find leads nowhere.
        return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
    except OSError:
        return True  # a link to itself
