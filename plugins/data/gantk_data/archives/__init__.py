"""Files inside a folder, a zip or a tar, read one by one by name. Nothing is ever extracted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from gan_toolkit import DataError
from gantk_data.archives.expansion import COMPRESSIONS
from gantk_data.archives.folders import FolderTree
from gantk_data.archives.tars import CompressedTarTree, open_tar
from gantk_data.archives.trees import Limits, Tree, shown
from gantk_data.archives.zips import open_zip

__all__ = ["ARCHIVES", "Limits", "Tree", "open_tree"]

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""How names of archives end. What they hold decides how they are read, not this."""

_ZIP = (b"PK\3\4", b"PK\5\6")


def open_tree(path: Path, limits: Limits | None = None) -> AbstractContextManager[Tree]:
    """Open a folder, a zip, or a tar: plain, or compressed by gzip, bzip2 or xz.

    Members are judged when they are first met: by `names`, `read` or `each`. Raises DataError
    naming the archive, and the member where there is one.
    """
    limits = limits or Limits()
    if path.is_dir():
        return _opened(FolderTree(path, limits))
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise DataError(f"{shown(str(path))}: {error.strerror or error}") from error
    if start.startswith(_ZIP):
        return open_zip(path, limits)
    for magic, expand in COMPRESSIONS.items():
        if start.startswith(magic):
            return _opened(CompressedTarTree(path, expand, limits))
    return open_tar(path, limits)


@contextmanager
def _opened(tree: Tree) -> Iterator[Tree]:
    yield tree
