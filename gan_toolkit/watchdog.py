"""Says where a process stands that has not moved for long; it ends nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import NamedTuple


class _Work(NamedTuple):
    what: str
    patience: float
    begun: float


class Watchdog:
    """While entered, a thread looks at what the thread that entered it is doing.

    Work that takes longer than its patience is told once, with the line of code it stands at.
    """

    def __init__(self, say: Callable[[str], None], *, every: float = 1.0) -> None:
        self._say = say
        self._every = every
        self._at: _Work | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Watchdog:
        self._ended.clear()
        watched = threading.get_ident()
        self._thread = threading.Thread(target=self._look, args=(watched,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def watching(self, what: str, patience: float) -> Iterator[None]:
        """Have `what` looked after: it should take no more than `patience` seconds."""
        outer, self._at = self._at, _Work(what, patience, monotonic())
        try:
            yield
        finally:
            self._at = outer and outer._replace(begun=monotonic())

    def _look(self, watched: int) -> None:
        told: _Work | None = None
        while not self._ended.wait(self._every):
            at = self._at
            if at is None or at is told or monotonic() - at.begun < at.patience:
                continue
            told = at
            with suppress(Exception):  # whoever can't be told must not end this
                self._say(
                    f"{at.what} has taken {at.patience:.0f} s and goes on, {_place(watched)}; "
                    "Ctrl-C twice ends the run at once"
                )


def _place(thread: int) -> str:
    """Return the line of code that a thread stands at."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return "at an unknown place"
    return f"at {Path(frame.f_code.co_filename).name}:{frame.f_lineno} in {frame.f_code.co_name}"
