"""A stop asked for from outside: noticed between steps, never in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from gan_toolkit.errors import GantkError, Interrupted, Preempted

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = [signal.Signals[name] for name in _NAMES if hasattr(signal, name)]


class Stop(KeyboardInterrupt):
    """The system asks for a stop while no training loop listens.

    Like Ctrl-C it is no Exception, so nothing that contains errors can swallow it.
    """


class Leaving:
    """While entered, a signal ends the command: SIGINT as ever, any other by raising `Stop`.

    Once the command is `settled`, its exit code is certain and no signal changes it. With
    `for_good` the process ends with the command, and ignores them until it is gone. Outside the
    main thread no handler can be set, and whoever owns it decides.
    """

    def __init__(self, *, for_good: bool = False) -> None:
        self.settled = False
        self._for_good = for_good
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Leaving:
        self._former = _take_over(self)
        return self

    def __exit__(self, *_error: object) -> None:
        deaf = self.settled and self._for_good
        for number, handler in self._former.items():
            signal.signal(number, signal.SIG_IGN if deaf else handler)
        self._former.clear()

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Answer a signal."""
        if not self.settled:
            raise (
                KeyboardInterrupt if number == signal.SIGINT else Stop(signal.Signals(number).name)
            )

    def settle(self) -> None:
        """Let nothing change how the command ends, whoever answers signals at the moment."""
        self.settled = True
        for number in self._former:
            signal.signal(number, self)


class StopRequest:
    """While entered, the first signal is remembered and a second one stops at once.

    Where signals are `repeated`, by a launcher that hands on what its processes have got already,
    a second one says nothing new. The former handlers come back on leaving; if the reason is a
    stop, all is saved, and a command that is being left is settled. Outside the main thread no
    handler can be set, and nothing is ever requested.
    """

    def __init__(self, *, repeated: bool = False) -> None:
        self.received: signal.Signals | None = None
        self._repeated = repeated
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        self._former = _take_over(self._notice)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._former.items():
            if isinstance(error, Interrupted | Preempted) and isinstance(handler, Leaving):
                handler.settled = True
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
            if self._repeated:
                return
            raise KeyboardInterrupt
        self.received = signal.Signals(number)


def _take_over(handler: Callable[[int, FrameType | None], None]) -> dict[signal.Signals, Any]:
    """Set a handler for every signal and return the old ones; `nohup` keeps its word.

    Outside the main thread none can be set.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {n: signal.signal(n, handler) for n in _SIGNALS if not _kept_by_nohup(n)}


def _kept_by_nohup(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN
