"""A sheet: rows of small images with a title, column labels and a bar for the trained range.

Cells are enlarged by whole numbers without smoothing, so that a pixel stays a square. Text is
drawn at its final size, and a title too long for the sheet is broken into lines, never cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

CELL = 64
"""Least side of a cell; images are enlarged to the next multiple of their size."""
GAP = 2
MARGIN = 16
PAGE, GUTTER, INK, FAINT = (255, 255, 255), (214, 214, 214), (24, 24, 24), (160, 160, 160)
BAR = (31, 87, 164)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Heading:
    """What stands over a column."""

    text: str
    trained: bool = True


def to_pixels(samples: Tensor) -> Pixels:
    """Turn images (N, C, H, W) in [-1, 1] into bytes (N, H, W, 3); NaN becomes magenta."""
    if samples.shape[1] not in (1, 3):
        raise ValueError(f"an image to be drawn has 1 or 3 channels, not {samples.shape[1]}")
    colour = samples.float().expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    broken = ~torch.isfinite(colour).all(dim=-1)
    levels = ((colour.nan_to_num().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    levels[broken] = torch.tensor([255, 0, 255], dtype=torch.uint8)
    return levels.numpy()


def sheet(
    samples: Tensor,
    columns: int,
    *,
    title: str,
    subtitle: str = "",
    headings: Sequence[Heading] = (),
) -> Image.Image:
    """Lay images (N, C, H, W) out row by row under a title."""
    cells = _tiles(to_pixels(samples), columns)
    width = cells.width + 2 * MARGIN
    lines = [
        *((line, _font(15, bold=True), INK) for line in _wrap(title, _font(15, bold=True), cells)),
        *((line, _font(12), (90, 90, 90)) for line in _wrap(subtitle, _font(12), cells)),
    ]
    top = MARGIN + sum(_height(font) for _, font, _ in lines) + 8
    labels = 28 if headings else 0
    page = Image.new("RGB", (width, top + labels + cells.height + MARGIN), PAGE)
    draw, y = ImageDraw.Draw(page), float(MARGIN)
    for line, font, ink in lines:
        draw.text((MARGIN, y), line, fill=ink, font=font)
        y += _height(font)
    page.paste(cells, (MARGIN, top + labels))
    if headings:
        _head(draw, headings, top, (cells.width - GAP) / len(headings))
    return page


def _tiles(pixels: Pixels, columns: int) -> Image.Image:
    """Enlarge and join images; the gutter between and around them shows where each ends."""
    times = max(1, -(-CELL // max(pixels.shape[1:3])))
    pixels = pixels.repeat(times, axis=1).repeat(times, axis=2)
    count, height, width, _ = pixels.shape
    rows = -(-count // columns)
    size = (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP)
    page = Image.new("RGB", size, GUTTER)
    for index, tile in enumerate(pixels):
        row, column = divmod(index, columns)
        place = (GAP + column * (width + GAP), GAP + row * (height + GAP))
        page.paste(Image.fromarray(tile), place)
    return page


def _head(draw: ImageDraw.ImageDraw, headings: Sequence[Heading], top: int, pitch: float) -> None:
    """Write the labels and, where the range ends within the sheet, a bar under trained ones."""
    partly = len({heading.trained for heading in headings}) == 2
    size = _fitting([heading.text for heading in headings], pitch - 4)
    for column, heading in enumerate(headings):
        left = MARGIN + GAP / 2 + column * pitch
        ink = INK if heading.trained else FAINT
        draw.text((left + pitch / 2, top + 10), heading.text, ink, _font(size), anchor="mm")
        if partly and heading.trained:
            follows = column + 1 < len(headings) and headings[column + 1].trained
            right = left + pitch + (0 if follows else -GAP)
            draw.rectangle((left, top + 21, right, top + 23), fill=BAR)


def _fitting(texts: Sequence[str], width: float) -> int:
    for size in (13, 12, 11, 10, 9):
        if max(_font(size).getlength(text) for text in texts) <= width:
            return size
    return 8


def _wrap(text: str, font: ImageFont.FreeTypeFont, cells: Image.Image) -> list[str]:
    """Break text at blanks so that each line fits the width of the cells; long words too."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= cells.width:
            lines[-1] = longer
            continue
        rest = word
        while font.getlength(rest) > cells.width and len(rest) > 1:
            fits = next(
                n
                for n in range(len(rest), 0, -1)
                if n == 1 or font.getlength(rest[:n]) <= cells.width
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines


def _height(font: ImageFont.FreeTypeFont) -> int:
    ascent, descent = font.getmetrics()
    return ascent + descent + 3


@cache
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the sans face that comes with matplotlib: the same on every machine."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)
