"""Text for people: cleaned, aligned, with units a person can read.

Text from outside (files, plugins, data) never reaches a terminal with its control characters.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from gan_toolkit.cli.streams import is_terminal, results, write
from gan_toolkit.files import printable

GUTTER = "  "
NARROWEST = 24
"""Characters that a last column keeps, however narrow the terminal is."""


def command(*words: object) -> str:
    """Return a command of ours as one can paste it into a shell."""
    return f"gantk {shlex.join(map(str, words))}"


def echo(text: str) -> None:
    """Write prose to stderr: standard output belongs to results."""
    click.echo(printable(text), err=True)


def is_lively(environment: Mapping[str, str]) -> bool:
    """Return whether stderr is a terminal that can redraw lines, with a person before it."""
    if environment.get("TERM") in ("dumb", "unknown") or environment.get("CI"):
        return False
    return is_terminal(sys.stderr)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """On a terminal, say what is waited for, and leave no trace of it."""
    lively = is_lively(os.environ)
    if lively:
        click.echo(dim(f"{text} …"), err=True, nl=False)
    try:
        yield
    finally:
        if lively:  # spaces: an erasing code would be stripped together with colours
            click.echo("\r".join(["", " " * (len(text) + 2), ""]), err=True, nl=False)


def put(text: str = "") -> None:
    """Write one line of a result to stdout."""
    write(printable(text))


def put_json(value: Any) -> None:
    """Write one JSON document to stdout, on one line if it is an event, indented otherwise."""
    indent = None if isinstance(value, dict) and "event" in value else 2
    write(json.dumps(value, indent=indent, allow_nan=False, default=str))


def dim(text: str) -> str:
    """Return `text` in a quiet style."""
    return click.style(text, dim=True)


def heading(text: str, *, err: bool = False) -> None:
    """Write a heading over what follows."""
    write(click.style(printable(text), bold=True), err=err)


def table(
    rows: Iterable[Sequence[object]],
    header: Sequence[str] = (),
    *,
    err: bool = False,
    right: Iterable[int] = (),
    indent: str = "",
) -> None:
    """Write aligned columns; on a terminal the last one wraps under itself.

    `right` names the columns of numbers, which end at the same place.
    """
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    if not cells:
        return
    everything = [list(header), *cells] if header else cells
    widths = [max(len(row[i]) for row in everything) for i in range(len(cells[0]))]
    stream = sys.stderr if err else results()
    room = shutil.get_terminal_size().columns if is_terminal(stream) else None
    for number, row in enumerate(everything):
        for line in _lines(row, widths, set(right), room, indent):
            write(dim(line) if header and number == 0 else line, err=err)


def _lines(
    row: Sequence[str], widths: Sequence[int], right: set[int], room: int | None, indent: str
) -> list[str]:
    aligned = [
        cell.rjust(width) if i in right else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    before = indent + "".join(cell + GUTTER for cell in aligned[:-1])
    last = aligned[-1].rstrip()
    if room is None:
        return [(before + last).rstrip()]
    wrapped = textwrap.wrap(last, max(room - len(before), NARROWEST)) or [""]
    return [
        ((before if first else " " * len(before)) + part).rstrip()
        for first, part in ((i == 0, part) for i, part in enumerate(wrapped))
    ]


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
