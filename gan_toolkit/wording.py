"""Numbers, times, sizes and counts as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable

LARGEST_COUNT = 1e15
"""From here on floats are whole anyway."""


def number(value: float) -> str:
    """Return a number in three significant digits, or whole from a thousand on."""
    magnitude = abs(value)
    if magnitude >= 1000:
        return f"{value:,.0f}" if magnitude < 1e7 else f"{value:.2e}"
    if magnitude < 1e-3:
        return f"{value:.1e}" if value else "0"
    # Zeros at the end stay, so that a number that changes keeps its width.
    places = 2 - math.floor(math.log10(magnitude))
    return f"{value:.{max(places, 0)}f}"


def figure(value: float) -> str:
    """Return a number; a count stays whole."""
    is_count = abs(value) < LARGEST_COUNT and float(value).is_integer()
    return f"{value:,.0f}" if is_count else number(value)


def duration(seconds: float) -> str:
    """Return seconds as 0:42, 12:03 or 1:12:03."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def size(count: float) -> str:
    """Return bytes in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit in ("B", "KiB", "MiB") else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def count_of(number_of: int, noun: str, nouns: str | None = None) -> str:
    """Return `1 picture`, `12,000 pictures`."""
    return f"{number_of:,} {noun if number_of == 1 else nouns or noun + 's'}"


def shape_of(shape: Iterable[int]) -> str:
    """Return `3x32x32`, or `2 numbers`."""
    sides = list(shape)
    return count_of(sides[0], "number") if len(sides) == 1 else "x".join(map(str, sides))
