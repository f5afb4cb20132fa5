"""A stop asked for from outside: noticed between steps, never in the middle of one."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from gan_toolkit.errors import GantkError, Interrupted, Preempted

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """While entered, the first signal is remembered and a second one stops at once.

    The former handlers come back on leaving. Outside the main thread no handler can be set, and
    nothing is ever requested.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._former[number] = signal.signal(number, self._notice)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former.clear()

    def error(self) -> GantkError | None:
        """Return what to raise once everything is saved, or None when nothing was requested."""
        if self.received is None:
            return None
        kind = Interrupted if self.received is signal.SIGINT else Preempted
        return kind(f"stopped by {self.received.name}")

    def _notice(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
