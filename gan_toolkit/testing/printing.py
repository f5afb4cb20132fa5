"""What is printed while something is tried: kept, to be shown if the trial fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from tempfile import TemporaryFile
from typing import TextIO

from gan_toolkit.files import printable

MOST_LINES = 20
"""The last lines are kept: what went wrong stands at the end."""


@contextmanager
def kept_quiet() -> Iterator[list[str]]:
    """Yield a list that gets the last lines of what is printed inside, when that is over.

    Whoever prints: Python, libraries below it, and processes that inherit its streams.
    """
    lines: list[str] = []
    with TemporaryFile("w+", encoding="utf-8", errors="replace", buffering=1) as file:
        try:
            with _handles_lead_to(file), redirect_stdout(file), redirect_stderr(file):
                yield lines
        finally:
            file.seek(0)
            lines += [printable(line) for line in file.read().splitlines()[-MOST_LINES:]]


@contextmanager
def _handles_lead_to(file: TextIO) -> Iterator[None]:
    """Let the numbers 1 and 2, which other processes inherit, mean `file` meanwhile."""
    kept = {}
    for number in (1, 2):
        with suppress(OSError):  # closed before we came
            kept[number] = os.dup(number)
    try:
        for number in kept:
            os.dup2(file.fileno(), number)
        yield
    finally:
        for number, handle in kept.items():
            os.dup2(handle, number)
            os.close(handle)
