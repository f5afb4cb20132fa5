"""Text on sheets: drawn at its final size, broken into lines where it is too long, never cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont

Font = ImageFont.FreeTypeFont
Colour = tuple[int, int, int]


@cache
def font(size: int, *, bold: bool = False) -> Font:
    """Return the sans face that comes with matplotlib: the same on every machine."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def height(face: Font) -> int:
    """Return the pixels from one line to the next."""
    ascent, descent = face.getmetrics()
    return ascent + descent + 3


def fitting(texts: Sequence[str], width: float) -> Font:
    """Return the largest face, of 9 to 13 pixels, in which every text fits; else one of 8."""
    for size in (13, 12, 11, 10, 9):
        if max(font(size).getlength(text) for text in texts) <= width:
            return font(size)
    return font(8)


def wrap(text: str, face: Font, width: float) -> list[str]:
    """Break text at blanks so that each line fits the width; long words too."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and face.getlength(longer) <= width:
            lines[-1] = longer
            continue
        rest = word
        while face.getlength(rest) > width and len(rest) > 1:
            fits = next(
                n for n in range(len(rest), 0, -1) if n == 1 or face.getlength(rest[:n]) <= width
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines
