"""How far a transfer is: one bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from gan_toolkit.cli.session import Session
from gan_toolkit.cli.text import echo, is_lively, size
from gan_toolkit.files import printable

SECONDS = 5.0
"""Between two plain lines."""


class Transfers(AbstractContextManager["Transfers"]):
    """Tells of bytes that come, as plain lines."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._told = time.monotonic()

    def __call__(self, path: str, done: int, total: int) -> None:
        """Take notice: `done` bytes of `total` (0: not known) of the file at `path` are there."""
        now = time.monotonic()
        if now - self._told >= SECONDS:
            self._told = now
            share = f" of {size(total)}, {done / total:.0%}" if total else ""
            self.session.say(f"{path}: {size(done)}{share}")

    def __exit__(self, *_error: object) -> None:
        """End it."""


class LiveTransfers(Transfers):
    """Redraws one bar, which leaves no trace."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._task: TaskID | None = None
        self._path = ""

    def __call__(self, path: str, done: int, total: int) -> None:
        """Move the bar."""
        if self._task is None or path != self._path:
            if self._task is not None:
                self._progress.remove_task(self._task)
            # What was there before does not count for the speed.
            self._task = self._progress.add_task(path, total=total or None, completed=done)
            self._path = path
        self._progress.update(self._task, completed=done, total=total or None)

    def __enter__(self) -> LiveTransfers:
        self._progress.start()
        self.session.say = self._say
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.say = echo
        self._progress.stop()

    def _say(self, text: str) -> None:
        self._progress.console.print(Text(printable(text)), soft_wrap=True)


def transfers_for(session: Session) -> Transfers:
    """Return the one that suits where stderr goes."""
    return LiveTransfers(session) if is_lively(os.environ) else Transfers(session)
