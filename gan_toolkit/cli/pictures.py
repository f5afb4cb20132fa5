"""Sheets of samples: images side by side, points as a scatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gan_toolkit import files
from gan_toolkit.errors import UsageError
from gan_toolkit.interfaces import Grid
from gan_toolkit.model import to_images

GAP = 2
MARGIN = 16
PAPER, GUTTER, INK, FAINT = 255, 214, 24, 160
"""Greys: of the page, between images, of text, of what lies outside the trained range."""
SMALLEST_CELL = 64
"""Pixels: smaller images are enlarged, by whole factors, so that they can be seen."""
CAPTION = 16
"""Pixels below an image, for a line of text."""
MOST_LABELS = 20
"""Groups of points that a legend has room for."""


def sheet(samples: Tensor, columns: int | None = None) -> Image.Image:
    """Return samples (B, …) side by side, about as wide as high."""
    if samples.ndim != 4:
        return _scatter(samples[None])
    columns = columns or math.ceil(math.sqrt(len(samples)))
    return _tiled(_enlarged(to_images(samples)), columns)


def traversal(samples: Tensor, grid: Grid, title: str) -> Image.Image:
    """Return samples (rows, columns, …) under a title, each column under its value."""
    if samples.ndim != 5:
        return _scatter(samples.transpose(0, 1), grid.labels)
    cells = _tiled(_enlarged(to_images(samples.flatten(0, 1))), samples.shape[1])
    return _titled(cells, grid, title)


def contact_sheet(samples: Tensor, title: str, captions: Sequence[str] = ()) -> Image.Image:
    """Return images (B, C, H, W) side by side under a title, each over its caption."""
    columns = math.ceil(math.sqrt(len(samples)))
    cells = _tiled(_enlarged(to_images(samples)), columns, captions)
    return _page(cells, title, MARGIN + 24)


def point_sheet(
    groups: Sequence[Tensor], title: str, labels: Sequence[str] = (), values: Tensor | None = None
) -> Image.Image:
    """Return points under a title: a colour for each group, or, of one group, for each value."""
    return _scatter(groups, labels, title, values)


def save_each(samples: Tensor, folder: Path) -> None:
    """Write one picture a sample into a folder that is new or empty; all of them or none."""
    if samples.ndim != 4:
        raise UsageError("--each needs images; this model makes points: use -o points.npy")
    files.make_folders(folder)
    with files.storage_errors(folder), files.temporary(folder) as unfinished:
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; --each needs a folder that is new or empty")
        files.make_folders(unfinished)
        digits = max(4, len(str(len(samples) - 1)))
        for number, image in enumerate(to_images(samples)):
            # Many small files: to wait for the disk after each would take minutes.
            files.write_new(unfinished / f"{number:0{digits}}.png", _png(image), sync=False)
        for path in sorted(unfinished.iterdir()):
            files.disk.rename(path, folder / path.name)
        files.disk.sync_folder(folder)


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture, whole or not at all."""
    _save(path, _png(picture))


def save_numbers(samples: Tensor, path: Path) -> None:
    """Write the samples as they are, float32 in [-1, 1] for images, whole or not at all."""
    content = BytesIO()
    np.save(content, samples.numpy(), allow_pickle=False)
    _save(path, content.getvalue())


def _save(path: Path, content: bytes) -> None:
    files.make_folders(path.parent)
    files.write_atomic(path, content)


def _png(picture: Image.Image) -> bytes:
    content = BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


# --- images --------------------------------------------------------------------------------


def _enlarged(tiles: list[Image.Image]) -> list[Image.Image]:
    factor = math.ceil(SMALLEST_CELL / min(tiles[0].size))
    if factor == 1:
        return tiles
    width, height = tiles[0].size
    size = (width * factor, height * factor)
    return [tile.resize(size, Image.Resampling.NEAREST) for tile in tiles]


def _tiled(tiles: Sequence[Image.Image], columns: int, captions: Sequence[str] = ()) -> Image.Image:
    width, height = (side + GAP for side in tiles[0].size)
    height += CAPTION if captions else 0
    rows = math.ceil(len(tiles) / columns)
    size = (columns * width + GAP, rows * height + GAP)
    ground = PAPER if captions else GUTTER
    picture = Image.new(tiles[0].mode, size, _colour(tiles[0].mode, ground))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(11)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        left, top = column * width + GAP, row * height + GAP
        picture.paste(tile, (left, top))
        if captions:
            text = _cut(captions[number], font, width - GAP)
            place = (left + tile.width / 2, top + tile.height + 1)
            draw.text(place, text, _colour(tile.mode, INK), font, anchor="ma")
    return picture


def _cut(text: str, font: Any, width: int) -> str:
    """Return as much of a text as there is room for, and that there was more."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _titled(cells: Image.Image, grid: Grid, title: str) -> Image.Image:
    plain = ImageFont.load_default(12)
    top = MARGIN + 48
    page = _page(cells, title, top)
    draw = ImageDraw.Draw(page)
    step = (cells.width - GAP) / len(grid.labels)
    # Values wider than a column would run into each other: every so many is enough.
    widest = max(plain.getlength(label) for label in grid.labels)
    for column in range(0, len(grid.labels), math.ceil((widest + 4) / step)):
        ink = _colour(cells.mode, INK if grid.trained[column] else FAINT)
        place = (MARGIN + (column + 0.5) * step, top - 4)
        draw.text(place, grid.labels[column], ink, plain, anchor="mb")
    return page


def _page(cells: Image.Image, title: str, top: int) -> Image.Image:
    """Return cells on paper, `top` pixels below its edge, under a title."""
    bold = ImageFont.load_default(14)
    width = max(cells.width, math.ceil(bold.getlength(title))) + 2 * MARGIN
    page = Image.new(cells.mode, (width, top + cells.height + MARGIN), _colour(cells.mode, PAPER))
    page.paste(cells, (MARGIN, top))
    ImageDraw.Draw(page).text((MARGIN, MARGIN), title, _colour(cells.mode, INK), bold)
    return page


def _colour(mode: str, grey: int) -> int | tuple[int, int, int]:
    return (grey, grey, grey) if mode == "RGB" else grey


# --- points --------------------------------------------------------------------------------


def _scatter(
    groups: Sequence[Tensor] | Tensor,
    labels: Sequence[str] = (),
    title: str = "",
    values: Tensor | None = None,
) -> Image.Image:
    """Return points (B, D), a colour for each group, in their first two coordinates."""
    from matplotlib.figure import Figure

    if groups[0].shape[-1] < 2:
        raise UsageError("samples of one number can't be drawn; use -o points.npy")
    figure = Figure(figsize=(5, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(title, fontsize=8, loc="left", wrap=True)
    for number, group in enumerate(groups):
        label = labels[number] if labels else None
        drawn = axes.scatter(
            group[:, 0], group[:, 1], c=values, s=6, alpha=0.7, linewidths=0, label=label
        )
    if values is not None:
        figure.colorbar(drawn, shrink=0.7)
    if 0 < len(labels) <= MOST_LABELS:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, markerscale=2)
    page = BytesIO()
    figure.savefig(page, format="png")
    return Image.open(page).convert("RGB")
