"""Text for people: cleaned, aligned, with units a person can read.

Text from outside (files, plugins, data) never reaches a terminal with its control characters.
"""

from __future__ import annotations

import json
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
from gan_toolkit.wording import count_of as count_of
from gan_toolkit.wording import duration as duration
from gan_toolkit.wording import number as number
from gan_toolkit.wording import shape_of as shape_of
from gan_toolkit.wording import size as size

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
    everything = [[printable(name) for name in header], *cells] if header else cells
    widths = [max(len(row[i]) for row in everything) for i in range(len(cells[0]))]
    stream = sys.stderr if err else results()
    room = shutil.get_terminal_size().columns if is_terminal(stream) else None
    for place, row in enumerate(everything):
        for line in _lines(row, widths, set(right), room, indent):
            write(dim(line) if header and place == 0 else line, err=err)


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
