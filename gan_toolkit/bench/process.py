"""A contestant as the one who asks sees it: a process that answers a line for a line."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gan_toolkit.errors import ExitCode, GantkError

PATIENCE = 600.0
"""Seconds after which an answer is no longer waited for."""
_END = ""


@dataclass(frozen=True)
class Entry:
    """Who is to take part: what it is called, and the command that starts it."""

    label: str
    command: Sequence[str]


class ContestantError(GantkError):
    """A contestant did not start, or gave up; it has the exit code of the process."""

    def __init__(self, text: str, exit_code: int | None = None) -> None:
        super().__init__(text)
        if exit_code in set(ExitCode) - {ExitCode.DONE}:
            self.exit_code = ExitCode(exit_code)


@dataclass
class Contestant:
    """A running contestant; close it in the end.

    It starts with `settings`; after `__init__` it has taken its first step. Raises
    ContestantError with its own last words.
    """

    entry: Entry
    settings: Mapping[str, Any]
    patience: float = PATIENCE
    facts: Mapping[str, Any] = field(init=False)
    first_step: float = field(init=False)
    """Seconds from the start of the process to the end of its first step."""

    def __post_init__(self) -> None:
        begun = time.monotonic()
        self._words = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - `close` does
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process = self._started()
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.facts = self._ask(json.dumps(dict(self.settings)))["ready"]
        except BaseException:
            self.close()
            raise
        self.first_step = time.monotonic() - begun

    def ask(self, verb: str, count: int) -> dict[str, Any]:
        """Return the answer to `verb count`."""
        return self._ask(f"{verb} {count}")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._words):
            assert stream is not None, "they are pipes"
            with suppress(BrokenPipeError):  # an order that nobody read
                stream.close()

    def _started(self) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                list(self.entry.command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                text=True,
            )
        except OSError as error:
            self._words.close()
            raise ContestantError(f"{self.entry.command[0]}: {error.strerror}") from error

    def _listen(self) -> None:
        assert self._process.stdout is not None, "it is a pipe"
        with suppress(ValueError):  # closed meanwhile: nobody waits
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(_END)

    def _ask(self, order: str) -> dict[str, Any]:
        assert self._process.stdin is not None, "it is a pipe"
        with suppress(BrokenPipeError):  # it has ended: its last words say why
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=self.patience)
        except queue.Empty:
            raise ContestantError(f"no answer in {self.patience:.0f} s") from None
        return self._understood(line)

    def _understood(self, line: str) -> dict[str, Any]:
        if line == _END:
            raise self._ended("")
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ContestantError(f"it wrote {line.strip()[:60]!r} where an answer was due")
        if "failed" in answer:
            raise self._ended(str(answer["failed"]))
        return answer

    def _ended(self, why: str) -> ContestantError:
        try:
            code = self._process.wait(timeout=self.patience)
        except subprocess.TimeoutExpired:
            return ContestantError(why)
        if code < 0:
            name = signal.Signals(-code).name
            memory = ": is the memory full?" if name == "SIGKILL" else ""
            return ContestantError(f"ended by {name}{memory}")
        why = why or self._last_words()
        return ContestantError(why or f"it ended without a word, exit code {code}", code)

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = [line.strip() for line in self._words if line.strip()]
        return lines[-1] if lines else ""
