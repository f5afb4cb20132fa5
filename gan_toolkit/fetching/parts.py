"""The beginning of a file: `<name>.part` beside it, and in `<name>.part.json` of what it is one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gan_toolkit import files
from gan_toolkit.errors import StorageError

Tell = Callable[[str, int, int], None]
"""Is told the path of a file, the bytes that are there, and all it will have (0: not known)."""


class Version(NamedTuple):
    """Which file is at an address."""

    url: str = ""
    validator: str = ""
    """A strong ETag or else the time of the last change, as sent; empty: it can't be told."""
    size: int = 0
    """0: not told."""


class Part:
    """The beginning of a file."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.path = place.with_name(f"{place.name}.part")
        self.marks = place.with_name(f"{place.name}.part.json")

    @property
    def length(self) -> int:
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def version(self) -> Version:
        """What it is the beginning of, as noted; an empty one if that can't be read."""
        with suppress(OSError, ValueError, TypeError):
            noted = Version(**json.loads(self.marks.read_text(encoding="utf-8")))
            if [type(value) for value in noted] == [str, str, int]:
                return noted
        return Version()

    def begin(self, version: Version, length: int) -> int:
        """Keep the first `length` bytes; return a handle to append to them."""
        with files.storage_errors(self.path):
            handle = files.disk.open_to_change(self.path)
            files.disk.cut(self.path, handle, length)
        files.write_atomic(self.marks, json.dumps(version._asdict()))
        return handle

    def finish(self) -> None:
        """Give the whole file its name."""
        with files.storage_errors(self.place):
            files.disk.rename(self.path, self.place)
            files.disk.remove(self.marks)
            files.disk.sync_folder(self.place.parent)

    def remove(self) -> None:
        """Forget what has come."""
        with files.storage_errors(self.path):
            for path in (self.path, self.marks):
                files.remove_tree(path)


def require_space(folder: Path, needed: int) -> None:
    """Raise StorageError unless `needed` bytes are free."""
    with files.storage_errors(folder, doing="read"):
        free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            f"{folder} has {free:,} bytes free and {needed:,} are needed; make room there, or "
            "choose another folder"
        )
