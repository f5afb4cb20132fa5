"""A run in a process of its own, tied to ours by a pipe.

Over the pipe it is asked to stop, which works on every system, and it ends when we do: a worker
that is killed leaves no run behind that nobody follows.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from gan_toolkit import files
from gan_toolkit.files import storage_errors
from gan_toolkit.launcher import cores

StopWord = Literal["SIGINT", "SIGTERM"]
_WORDS: tuple[StopWord, ...] = ("SIGINT", "SIGTERM")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Order:
    """One call of the command line."""

    words: Sequence[str]
    """What stands behind `gantk`."""
    log: Path
    """Where what it says is appended."""
    environment: Mapping[str, str] = field(default_factory=dict)


class Process(Protocol):
    """A run that was started."""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""

    def stop(self, word: StopWord) -> None:
        """Ask it to stop, as the signal of that name does."""

    def wait(self) -> int:
        """Return its exit code when it is over."""


class Start(Protocol):
    """Starts a run."""

    def __call__(self, order: Order) -> Process:
        """Start what is ordered."""


class Tethered:
    """A process that listens to the pipe which is its standard input."""

    def __init__(self, command: Sequence[str], order: Order) -> None:
        files.make_folders(order.log.parent)
        with storage_errors(order.log), order.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *order.words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(order.environment),
                # Ctrl-C in a terminal must reach us alone: twice means at once.
                start_new_session=True,
            )

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        code = self._process.poll()
        if code is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        return code

    def stop(self, word: StopWord) -> None:
        """Ask it to stop, as the signal of that name does."""
        assert self._process.stdin is not None, "it was started with a pipe"
        with suppress(OSError, ValueError):  # it ended by itself
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()

    def wait(self) -> int:
        """Return its exit code when it is over."""
        self._process.wait()
        code = self.poll()
        assert code is not None, "it is over"
        return code


def starter(module: str) -> Start:
    """Return what starts runs by a module that calls `obey` and then the command line."""

    def start(order: Order) -> Tethered:
        return Tethered([sys.executable, "-m", module], order)

    return start


def obey(pipe: BinaryIO) -> None:
    """Turn words that come over a pipe into signals to this process; its end is SIGTERM."""
    main = threading.main_thread().ident

    def listen() -> None:
        for line in iter(pipe.readline, b""):
            word = line.decode("ascii", "replace").strip()
            if word in _WORDS:
                _signal(main, signal.Signals[word])
        _signal(main, signal.SIGTERM)

    threading.Thread(target=listen, name="tether", daemon=True).start()


def _signal(main: int | None, number: signal.Signals) -> None:
    """Send a signal to the main thread, so that it wakes from whatever it waits for."""
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


def threads_for(jobs: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that share the cores out; what the user set stays."""
    each = str(max(1, cores() // jobs))
    return {name: each for name in _THREADS if name not in environment}
