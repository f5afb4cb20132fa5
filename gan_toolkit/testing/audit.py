"""What code really did, as the interpreter saw it: imports, files, processes, connections.

For tests that feed hostile input: that no code ran is observed, not believed. An interpreter never
forgets a hook, so use it in a process of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_RUNS = {"exec", "code.__new__", "function.__new__", "marshal.loads", "pickle.find_class"}
_STARTS = {"subprocess.Popen", "pty.spawn", "ctypes.dlopen"}
_PLACES = {
    "open": 1, "os.mkdir": 1, "os.rmdir": 1, "os.remove": 1, "os.rename": 2, "os.link": 2,
    "os.symlink": 2, "os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1,
    "shutil.move": 2, "shutil.rmtree": 1,
}  # fmt: skip
"""Events that change the disk, and how many of their arguments are places."""
_FOLLOW = {"open", "os.truncate", "os.chmod", "os.chown", "os.utime", "shutil.move"}
"""Those that go where a link leads; the others change the link."""


class Audit:
    """Hears what happens inside `watching()`; `told` has a line for each thing that should not.

    That is every import of what was not there yet, every text or code object that is executed,
    every process, library and connection, and every change of the disk outside of `folders`. What
    C code does without asking Python is not heard.
    """

    def __init__(self, *folders: Path) -> None:
        self.told: list[str] = []
        self._folders = [os.path.realpath(folder) for folder in folders]
        self._on = False
        sys.addaudithook(self._hear)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Listen; what is told meanwhile is in the list given."""
        self.told = []
        self._on = True
        try:
            yield self.told
        finally:
            self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        self._on = False  # asking where a path leads makes events too
        try:
            if event in _PLACES:
                self._hear_place(event, arguments)
            elif event == "import" or event in _RUNS or event in _STARTS or _is_outward(event):
                self.told.append(f"{event} {arguments[:1]!r:.200}")
        finally:
            self._on = True

    def _hear_place(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and not arguments[2] & _WRITES:
            return
        for place in arguments[: _PLACES[event]]:
            if not isinstance(place, int) and self._is_outside(_target(event, os.fsdecode(place))):
                self.told.append(f"{event} {place!r:.200}")

    def _is_outside(self, path: str) -> bool:
        return path != os.devnull and not any(
            path == folder or path.startswith(folder + os.sep) for folder in self._folders
        )


def _target(event: str, place: str) -> str:
    if event in _FOLLOW:
        return os.path.realpath(place)
    folder, name = os.path.split(place.rstrip(os.sep))
    return os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - `..` must stay


def _is_outward(event: str) -> bool:
    if event == "socket.gethostname":  # asks this machine only
        return False
    return event.startswith(("socket.", "os.exec", "os.spawn", "os.posix_spawn", "os.fork")) or (
        event in ("os.system", "os.startfile", "urllib.Request", "webbrowser.open")
    )
