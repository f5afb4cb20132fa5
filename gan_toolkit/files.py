"""Every change we make to the disk: durable, atomic, and with one kind of error.

A file counts as written when its bytes *and* its name are synced: sync the file, rename it, sync
the folder. All changes go through one `Disk`, so that a test can put a failing one in its place.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gan_toolkit.errors import StorageError

PIN = "PINNED"
"""A file of this name in a folder keeps it from being removed to make room."""
_TEMPORARY = re.compile(r"\.tmp-(\d+)-\d+")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_numbers = itertools.count()
_live: set[Path] = set()
"""Temporaries of this very process: another process of the same number may have left some too."""


class Disk:
    """The operations that change a disk, one method each."""

    def make_folder(self, path: Path) -> None:
        """Make one folder, which must not exist."""
        path.mkdir()

    def create(self, path: Path) -> int:
        """Open a new file for writing; it must not exist."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _flags("O_NOFOLLOW"), 0o666)

    def open_to_change(self, path: Path) -> int:
        """Open a file for appending or cutting; make it when it is missing."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _flags("O_NOFOLLOW")
        return os.open(path, flags, 0o666)

    def write(self, path: Path, handle: int, data: bytes) -> None:  # noqa: ARG002
        """Write all of `data`; `path` is for those who watch."""
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]

    def cut(self, path: Path, handle: int, length: int) -> None:  # noqa: ARG002
        """Cut an open file to `length` bytes."""
        os.ftruncate(handle, length)

    def sync(self, path: Path, handle: int) -> None:  # noqa: ARG002
        """Wait until the contents of an open file are on the disk."""
        os.fsync(handle)

    def sync_folder(self, path: Path) -> None:
        """Wait until the names in a folder are on the disk."""
        if os.name == "nt":  # folders can't be synced there
            return
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some network file systems know no such call
                raise
        finally:
            os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Rename, replacing a file of the new name."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file, a link, or an empty folder; never what a link points to."""
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink()


disk = Disk()


# --- errors --------------------------------------------------------------------------------


@contextmanager
def storage_errors(path: Path, *, needed: int = 0, doing: str = "write") -> Iterator[None]:
    """Turn an OSError into a StorageError that names `path`, what was needed and what is free."""
    try:
        yield
    except OSError as error:
        raise StorageError(_explain(error, path, needed, doing)) from error


def _explain(error: OSError, path: Path, needed: int, doing: str) -> str:
    if error.errno in _FULL:
        want = f"needed {needed:,} bytes, " if needed else ""
        return f"disk full: {path}: {want}{_free(path)}; make room, then resume or try again"
    if error.errno == errno.ELOOP:
        return f"can't {doing} {path}: it is a link, and links are not followed"
    return f"can't {doing} {path}: {error.strerror or error}"


def _free(path: Path) -> str:
    for folder in path.absolute().parents:
        with suppress(OSError):
            return f"{shutil.disk_usage(folder).free:,} free"
    return "free space unknown"


# --- reading -------------------------------------------------------------------------------


@contextmanager
def open_regular(path: Path) -> Iterator[int]:
    """Open a regular file for reading; a link, a pipe or a folder is a StorageError."""
    with storage_errors(path, doing="read"):
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | _flags("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise StorageError(f"can't read {path}: it is not a regular file")
        yield handle
    finally:
        os.close(handle)


def read_bytes(path: Path, limit: int) -> bytes:
    """Return a file's contents; StorageError when it is larger than `limit` bytes."""
    with open_regular(path) as handle:
        size = os.fstat(handle).st_size
        if size > limit:
            raise StorageError(f"can't read {path}: {size:,} bytes, the limit is {limit:,}")
        return read_exactly(path, handle, size)


def read_exactly(path: Path, handle: int, count: int) -> bytes:
    """Read `count` bytes from where the handle stands; StorageError when there are fewer."""
    parts, left = [], count
    with storage_errors(path, doing="read"):
        while left and (part := os.read(handle, min(left, 1 << 24))):
            parts.append(part)
            left -= len(part)
    if left:
        raise StorageError(f"can't read {path}: it ends {left:,} bytes early")
    return b"".join(parts)


def _flags(*names: str) -> int:
    return sum(getattr(os, name, 0) for name in names)  # Windows lacks some, Linux others


# --- writing -------------------------------------------------------------------------------


def write_new(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file that must not exist and, if it matters, sync its contents, not yet its name."""
    with storage_errors(path, needed=len(data)):
        _write_new(path, data, sync=sync)


def _write_new(path: Path, data: bytes, *, sync: bool = True) -> None:
    handle = disk.create(path)
    try:
        disk.write(path, handle, data)
        if sync:
            disk.sync(path, handle)
    finally:
        os.close(handle)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Put a file in place whole: whoever reads it sees the old contents or the new ones.

    Raises StorageError where a device, pipe or socket is: it would be replaced, not written to.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise StorageError(f"{path} is not a regular file; choose another name")
    content = data.encode("utf-8") if isinstance(data, str) else data
    with temporary(path.parent) as unfinished, storage_errors(path, needed=len(content)):
        _write_new(unfinished, content)
        disk.rename(unfinished, path)
        disk.sync_folder(path.parent)


def put_in_place(finished: Path, path: Path) -> None:
    """Move a finished file or folder, of whatever size, to `path` on the same file system.

    What is there is replaced: a file in one step, a folder by taking it away and, when the new one
    can't be put there, back.
    """
    with storage_errors(path):
        if finished.is_file():
            handle = os.open(finished, os.O_RDONLY)
            try:
                disk.sync(finished, handle)
            finally:
                os.close(handle)
        if path.is_dir() and not is_link(path):
            _replace_folder(finished, path)
        else:
            disk.rename(finished, path)
        disk.sync_folder(path.parent)


def _replace_folder(finished: Path, path: Path) -> None:
    with temporary(path.parent) as old:
        disk.rename(path, old)
        try:
            disk.rename(finished, path)
        except BaseException:
            disk.rename(old, path)
            raise


def make_folders(path: Path) -> None:
    """Make a folder and the folders above it where they are missing, and sync their names."""
    missing = itertools.takewhile(lambda folder: not folder.is_dir(), (path, *path.parents))
    for folder in reversed(list(missing)):
        with storage_errors(folder):
            try:
                disk.make_folder(folder)
            except FileExistsError:  # a file, or somebody else was quicker
                if not folder.is_dir():
                    raise StorageError(f"{folder} is not a folder; choose another") from None
            disk.sync_folder(folder.parent)


@contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """Give an unused name in `folder`; what still bears it at the end is removed."""
    names = (folder / f".tmp-{os.getpid()}-{number}" for number in _numbers)
    path = next(name for name in names if not os.path.lexists(name))
    _live.add(path)
    try:
        yield path
    finally:
        with suppress(OSError):  # the error that brought us here matters more
            remove_tree(path)
        _live.discard(path)


def remove_tree(path: Path) -> None:
    """Remove a file or a folder with all in it, if it exists; links are removed, not followed."""
    if path.is_dir() and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            remove_tree(inner)
    elif not os.path.lexists(path):
        return
    disk.remove(path)


def is_link(path: Path) -> bool:
    """Return whether a path leads elsewhere."""
    return path.is_symlink() or (hasattr(path, "is_junction") and path.is_junction())


def remove_stale(folder: Path) -> list[str]:
    """Remove temporaries whose owner is dead; return their names."""
    removed = []
    for path in sorted(folder.glob(".tmp-*")):
        match = _TEMPORARY.fullmatch(path.name)
        if match and path not in _live and not _works_elsewhere(int(match[1])):
            with storage_errors(path):
                remove_tree(path)
            removed.append(path.name)
    return removed


def _works_elsewhere(process: int) -> bool:
    """Return whether another process has this number."""
    return process != os.getpid() and is_alive(process)


def is_alive(process: int) -> bool:
    """Return whether a process has this number; where that can't be asked, that it has."""
    if os.name == "nt":  # signal 0 would interrupt it there
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it exists and is not ours
        return True
    return True


# --- text ----------------------------------------------------------------------------------


def printable(text: str) -> str:
    """Return `text` on one line, without control characters: it may come from anywhere."""
    visible = (" " if char.isspace() else char for char in _ESCAPES.sub("", text))
    return "".join(char for char in visible if unicodedata.category(char)[0] != "C")
