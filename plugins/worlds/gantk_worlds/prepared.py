"""Worlds rendered once: kept as plain `.npy` files beside a manifest, and mapped from then on.

A folder of prepared data is whole or absent: it is written under another name, synced, and
renamed. A cache that can't be written costs time, never a run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor

import gan_toolkit
from gan_toolkit import ArrayDataset, cache_folder
from gantk_worlds.world import HELD_OUT, World

_FORMAT = 1
_AT_ONCE = 480
_SECONDS = 3.0  # between two lines of progress
_log = logging.getLogger("gantk")


class Arrays(NamedTuple):
    """What a data set holds."""

    images: NDArray[np.uint8]
    factors: NDArray[np.float32]


class _DamagedError(Exception):
    """A folder of prepared data is there, but not whole."""


def dataset(world: World, count: int, held_out: int, cache: Path | None) -> ArrayDataset:
    """Return samples 0 … count - 1 of `world`, and `held_out` others that training never sees.

    They are rendered now unless they are found in `cache` (without it, the cache folder).
    """
    kept = _samples(world, HELD_OUT, held_out, cache, None) if held_out else None
    return _samples(world, 0, count, cache, kept)


def _samples(
    world: World, start: int, count: int, cache: Path | None, kept: ArrayDataset | None
) -> ArrayDataset:
    part = Part(world, start, count)
    images, factors = part.find_or_make(cache or cache_folder())
    return part.described(images, factors, kept)


@dataclass(frozen=True)
class Part:
    """A range of a world's samples."""

    world: World
    start: int
    count: int

    @property
    def key(self) -> dict[str, Any]:
        """All that the arrays depend on."""
        world = self.world
        return {
            "format": _FORMAT,
            "world": world.name,
            "version": world.version,
            "options": dict(world.options),
            "start": self.start,
            "count": self.count,
        }

    def find_or_make(self, cache: Path) -> Arrays:
        """Return the arrays kept in `cache`; made and kept there if they are not."""
        folder = cache / self.world.name / _sum(self.key)[:16]
        try:
            return self._kept(folder)
        except (OSError, NotImplementedError) as error:  # the latter: no locks on this file system
            _log.info(
                "can't keep %s in %s (%s): drawing into memory, for this run only; set GANTK_CACHE "
                "to a folder that can be written",
                self.world.name,
                folder,
                error,
            )
            table = self._table()
            return Arrays(np.concatenate(list(self._pictures(table))), table.numpy())

    def described(
        self, images: NDArray[np.uint8], factors: NDArray[np.float32], kept: ArrayDataset | None
    ) -> ArrayDataset:
        """Return the arrays as a data set."""
        world = self.world
        return ArrayDataset(
            world.name,
            "synthetic",
            images,
            factors=factors,
            descriptions=world.factors,
            notice=world.notice,
            held_out=kept,
        )

    def _kept(self, folder: Path) -> Arrays:
        with suppress(_DamagedError):  # somebody may be mending it: look again under the lock
            if arrays := self._open(folder):
                return arrays
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            try:
                if arrays := self._open(folder):
                    return arrays
            except _DamagedError as damage:
                _log.warning(
                    "prepared data in %s is damaged (%s): drawing it again", folder, damage
                )
            self._make(folder)
            arrays = self._open(folder)
            assert arrays is not None, "it was written a moment ago"
            return arrays

    def _open(self, folder: Path) -> Arrays | None:
        """Return the arrays of a folder, mapped; None if there is no folder."""
        if not folder.is_dir():
            return None
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            if manifest.pop("sum") != _sum(manifest):
                raise _DamagedError("the manifest does not bear its sum")
            for name, file in manifest["files"].items():
                if (size := (folder / name).stat().st_size) != file["bytes"]:
                    raise _DamagedError(f"{name} has {size:,} of {file['bytes']:,} bytes")
            return Arrays(
                *(
                    np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False)
                    for name in Arrays._fields
                )
            )
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _DamagedError(f"{type(error).__name__}: {error}") from error

    def _make(self, folder: Path) -> None:
        # The lock is ours: what bears these names was left by a process that died, or is damaged.
        unfinished = folder.with_suffix(".unfinished")
        for stale in (unfinished, folder):
            shutil.rmtree(stale, ignore_errors=True)
        unfinished.mkdir()
        try:
            self._write(unfinished)
            _sync(unfinished)
            unfinished.rename(folder)
            _sync(folder.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    def _write(self, folder: Path) -> None:
        table = self._table()
        np.save(folder / "factors.npy", table.numpy())
        with (folder / "images.npy").open("wb") as file:
            # Not a writable mapping: on a full disk that ends the process instead of raising.
            shape = (self.count, *self.world.sample_shape)
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for pictures in self._pictures(table):
                file.write(pictures.data)
        manifest = self._manifest(folder)
        manifest["sum"] = _sum(manifest)
        place = folder / "manifest.json"
        place.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        _seal(place)

    def _manifest(self, folder: Path) -> dict[str, Any]:
        files = {f"{name}.npy": _seal(folder / f"{name}.npy") for name in Arrays._fields}
        arrays = Arrays(*(np.load(folder / name, allow_pickle=False) for name in files))
        return {
            "key": self.key,
            "name": self.world.name,
            "source": "synthetic",
            "notice": self.world.notice,
            "shape": [self.count, *self.world.sample_shape],
            "factors": [asdict(factor) for factor in self.world.factors],
            "fingerprint": self.described(*arrays, None).fingerprint(),
            "files": files,
            "versions": {
                "gan_toolkit": gan_toolkit.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
            },
        }

    def _table(self) -> Tensor:
        return self.world.draw(torch.arange(self.start, self.start + self.count))

    def _pictures(self, table: Tensor) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures of a table in order, some at a time, and tell how far it is."""
        done, told = 0, time.monotonic()
        for some in table.split(_AT_ONCE):
            with _one_thread():
                pictures = self.world.render(some).numpy()
            yield pictures
            done += len(some)
            if time.monotonic() - told >= _SECONDS:
                told = time.monotonic()
                _log.info("drawing %s: %d/%d", self.world.name, done, self.count)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread.

    Rendering is thousands of small operators; on a busy machine two threads that wait for each
    other in every one of them were measured 6 to 18 times slower than one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=1)
    except Timeout:
        _log.info("another process is drawing the same samples: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _sum(value: Any) -> str:
    """Return a hash of a JSON value; how it is laid out or ordered does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


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
