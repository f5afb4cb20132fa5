"""The codes of a generator as sheets of pictures: a page moves through them without a generator.

A sheet holds every value of one code, or every pair of values of two, for a few draws of all else.
What is shown was made by the generator at just these values; nothing is blended in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gan_toolkit.latents import LatentSpace
from gan_toolkit.report.images import DataUri, data_uri
from gan_toolkit.report.layout import Code, Held, Layout, count, lay_out
from gan_toolkit.report.places import without_places
from gan_toolkit.report.tiles import Tiles, tiles_for

PROBE = 64
"""Samples that tell how fast the generator is."""


@dataclass(frozen=True)
class Budget:
    """What an album may cost."""

    pixels: int = 10_000_000
    bytes: int = 3_900_000
    """Before they become text, which takes a third more."""
    seconds: float = 9.0


@dataclass(frozen=True)
class Source:
    """What draws the pictures: a generator with its latents and the names of its codes."""

    space: LatentSpace
    codes: Sequence[str]
    generate: Callable[[Tensor], Tensor]
    """Latents (B, W) to samples (B, ...) in [-1, 1], on the CPU."""
    step: int | None = None


@dataclass(frozen=True)
class Sheet:
    """Tiles of one code from left to right; of a second one, and of the rows, downwards."""

    held: Held
    image: DataUri
    width: int
    height: int


@dataclass
class Album:
    """All sheets, and what one must know to find a tile."""

    step: int | None
    rows: int
    height: int
    width: int
    points: int | None
    """Points in a tile, if the samples are points."""
    codes: list[Code]
    sheets: list[Sheet] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def strips(self) -> list[Sheet]:
        """The sheets of no code or one, which are pictures in their own right."""
        return [sheet for sheet in self.sheets if len(sheet.held) < 2]

    def key(self, held: Held) -> str:
        """Return what the page calls a sheet: the numbers of its codes, such as `0-2`."""
        return "-".join(str(self.codes.index(code)) for code in held)

    def to_json(self) -> dict[str, Any]:
        """Return what the page's script reads; the strips stand in the page itself."""
        codes = [
            {
                "name": without_places(code.name),
                "labels": list(map(without_places, code.grid.labels)),
                "trained": list(map(bool, code.grid.trained)),
                "closed": code.closed,
                "choice": code.discrete,
            }
            for code in self.codes
        ]
        pairs = {self.key(s.held): str(s.image) for s in self.sheets if len(s.held) == 2}
        size = {"rows": self.rows, "width": self.width, "height": self.height}
        return {**size, "points": self.points is not None, "codes": codes, "pairs": pairs}


def draw(
    source: Source,
    budget: Budget | None = None,
    *,
    work: Callable[[], float] = time.thread_time,
    clock: Callable[[], float] = time.monotonic,
) -> Album:
    """Return the album of a generator; ValueError says why there can be none.

    The rows are those of `gantk traverse --seed 0`. Sheets that don't fit are left out and named:
    how many do is guessed from the work that a few samples take, whatever else the machine does.
    """
    budget, begun = budget or Budget(), clock()
    tiles = tiles_for(source.space, source.generate)
    height, width = tiles.size
    room = int(min(budget.pixels / (height * width), budget.seconds / _pace(source, tiles, work)))
    fixed = None if tiles.draws is None else 1
    layout = lay_out(source.space, source.codes, room, rows=fixed)
    album = Album(
        source.step, layout.rows, height, width, tiles.draws, layout.codes, notes=layout.notes
    )
    # The room was a guess; twice the time is where waiting ends.
    _fill(album, source, tiles, layout, budget, lambda: clock() - begun > 2 * budget.seconds)
    return album


def _fill(
    album: Album,
    source: Source,
    tiles: Tiles,
    layout: Layout,
    budget: Budget,
    late: Callable[[], bool],
) -> None:
    noise = tiles.noise(source.space, layout.rows)
    a_tile, left = budget.bytes / layout.tiles, budget.bytes
    for held in layout.held:
        if len(held) == 2 and late():
            album.notes.append(f"no time for {_named(held)}")
            continue
        samples = source.generate(_latents(source.space, noise, held, layout.rows))
        picture = tiles.sheet(samples, len(held[0]) if held else 1)
        image = data_uri(picture, allowance=a_tile * count(held, layout.rows))
        if image.size > left:
            album.notes.append(f"no room for {_named(held)}")
            continue
        left -= image.size
        album.sheets.append(Sheet(held, image, *picture.size))


def _named(held: Held) -> str:
    return " with ".join(code.name for code in held) or "samples"


def _latents(space: LatentSpace, noise: Tensor, held: Held, rows: int) -> Tensor:
    """Return the latents of a sheet, tile by tile.

    From left to right the first code varies; downwards the rows, and for each value of the second
    code all rows anew.
    """
    across, down = (len(held[0]) if held else 1), (len(held[1]) if len(held) > 1 else 1)
    draws = noise.reshape(rows, -1, noise.shape[1])  # (rows, draws of a tile, W)
    latent = draws[None, :, None].repeat(down, 1, across, 1, 1)
    for axis, code in zip((2, 0), held, strict=False):
        values = code.grid.values.to(noise)
        shape = [1] * 4 + [values.shape[1]]
        shape[axis] = len(values)
        columns = space.columns(code.name)
        latent[..., columns] = values.reshape(shape)
    return latent.flatten(0, -2)


def _pace(source: Source, tiles: Tiles, work: Callable[[], float]) -> float:
    """Return the seconds a tile takes; the first batch, which warms up, is not counted."""
    latent = source.space.sample(PROBE, torch.Generator().manual_seed(0))
    source.generate(latent)
    begun = work()
    source.generate(latent)
    return max((work() - begun) / PROBE * (tiles.draws or 1), 1e-9)
