"""Arrays that took long to make, kept as plain `.npy` files with a manifest.

A folder of prepared data is complete or absent: it is written under another name, synced, and
renamed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from gan_toolkit import StorageError, cache_folder

_FORMAT = 1
_log = logging.getLogger("gantk")


@dataclass(frozen=True)
class Prepared:
    """A folder of prepared data."""

    folder: Path
    facts: Mapping[str, Any]
    """What its maker noted: JSON values."""

    def array(self, name: str) -> NDArray[Any]:
        """Return the array `name`, mapped; writing to it changes no file."""
        return np.load(self.folder / f"{name}.npy", mmap_mode="c")


Make = Callable[[Path], Mapping[str, Any]]
"""Writes `.npy` files into a folder and returns facts about them."""


def prepared(kind: str, key: Mapping[str, Any], make: Make) -> Prepared:
    """Return the data prepared under `key`, made now if it is not there.

    Raises StorageError if the cache can't be written, and whatever `make` raises.
    """
    text = json.dumps({"format": _FORMAT, "kind": kind, **key}, sort_keys=True)
    folder = cache_folder() / kind / hashlib.sha256(text.encode()).hexdigest()[:16]
    facts = _facts(folder)
    if facts is None:
        with _storage_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            # Two runs that start together prepare it once.
            with FileLock(folder.with_suffix(".lock")):
                facts = _facts(folder)
                if facts is None:
                    facts = _make(folder, json.loads(text), make)
    return Prepared(folder, facts)


class RowWriter:
    """Writes all rows of a uint8 `.npy` file in any order, without holding them in memory.

    Not a writable mapping: on a full disk that ends the process instead of raising OSError.
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._file = path.open("wb")
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()
        self._shape = shape

    def write(self, row: int, values: NDArray[np.uint8]) -> None:
        """Write one row."""
        if values.shape != self._shape[1:] or values.dtype != np.uint8:
            raise ValueError(f"a row is uint8 {self._shape[1:]}, not {values.dtype} {values.shape}")
        self._file.seek(self._start + row * values.nbytes)
        self._file.write(np.ascontiguousarray(values).data)

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _make(folder: Path, key: Mapping[str, Any], make: Make) -> Mapping[str, Any]:
    # The lock is ours: what bears these names was left by a process that died, or is damaged.
    unfinished = folder.with_suffix(".unfinished")
    for stale in (unfinished, folder):
        shutil.rmtree(stale, ignore_errors=True)
    unfinished.mkdir()
    try:
        facts = make(unfinished)
        files = {path.name: _seal(path) for path in sorted(unfinished.glob("*.npy"))}
        manifest = unfinished / "manifest.json"
        text = json.dumps({"key": key, "facts": facts, "files": files}, indent=1)
        manifest.write_text(text, encoding="utf-8")
        _seal(manifest)
        _sync(unfinished)
        unfinished.rename(folder)
        _sync(folder.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return facts


def _facts(folder: Path) -> Mapping[str, Any] | None:
    """Return the facts of a complete folder; None if it is absent or damaged."""
    if not folder.is_dir():
        return None
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        sizes = {name: file["bytes"] for name, file in manifest["files"].items()}
        if all((folder / name).stat().st_size == size for name, size in sizes.items()):
            return manifest["facts"]
        reason = "a file has another size"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
    _log.warning("prepared data in %s is damaged (%s) and is made again", folder, reason)
    return None


def _seal(path: Path) -> dict[str, Any]:
    """Sync a file and return its size and sum."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _sync(folder: Path) -> None:
    if os.name != "nt":  # folders can't be synced there
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _storage_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"can't prepare data in {folder}: {error.strerror or error}; make room there, or set "
            "GANTK_CACHE to another folder"
        ) from error
