"""A sheet: grids of small images with a title, labels, and bars for the trained range.

Cells are enlarged by whole numbers without smoothing, so that a pixel stays a square. Bars stand
only where the range ends within the sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gan_toolkit import Grid
from gantk_panels.lettering import Colour, Font, fitting, font, height, wrap

CELL = 64
"""Least side of a cell; images are enlarged to the next multiple of their size."""
GAP = 2
MARGIN = 16
BETWEEN = 24
"""Pixels from one grid to the next."""
HEAD = 28
"""Pixels above a grid for the labels of its columns."""
PAGE, GUTTER, INK, FAINT = (255, 255, 255), (214, 214, 214), (24, 24, 24), (140, 140, 140)
SOFT = (90, 90, 90)
BAR = (31, 87, 164)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Heading:
    """What stands over a column or beside a row."""

    text: str
    marked: bool = True
    """Whether it is drawn in ink and under the bar: values that were trained, ends of a way."""


@dataclass(frozen=True)
class Cells:
    """A grid of images (N, C, H, W), row by row."""

    samples: Tensor
    columns: int
    headings: Sequence[Heading] = ()
    """Over each column."""
    sides: Sequence[Heading] = ()
    """Beside each row."""
    name: str = ""
    """Over it all."""


def headings_of(grid: Grid) -> list[Heading]:
    """Return the labels of a grid, those of trained values marked."""
    return [Heading(*each) for each in zip(grid.labels, grid.trained, strict=True)]


def to_pixels(samples: Tensor) -> Pixels:
    """Turn images (N, C, H, W) in [-1, 1] into bytes (N, H, W, 3); NaN becomes magenta."""
    if samples.shape[1] not in (1, 3):
        raise ValueError(f"an image to be drawn has 1 or 3 channels, not {samples.shape[1]}")
    colour = samples.float().expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    broken = ~torch.isfinite(colour).all(dim=-1)
    levels = ((colour.nan_to_num().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    levels[broken] = torch.tensor([255, 0, 255], dtype=torch.uint8)
    return levels.numpy()


def sheet(*grids: Cells, title: str, subtitle: str = "") -> Image.Image:
    """Lay grids out side by side under a title, their lower edges on one line."""
    drawn = [_grid(grid) for grid in grids]
    inner = sum(each.width for each in drawn) + BETWEEN * (len(drawn) - 1)
    lines = _lines(title, subtitle, inner)
    top = MARGIN + sum(height(face) for _, face, _ in lines) + 8
    tallest = max(each.height for each in drawn)
    page = Image.new("RGB", (inner + 2 * MARGIN, top + tallest + MARGIN), PAGE)
    draw, y = ImageDraw.Draw(page), float(MARGIN)
    for line, face, ink in lines:
        draw.text((MARGIN, y), line, fill=ink, font=face)
        y += height(face)
    x = MARGIN
    for each in drawn:
        page.paste(each, (x, top + tallest - each.height))
        x += each.width + BETWEEN
    return page


def _lines(title: str, subtitle: str, width: int) -> list[tuple[str, Font, Colour]]:
    bold, plain = font(15, bold=True), font(12)
    return [
        *((line, bold, INK) for line in wrap(title, bold, width)),
        *((line, plain, SOFT) for line in wrap(subtitle, plain, width)),
    ]


def _grid(grid: Cells) -> Image.Image:
    """Draw a grid with its labels."""
    tiles = _tiles(to_pixels(grid.samples), grid.columns)
    left = _side_width(grid.sides)
    named = wrap(grid.name, font(13, bold=True), left + tiles.width)
    top = len(named) * height(font(13, bold=True)) + (HEAD if grid.headings else 4 * bool(named))
    page = Image.new("RGB", (left + tiles.width, top + tiles.height), PAGE)
    draw = ImageDraw.Draw(page)
    for line, text in enumerate(named):
        draw.text((left, line * height(font(13, bold=True))), text, INK, font(13, bold=True))
    page.paste(tiles, (left, top))
    if grid.headings:
        _head(draw, grid.headings, left, top - HEAD, (tiles.width - GAP) / len(grid.headings))
    if grid.sides:
        _aside(draw, grid.sides, left, top, (tiles.height - GAP) / len(grid.sides))
    return page


def _tiles(pixels: Pixels, columns: int) -> Image.Image:
    """Enlarge and join images; the gutter between and around them shows where each ends."""
    times = max(1, -(-CELL // max(pixels.shape[1:3])))
    pixels = pixels.repeat(times, axis=1).repeat(times, axis=2)
    count, high, wide, _ = pixels.shape
    rows = -(-count // columns)
    size = (columns * (wide + GAP) + GAP, rows * (high + GAP) + GAP)
    page = Image.new("RGB", size, GUTTER)
    for index, tile in enumerate(pixels):
        row, column = divmod(index, columns)
        place = (GAP + column * (wide + GAP), GAP + row * (high + GAP))
        page.paste(Image.fromarray(tile), place)
    return page


def _head(
    draw: ImageDraw.ImageDraw, headings: Sequence[Heading], left: int, top: int, pitch: float
) -> None:
    """Write the labels over columns, and a bar under marked ones."""
    face = fitting([heading.text for heading in headings], pitch - 4)
    for column, heading in enumerate(headings):
        middle = left + GAP / 2 + (column + 0.5) * pitch
        draw.text((middle, top + 10), heading.text, _ink(heading), face, anchor="mm")
    for start, stop in _marked(headings, pitch):
        draw.rectangle((left + start, top + 21, left + stop, top + 23), fill=BAR)


def _aside(
    draw: ImageDraw.ImageDraw, sides: Sequence[Heading], left: int, top: int, pitch: float
) -> None:
    """Write the labels beside rows, and a bar along marked ones."""
    for row, heading in enumerate(sides):
        middle = top + GAP / 2 + (row + 0.5) * pitch
        draw.text((left - 9, middle), heading.text, _ink(heading), font(12), anchor="rm")
    for start, stop in _marked(sides, pitch):
        draw.rectangle((left - 5, top + start, left - 3, top + stop), fill=BAR)


def _side_width(sides: Sequence[Heading]) -> int:
    return round(max((font(12).getlength(side.text) for side in sides), default=-10)) + 10


def _ink(heading: Heading) -> Colour:
    return INK if heading.marked else FAINT


def _marked(headings: Sequence[Heading], pitch: float) -> list[tuple[float, float]]:
    """Return where runs of marked labels begin and end; nothing when all are alike."""
    marks = [False, *(heading.marked for heading in headings), False]
    if len(set(marks[1:-1])) < 2:
        return []
    turns = [place for place, (one, other) in enumerate(pairwise(marks)) if one != other]
    return [
        (GAP / 2 + start * pitch, GAP / 2 + stop * pitch - GAP)
        for start, stop in zip(turns[::2], turns[1::2], strict=True)
    ]
