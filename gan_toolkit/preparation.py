"""Arrays that took long to make, kept as plain `.npy` files beside a manifest and mapped.

A folder of prepared data is whole or absent: it is written under another name, synced, and
renamed. Two processes that start together make it once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from gan_toolkit import files
from gan_toolkit.errors import StorageError
from gan_toolkit.folders import cache_folder

_FORMAT = 2
_MANIFEST = "manifest.json"
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


class _DamagedError(Exception):
    """A folder of prepared data is there, but not whole."""


def prepared(
    kind: str, key: Mapping[str, Any], make: Make, *, cache: Path | None = None
) -> Prepared:
    """Return the data prepared under `key`, made now if it is not there.

    It is kept in `cache` (without it, the cache folder) below `kind`; `key`, JSON values, is all
    that the arrays depend on. Raises StorageError if the cache can't be written, and whatever else
    `make` raises.
    """
    key = {"format": _FORMAT, "kind": kind, **key}
    folder = (cache or cache_folder()) / kind / _sum(key)[:16]
    with suppress(_DamagedError):  # somebody may be mending it: look again under the lock
        if found := _open(folder):
            return found
    with _storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            return _find_or_make(folder, key, make)


class RowWriter:
    """Writes the rows of a uint8 `.npy` file in any order, without holding them in memory.

    Not a writable mapping: on a full disk that ends the process instead of raising OSError.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._file = path.open("wb")
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()
        self._shape = shape

    def write(self, first: int, rows: NDArray[np.uint8]) -> None:
        """Write rows, (n, ...) in uint8, from row `first` on."""
        if rows.shape[1:] != self._shape[1:] or rows.dtype != np.uint8:
            found = f"{rows.dtype} {rows.shape[1:]}"
            raise ValueError(f"a row is uint8 {self._shape[1:]}, not {found}")
        self._file.seek(self._start + first * (rows.nbytes // max(len(rows), 1)))
        self._file.write(np.ascontiguousarray(rows).data)

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _find_or_make(folder: Path, key: Mapping[str, Any], make: Make) -> Prepared:
    try:
        if found := _open(folder):
            return found
    except _DamagedError as damage:
        _log.warning("prepared data in %s is damaged (%s) and is made again", folder, damage)
    _make(folder, key, make)
    made = _open(folder)
    assert made is not None, "it was written a moment ago"
    return made


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
        return Prepared(folder, manifest["facts"], arrays)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _DamagedError(f"{type(error).__name__}: {error}") from error


def _make(folder: Path, key: Mapping[str, Any], make: Make) -> None:
    # The lock is ours: what bears these names was left by a process that died, or is damaged.
    unfinished = folder.with_suffix(".unfinished")
    for stale in (unfinished, folder):
        shutil.rmtree(stale, ignore_errors=True)
    unfinished.mkdir()
    try:
        facts = make(unfinished)
        sealed = {path.name: _seal(path) for path in sorted(unfinished.glob("*.npy"))}
        manifest = {"key": key, "facts": facts, "files": sealed}
        text = json.dumps({**manifest, "sum": _sum(manifest)}, indent=1)
        place = unfinished / _MANIFEST
        place.write_text(text, encoding="utf-8")
        _seal(place)
        files.disk.sync_folder(unfinished)
        files.disk.rename(unfinished, folder)
        files.disk.sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


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
        raise StorageError(
            f"can't prepare data in {folder}: {cause}; make room there, or set GANTK_CACHE to "
            "another folder"
        ) from error
