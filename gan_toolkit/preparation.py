"""Arrays that took long to make, kept as plain `.npy` files beside a manifest and mapped.

A folder of prepared data is whole or absent: it is written under another name, synced, and
renamed. Two processes that start together make it once. What a stopped process left is taken up
where it had been marked.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gan_toolkit import files
from gan_toolkit.errors import DataError, Interrupted, Preempted, StorageError
from gan_toolkit.folders import cache_folder

_FORMAT = 2
_MANIFEST = "manifest.json"
_MARKS = ".marks"
_SYNC_BYTES = 1 << 24  # some seconds of work; a sync costs milliseconds
_SYNC_SECONDS = 10.0  # where a megabyte takes a minute to make
_SECONDS = 3.0  # between two lines of progress
_NO_FAULT_OF_THE_DATA = (OSError, StorageError, Interrupted, Preempted, MemoryError)
_log = logging.getLogger("gantk")

Make = Callable[[Path], Mapping[str, Any]]
"""Writes `.npy` files into a folder and returns facts about them: JSON values."""


@dataclass(frozen=True)
class Prepared:
    """A folder of prepared data that was found whole."""

    folder: Path
    facts: Mapping[str, Any]
    """What its maker noted."""
    arrays: Mapping[str, NDArray[Any]]
    """By name, mapped; writing to one changes no file."""
    fingerprint: str
    """A hash of the contents of all arrays."""


@dataclass(frozen=True)
class Preparation:
    """One use of prepared data, as `noting` gives it."""

    folder: Path
    made: bool
    """Whether it was made just then; otherwise it was there, or can't be kept."""
    fault: str = ""
    """Why it can't be kept."""


_noted: ContextVar[list[Preparation] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[Preparation]]:
    """Collect what data is prepared, or found prepared, by what is called meanwhile."""
    collected: list[Preparation] = []
    token = _noted.set(collected)
    try:
        yield collected
    finally:
        _noted.reset(token)


class _DamagedError(Exception):
    """A folder of prepared data is there, but not whole."""


def prepared(
    kind: str, key: Mapping[str, Any], make: Make, *, cache: Path | None = None
) -> Prepared:
    """Return the data prepared under `key`, made now if it is not there.

    It is kept in `cache` (without it, the cache folder) below `kind`; `key`, JSON values, is all
    that the arrays depend on. Raises StorageError if the cache can't be written, DataError for an
    OSError of `make` that is about another file, and whatever else `make` raises.
    """
    key = {"format": _FORMAT, "kind": kind, **key}
    folder = (cache or cache_folder()) / kind / _sum(key)[:16]
    with suppress(_DamagedError):  # somebody may be mending it: look again under the lock
        if found := _open(folder):
            return _note(found, made=False)
    try:
        with _storage_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _locked(folder.with_suffix(".lock")):
                return _find_or_make(folder, key, make)
    except StorageError as error:  # who asked may do without; who notes should know
        _collect(Preparation(folder, made=False, fault=str(error)))
        raise


class RowWriter:
    """Writes the rows of a uint8 `.npy` file in any order, without holding them in memory.

    A maker that says now and then how far it is, by `mark`, is not begun anew after a stop: `done`
    and `notes` are then what it had marked last. `title` is what is told of in lines of progress,
    and `items` how many there are to mark, if that is not the number of rows.
    Raises OSError at once where there is no room for all rows.
    """

    # Not a writable mapping: on a full disk that ends the process instead of raising OSError.

    def __init__(
        self, path: Path, shape: tuple[int, ...], title: str = "", *, items: int | None = None
    ) -> None:
        self.done = 0
        self.notes: Mapping[str, Any] = {}
        self._path, self._marks = path, path.with_suffix(_MARKS)
        self._shape, self._title = shape, title
        self._items = shape[0] if items is None else items
        self._unsynced, self._told = 0, time.monotonic()
        self._synced = self._told
        self._take_up()
        self._require_space()
        self._file = path.open("r+b" if self.done else "wb")
        self._start = self._write_header(shape)

    def write(self, first: int, rows: NDArray[np.uint8]) -> None:
        """Write rows, (n, ...) in uint8, from row `first` on."""
        if rows.shape[1:] != self._shape[1:] or rows.dtype != np.uint8:
            found = f"{rows.dtype} {rows.shape[1:]}"
            raise ValueError(f"a row is uint8 {self._shape[1:]}, not {found}")
        self._file.seek(self._start + first * (rows.nbytes // max(len(rows), 1)))
        self._file.write(np.ascontiguousarray(rows).data)
        self._unsynced += rows.nbytes

    def mark(self, done: int, notes: Mapping[str, Any] | None = None) -> None:
        """Note that `done` items are written, and what else is to be known when going on.

        It is on the disk now and then, and when an error or Ctrl-C ends the writing: only a crash
        loses some seconds of work.
        """
        self.done, self.notes = done, notes or {}
        self._tell()
        waited = time.monotonic() - self._synced
        if self._unsynced >= _SYNC_BYTES or waited >= _SYNC_SECONDS:
            self._keep()

    def shorten(self, count: int) -> None:
        """Keep the first `count` rows only: there were fewer than expected."""
        self._file.seek(0)
        self._write_header((count, *self._shape[1:]))
        self._file.truncate(self._start + count * math.prod(self._shape[1:]))

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, StorageError):  # the error that brought us here matters more
            if error is not None and self.done:
                self._keep()
        self._file.close()

    def _take_up(self) -> None:
        with suppress(OSError, ValueError, LookupError, TypeError):  # nothing, or half a file
            marks = json.loads(self._marks.read_text(encoding="utf-8"))
            if tuple(marks["shape"]) == self._shape and self._path.is_file():
                self.done, self.notes = int(marks["done"]), dict(marks["notes"])
                _log.info("going on with %s at %s", self._title or self._path, f"{self.done:,}")

    def _require_space(self) -> None:
        """Refuse now what would fill the disk after hours of work."""
        there = self._path.stat().st_size if self.done else 0
        needed, free = math.prod(self._shape) - there, shutil.disk_usage(self._path.parent).free
        if needed > free:
            raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed and {free:,} are free")

    def _keep(self) -> None:
        self._file.flush()
        files.disk.sync(self._path, self._file.fileno())
        marks = {"shape": self._shape, "done": self.done, "notes": self.notes}
        files.write_atomic(self._marks, json.dumps(marks))
        self._unsynced, self._synced = 0, time.monotonic()

    def _write_header(self, shape: tuple[int, ...]) -> int:
        """Write the header of a file of this shape; return its length, the same for all counts."""
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()

    def _tell(self) -> None:
        if self._title and time.monotonic() - self._told >= _SECONDS:
            self._told = time.monotonic()
            _log.info("preparing %s: %s/%s", self._title, f"{self.done:,}", f"{self._items:,}")


def _find_or_make(folder: Path, key: Mapping[str, Any], make: Make) -> Prepared:
    try:
        if found := _open(folder):
            return _note(found, made=False)
    except _DamagedError as damage:
        _log.warning("prepared data in %s is damaged (%s) and is made again", folder, damage)
    _make(folder, key, make)
    made = _open(folder)
    assert made is not None, "it was written a moment ago"
    return _note(made, made=True)


def _note(found: Prepared, *, made: bool) -> Prepared:
    _collect(Preparation(found.folder, made))
    return found


def _collect(use: Preparation) -> None:
    collected = _noted.get()
    if collected is not None:
        collected.append(use)


def _open(folder: Path) -> Prepared | None:
    """Return a whole folder; None if there is none."""
    if not folder.is_dir():
        return None
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest.pop("sum") != _sum(manifest):
            raise _DamagedError("the manifest does not bear its sum")
        arrays = {}
        for name, file in manifest["files"].items():
            if (size := (folder / name).stat().st_size) != file["bytes"]:
                raise _DamagedError(f"{name} has {size:,} of {file['bytes']:,} bytes")
            array = np.load(folder / name, mmap_mode="c", allow_pickle=False)
            arrays[name.removesuffix(".npy")] = array
        sums = {name: file["sha256"] for name, file in manifest["files"].items()}
        return Prepared(folder, manifest["facts"], arrays, _sum(sums))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _DamagedError(f"{type(error).__name__}: {error}") from error


def _make(folder: Path, key: Mapping[str, Any], make: Make) -> None:
    # The lock is ours: what bears these names was left by a process that died, or is damaged. The
    # name is a hash of the key, so what was left unfinished was to become the same.
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(folder, ignore_errors=True)
    if not _can_go_on(unfinished):
        shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(exist_ok=True)
    try:
        facts = make(unfinished)
        _finish(unfinished, key, facts)
    except BaseException as error:
        # What was done before a stop or on a full disk is good; work on bad data is not.
        stopped = not isinstance(error, Exception) or isinstance(error, _NO_FAULT_OF_THE_DATA)
        if not (stopped and _can_go_on(unfinished)):
            shutil.rmtree(unfinished, ignore_errors=True)
        raise
    files.disk.rename(unfinished, folder)
    files.disk.sync_folder(folder.parent)


def _can_go_on(unfinished: Path) -> bool:
    return next(unfinished.glob(f"*{_MARKS}"), None) is not None


def _finish(unfinished: Path, key: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    sealed = {path.name: _seal(path) for path in sorted(unfinished.glob("*.npy"))}
    manifest = {"key": key, "facts": facts, "files": sealed}
    text = json.dumps({**manifest, "sum": _sum(manifest)}, indent=1)
    place = unfinished / _MANIFEST
    place.write_text(text, encoding="utf-8")
    _seal(place)
    for marks in unfinished.glob(f"*{_MARKS}"):
        marks.unlink()
    files.disk.sync_folder(unfinished)


def _sum(value: Any) -> str:
    """Return a hash of a JSON value; how it is laid out or ordered does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _seal(path: Path) -> dict[str, Any]:
    """Sync a file and return its size and sum."""
    with path.open("rb") as file:
        files.disk.sync(path, file.fileno())
        digest = hashlib.file_digest(file, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        _log.info("another process is preparing the same data: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        cause = getattr(error, "strerror", None) or error
        if source := _read_elsewhere(error, folder):
            raise DataError(f"{source}: {cause}") from error
        raise StorageError(
            f"can't prepare data in {folder}: {cause}; make room there, or set GANTK_CACHE to "
            "another folder"
        ) from error


def _read_elsewhere(error: BaseException, folder: Path) -> str:
    """Return the file that an error is about if it lies outside of the cache, or nothing."""
    name = getattr(error, "filename", None)
    if not isinstance(name, str | os.PathLike):
        return ""
    path, shelf = Path(name).absolute(), folder.parent.absolute()
    # Its own folders, too, are where a cache can't be made.
    inside = path == shelf or shelf in path.parents or path in shelf.parents
    return "" if inside else str(path)
