"""Worlds rendered once and kept. A cache that can't be written costs time, never a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import gan_toolkit
from gan_toolkit import ArrayDataset, RowWriter, StorageError, prepared
from gantk_worlds.world import HELD_OUT, World

_FEWEST, _MOST = 48, 480
"""Samples rendered before a stop is heard: all that it can lose."""
_SECONDS = 1.0
_MOST_IN_MEMORY = 1 << 29
_log = logging.getLogger("gantk")


class Arrays(NamedTuple):
    """What a data set holds."""

    images: NDArray[np.uint8]
    factors: NDArray[np.float32]
    fingerprint: str = ""
    """Empty: not known yet."""


def dataset(world: World, count: int, held_out: int, cache: str | Path | None) -> ArrayDataset:
    """Return samples 0 … count - 1 of `world`, and `held_out` others that training never sees.

    They are rendered now unless they are found in `cache` (without it, the cache folder). Where
    that can't be written, up to 512 MB are held in memory instead; StorageError for more.
    """
    place = None if cache is None else Path(cache)
    kept = _samples(world, HELD_OUT, held_out, place, None) if held_out else None
    return _samples(world, 0, count, place, kept)


def _samples(
    world: World, start: int, count: int, cache: Path | None, kept: ArrayDataset | None
) -> ArrayDataset:
    part = Part(world, start, count)
    return part.described(part.find_or_make(cache), kept)


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
            "world": world.name,
            "version": world.version,
            "options": dict(world.options),
            "start": self.start,
            "count": self.count,
        }

    def find_or_make(self, cache: Path | None) -> Arrays:
        """Return the arrays kept in `cache`; made and kept there if they are not."""
        try:
            found = prepared(self.world.name, self.key, self._write, cache=cache)
        except StorageError as error:
            if self.count * prod(self.world.sample_shape) > _MOST_IN_MEMORY:
                raise
            name = self.world.name
            _log.info("%s: drawing %s into memory, for this run only", error, name)
            table = self._table()
            return Arrays(np.concatenate(list(self._pictures(table))), table.numpy())
        arrays, known = found.arrays, found.facts["fingerprint"]
        return Arrays(arrays["images"], arrays["factors"], str(known))

    def described(self, arrays: Arrays, kept: ArrayDataset | None) -> ArrayDataset:
        """Return the arrays as a data set."""
        world = self.world
        place = world.column(world.label) if world.label else None
        return ArrayDataset(
            world.name,
            world.source,
            arrays.images,
            labels=None if place is None else arrays.factors[:, place].astype(np.int64),
            factors=arrays.factors,
            classes=() if place is None else world.factors[place].values,
            descriptions=world.factors,
            notice=self._notice,
            held_out=kept,
            fingerprint=arrays.fingerprint,
            render=world.render,
        )

    def _write(self, folder: Path) -> dict[str, Any]:
        table = self._table()
        np.save(folder / "factors.npy", table.numpy())
        place, shape = folder / "images.npy", (self.count, *self.world.sample_shape)
        with RowWriter(place, shape, self.world.name) as images:
            for pictures in self._pictures(table[images.done :]):
                images.write(images.done, pictures)
                images.mark(images.done + len(pictures))
        written = Arrays(np.load(place, mmap_mode="r", allow_pickle=False), table.numpy())
        return {
            "name": self.world.name,
            "source": self.world.source,
            "notice": self._notice,
            "works": self.world.works(),
            "shape": list(shape),
            "factors": [asdict(factor) for factor in self.world.factors],
            "fingerprint": self.described(written, None).fingerprint(),
            "versions": {
                "gan_toolkit": gan_toolkit.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
            },
        }

    @property
    def _notice(self) -> str:
        return "; ".join(filter(None, (self.world.notice, self.world.credit)))

    def _table(self) -> Tensor:
        return self.world.draw(torch.arange(self.start, self.start + self.count))

    def _pictures(self, table: Tensor) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures of a table in order, as many at a time as take about a second."""
        together = _FEWEST
        while len(table):
            begun = monotonic()
            with _one_thread():
                pictures = self.world.render(table[:together]).numpy()
            yield pictures
            table = table[together:]
            if monotonic() - begun < _SECONDS / 2:
                together = min(2 * together, _MOST)


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
