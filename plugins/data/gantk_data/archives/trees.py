"""What a folder and an archive have in common: files by name, read one by one, none extracted.

An archive is a stranger's word. `Roll` checks what it says of each member before a byte of the
member is read; what may come instead of the bytes is the business of `tars.py` and `zips.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from gan_toolkit import DataError

RATIO = 200
"""Bytes that may come out of one compressed byte; pictures give 1, plain text 20."""
SLACK = 1 << 20
"""Bytes below which no ratio is taken: a kilobyte of spaces is no bomb."""
_FEW = 5


@dataclass(frozen=True)
class Limits:
    """What an archive may hold at most; refused before memory or time is spent on it."""

    largest: int = 1 << 26
    """Bytes of one file."""
    total: int = 1 << 40
    """Bytes of all files together, uncompressed."""
    members: int = 5_000_000


class Tree(ABC):
    """Files by name, names being relative with forward slashes. For one thread at a time."""

    path: Path
    any_order: bool = True
    """Whether `read` jumps to a file; if not, only `each` reads many of them in good time."""

    @abstractmethod
    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:
        """Return a text that changes when the files do, found without reading them.

        In a folder, only those files matter whose names `counts` is true of; without it, all do.
        """

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all files, in the order in which they are fastest to read.

        Raises DataError naming a dishonest member.
        """

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the contents of one file; DataError naming it if it can't be read."""

    def each(self, wanted: Container[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield name and contents of the files `wanted`, or of all, in the fastest order.

        This is the way to read many: a compressed tar can't jump to a member, so that `read`
        of each in turn would expand the archive once a file.
        """
        for name in self.names():
            if wanted is None or name in wanted:
                yield name, self.read(name)


class Roll:
    """The members of one archive as they are met; the first dishonest one is refused."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._count = 0
        self._total = 0
        self._seen: dict[str, str] = {}

    def admit(self, raw: str, size: int, folder: bool, fault: str = "") -> str | None:
        """Return the name of a file, or None if it is hidden or a folder.

        Raises DataError with the member's name, for `fault` or for one that is found here.
        """
        self._count += 1
        fault = fault or self._too_much(size) or _misleading(raw)
        parts = [part for part in raw.split("/") if part not in {"", "."}]
        if not (fault or folder or parts):
            fault = "it has no name"
        if fault:
            raise DataError(f"{shown(str(self._path))}: member {raw!r}: {fault}")
        if folder or any(hidden(part) for part in parts):
            return None
        name = "/".join(parts)
        twin = self._seen.setdefault(name.casefold(), name)
        if twin is not name:
            fault = (
                "its name occurs twice"
                if twin == name
                else f"its name differs from {twin!r} only in upper and lower case"
            )
            raise DataError(f"{shown(str(self._path))}: member {raw!r}: {fault}")
        return name

    def _too_much(self, size: int) -> str:
        self._total += max(size, 0)
        limits = self._limits
        if self._count > limits.members:
            return f"there are more than {limits.members:,} members"
        if not 0 <= size <= limits.largest:
            return f"it claims {size:,} bytes, the limit is {limits.largest:,}"
        if self._total > limits.total:
            return f"up to it the files claim {self._total:,} bytes, the limit is {limits.total:,}"
        return ""


def file_stamp(path: Path) -> str:
    """Return size and time of an archive."""
    facts = path.stat()
    return f"{facts.st_size} {facts.st_mtime_ns}"


def hidden(part: str) -> bool:
    """Whether a file or folder of this name doesn't count: hidden, or a Mac's shadow of it."""
    return part.startswith(".") or part == "__MACOSX"


def shown(name: str) -> str:
    """Return a name as one printable line, whatever bytes the file system gave."""
    return name if name.isprintable() else repr(name)[1:-1]


def few(names: Sequence[str]) -> str:
    """Return the first of many names, each as `shown` does."""
    return ", ".join(map(shown, names[:_FEW])) + (", …" if len(names) > _FEW else "")


def _misleading(name: str) -> str:
    if name.startswith("/") or ".." in name.split("/") or PureWindowsPath(name).drive:
        return "its name leads out of the archive"
    if "\\" in name or "\0" in name:
        return "its name holds a character that no honest archive uses"
    if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
        return "its name is not UTF-8"
    return ""
