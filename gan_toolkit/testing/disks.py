"""Disks that fail on purpose, for tests of what survives: put one in place of `files.disk`."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from gan_toolkit.files import Disk

T = TypeVar("T")


class HastyDisk(Disk):
    """A disk that never waits: tests lose no power, and syncing is what takes their time."""

    def sync(self, path: Path, handle: int) -> None:
        """Do nothing."""

    def sync_folder(self, path: Path) -> None:
        """Do nothing."""


class WatchedDisk(HastyDisk):
    """A hasty disk that notes every operation as (what, path, data) before it is done."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Path, bytes | Path | int | None]] = []

    def before(self, what: str, path: Path, data: bytes | Path | int | None = None) -> None:
        """Note one operation."""
        self.done.append((what, path, data))

    def make_folder(self, path: Path) -> None:
        """Note it, then do it."""
        self._do(super().make_folder, "make_folder", path)

    def create(self, path: Path) -> int:
        """Note it, then do it."""
        self.before("create", path)
        return super().create(path)

    def open_to_change(self, path: Path) -> int:
        """Note it, then do it."""
        self.before("open_to_change", path)
        return super().open_to_change(path)

    def write(self, path: Path, handle: int, data: bytes) -> None:
        """Note it, then do it."""
        self.before("write", path, data)
        super().write(path, handle, data)

    def cut(self, path: Path, handle: int, length: int) -> None:
        """Note it, then do it."""
        self.before("cut", path, length)
        super().cut(path, handle, length)

    def sync(self, path: Path, handle: int) -> None:
        """Note it, then do it."""
        self.before("sync", path)
        super().sync(path, handle)

    def sync_folder(self, path: Path) -> None:
        """Note it, then do it."""
        self._do(super().sync_folder, "sync_folder", path)

    def rename(self, old: Path, new: Path) -> None:
        """Note it, then do it."""
        self.before("rename", old, new)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        """Note it, then do it."""
        self._do(super().remove, "remove", path)

    def _do(self, act: Callable[[Path], T], what: str, path: Path) -> T:
        self.before(what, path)
        return act(path)


class FailingDisk(WatchedDisk):
    """A disk whose operation number `at` (from 0) fails, a write after half of its bytes.

    When `lasting`, every later operation but a removal fails too: the disk stays full.
    """

    def __init__(self, at: int, code: int = errno.ENOSPC, *, lasting: bool = False) -> None:
        super().__init__()
        self.at = at
        self.code = code
        self.lasting = lasting

    @property
    def failed(self) -> bool:
        """Whether the operation was reached."""
        return len(self.done) > self.at

    def before(self, what: str, path: Path, data: bytes | Path | int | None = None) -> None:
        """Note one operation, or fail."""
        number = len(self.done)
        super().before(what, path, data)
        if number == self.at or (self.lasting and number > self.at and what != "remove"):
            raise OSError(self.code, os.strerror(self.code), str(path))

    def write(self, path: Path, handle: int, data: bytes) -> None:
        """Write all, or half and fail."""
        try:
            self.before("write", path, data)
        except OSError:
            os.write(handle, data[: len(data) // 2])
            raise
        Disk.write(self, path, handle, data)
