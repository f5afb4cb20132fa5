"""Standard output belongs to results; whatever else is printed goes to stderr."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO

import click

_kept_apart: list[TextIO | None] = []
"""Where results go while `sys.stdout` is lent to whoever prints."""


def results() -> TextIO | None:
    """Return where results go; None when it was closed before we came."""
    return _kept_apart[-1] if _kept_apart else sys.stdout


def write(text: str, *, err: bool = False, newline: bool = True) -> None:
    """Write text as it is, to where results go or to stderr."""
    stream = sys.stderr if err else results()
    if stream is not None:
        click.echo(text, file=stream, nl=newline)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person reads the stream."""
    return stream is not None and stream.isatty()


@contextmanager
def results_apart() -> Iterator[None]:
    """Send to stderr whatever is printed meanwhile, and only results to stdout.

    What plugins, their subprocesses and the libraries below them print can't get between them.
    """
    if _kept_apart:
        yield
        return
    with _second_handle(sys.stdout) as stream, redirect_stdout(sys.stderr):
        _kept_apart.append(stream)
        try:
            yield
        finally:
            _kept_apart.pop()


@contextmanager
def _second_handle(stream: TextIO | None) -> Iterator[TextIO | None]:
    """Give another way to where `stream` writes, and let its own number mean stderr meanwhile."""
    number, instead = _number(stream), _number(sys.stderr)
    if stream is None or number is None or instead is None:
        yield stream
        return
    stream.flush()
    kept = os.dup(number)
    own = os.fdopen(kept, "w", encoding=stream.encoding, errors=stream.errors)
    os.dup2(instead, number)
    try:
        yield own
    finally:
        os.dup2(kept, number)
        with suppress(OSError):  # whoever wrote last was told already
            own.close()


def nobody_reads() -> bool:
    """Return whether stdout or stderr is a pipe whose reader has gone."""
    numbers = [number for number in map(_number, (sys.stdout, sys.stderr)) if number is not None]
    if not hasattr(select, "poll"):  # Windows: then a broken pipe can only be one of these
        return bool(numbers)
    poll = select.poll()
    for number in numbers:
        poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def let_go() -> None:
    """Drop what a stream could not take: Python would complain of it again at the end."""
    for stream in (sys.stdout, sys.stderr):
        number = _number(stream)
        try:
            stream.flush()
        except OSError:
            if number is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
        except (AttributeError, ValueError):  # closed before we came
            continue


def _number(stream: TextIO | None) -> int | None:
    """Return the number of a file; None for a stream that is closed, or in a notebook or test."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None
