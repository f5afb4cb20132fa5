"""Who is told when something happened. An observer may fail, hang or draw; the run goes on.

Trackers, panels and measures watch between steps. Whatever one of them does, training continues
with the same random numbers as if nobody had looked.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
import torch

from gan_toolkit.device import accelerator_states, restore_accelerator_states
from gan_toolkit.errors import RankError
from gan_toolkit.files import printable
from gan_toolkit.interfaces import Picture, Tracker
from gan_toolkit.watchdog import Watchdog

MOST_FAILURES = 3
"""After so many an observer is switched off."""
SLOW = 10.0
"""Seconds after which a call is worth a warning."""

P = ParamSpec("P")
T = TypeVar("T")


class _States(NamedTuple):
    """The global generators of everything that may be imported."""

    python: Any
    numpy: Any
    torch: torch.Tensor
    accelerators: list[torch.Tensor]


def _states() -> _States:
    accelerators = accelerator_states()
    return _States(random.getstate(), np.random.get_state(), torch.get_rng_state(), accelerators)


@contextmanager
def untouched_randomness() -> Iterator[None]:
    """Put the global generators of Python, NumPy and torch back to where they were.

    Costs about 0.1 ms on the CPU.
    """
    before = _states()
    try:
        yield
    finally:
        random.setstate(before.python)
        np.random.set_state(before.numpy)
        torch.set_rng_state(before.torch)
        restore_accelerator_states(before.accelerators)


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # somebody removed it
        return ""


def _go_to(folder: str) -> None:
    with suppress(OSError):
        os.chdir(folder)


def _record_gradients(on: bool) -> None:
    torch.set_grad_enabled(on)


SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "the folder it works in": (_folder, _go_to),
    "torch's default type": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's threads": (torch.get_num_threads, torch.set_num_threads),
    "whether gradients are recorded": (torch.is_grad_enabled, _record_gradients),
    "whether kernels are deterministic": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
}
"""What a process has one of, and an observer must leave as it is: how to ask for it and set it."""


class Guard:
    """Calls what only watches, and keeps its faults from the run.

    An observer that raises is named once, and switched off after three failures. Settings of the
    process that it changes are named and put back. With a `watchdog`, one that hangs is told.
    """

    def __init__(self, say: Callable[[str], None], watchdog: Watchdog | None = None) -> None:
        self._say = say
        self._watchdog = watchdog or Watchdog(say)
        self._changed: set[tuple[str, str]] = set()
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._slow: set[str] = set()

    def call(self, who: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what `act` returns, or None when it failed or `who` is switched off.

        Only KeyboardInterrupt gets through, and the loss of another rank, which no observer can
        help: even a SystemExit of an observer is its own affair.
        """
        return None if self.is_off(who) else self._guarded(who, act, *args, **kwargs)

    def last_call(self, who: str, act: Callable[[], None]) -> None:
        """Call `act` even when `who` is switched off: to let go of what it holds."""
        self._guarded(who, act)

    def is_off(self, who: str) -> bool:
        """Return whether `who` has failed too often to be called again."""
        return self._counts.get(who, 0) >= MOST_FAILURES

    def failures(self) -> list[str]:
        """Return a line for each observer that failed, for the end of the run."""
        return [
            f"{who} failed {count} time{'s' if count > 1 else ''}"
            f"{' and was switched off' if self.is_off(who) else ''}: {self._first[who]}"
            for who, count in self._counts.items()
        ]

    def _guarded(
        self, who: str, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        start = time.monotonic()
        try:
            with (
                self._settings_kept(who),
                untouched_randomness(),
                self._watchdog.watching(who, SLOW),
            ):
                return act(*args, **kwargs)
        except (KeyboardInterrupt, RankError):
            raise
        except BaseException as error:  # noqa: BLE001 - see `call`
            self._note(who, error)
            return None
        finally:
            self._time(who, time.monotonic() - start)

    @contextmanager
    def _settings_kept(self, who: str) -> Iterator[None]:
        before = {what: ask() for what, (ask, _) in SETTINGS.items()}
        try:
            yield
        finally:
            for what, (ask, put) in SETTINGS.items():
                if (now := ask()) != before[what]:
                    put(before[what])
                    if (who, what) not in self._changed:
                        self._changed.add((who, what))
                        self._say(
                            f"{who} changed {what} from {before[what]} to {now}; it was put back"
                        )

    def _note(self, who: str, error: BaseException) -> None:
        text = printable(f"{type(error).__name__}: {_text(error)}".removesuffix(": "))
        count = self._counts[who] = self._counts.get(who, 0) + 1
        self._first.setdefault(who, text)
        if count == 1:
            self._say(f"{who} failed, the run goes on: {text}")
        elif count == MOST_FAILURES:
            self._say(f"{who} is switched off after {count} failures")

    def _time(self, who: str, seconds: float) -> None:
        if seconds > SLOW and who not in self._slow:
            self._slow.add(who)
            self._say(f"{who} took {seconds:.0f} s; training waits for it")


class Observers:
    """The trackers of a run, told one after the other."""

    def __init__(
        self,
        trackers: Mapping[str, Tracker],
        say: Callable[[str], None],
        watchdog: Watchdog | None = None,
    ) -> None:
        self.guard = Guard(say, watchdog)
        self._trackers = {f"tracker {name!r}": tracker for name, tracker in trackers.items()}

    def start(self, facts: Mapping[str, Any]) -> None:
        """Tell of the run."""
        for who, tracker in self._trackers.items():
            self.guard.call(who, tracker.start, deepcopy(dict(facts)))

    def log(self, record: Mapping[str, Any]) -> None:
        """Hand on one record of the journal; each tracker gets a copy of its own."""
        for who, tracker in self._trackers.items():
            self.guard.call(who, tracker.log, deepcopy(dict(record)))

    def picture(self, picture: Picture, step: int) -> None:
        """Hand on one picture."""
        for who, tracker in self._trackers.items():
            self.guard.call(who, tracker.picture, picture, step)

    def close(self) -> None:
        """Close all, the last first, those that were switched off too."""
        for who, tracker in reversed(self._trackers.items()):
            self.guard.last_call(who, tracker.close)

    def failures(self) -> list[str]:
        """Return a line for each observer that failed, for the end of the run."""
        return self.guard.failures()


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the text of a stranger's error is a stranger's code
        return "its text can't be read"
