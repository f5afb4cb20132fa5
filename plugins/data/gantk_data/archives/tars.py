"""Tars, plain and compressed: read with our own checks, never extracted.

`tarfile` parses headers; that is all it is trusted with. Its extraction filters have been
repaired again and again, and it reads as much for one extended header as the header claims.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol, cast

from gan_toolkit import DataError
from gantk_data.archives.expansion import Expand, Flow
from gantk_data.archives.trees import Limits, Roll, Tree, file_stamp, shown

_BLOCK = 512
# Names of any honest length fit. It is low because old versions of tarfile search an extended
# header in quadratic time: 0.3 s for 16 kB, 4.5 s for 64 kB.
_LONGEST_HEADER = 1 << 14
_DAMAGE = (
    tarfile.TarError,
    OSError,
    EOFError,
    ValueError,
    ArithmeticError,
    RecursionError,
    zlib.error,
    lzma.LZMAError,
)


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def seek(self, position: int, /) -> int: ...

    def tell(self) -> int: ...


class _Member(NamedTuple):
    name: str
    offset: int
    size: int


class TarTree(Tree):
    """The regular files of an uncompressed tar, in any order."""

    def __init__(self, path: Path, file: IO[bytes], limits: Limits) -> None:
        self.path = path
        self._file = file
        self._limits = limits
        self._members: dict[str, _Member] | None = None

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:  # noqa: ARG002
        """Return size and time of the archive."""
        return file_stamp(self.path)

    def names(self) -> list[str]:
        """Return the names in the order of the archive."""
        return list(self._index())

    def read(self, name: str) -> bytes:
        """Return the contents of one member."""
        member = self._index()[name]
        try:
            self._file.seek(member.offset)
            return _contents(self._file, member, self.path)
        except OSError as error:
            raise _unreadable(self.path, f"member {name!r}", error) from error

    def _index(self) -> dict[str, _Member]:
        if self._members is None:
            self._file.seek(0)
            found = _members(self._file, self.path, self._limits)
            self._members = {member.name: member for member in found}
        return self._members


class CompressedTarTree(Tree):
    """The regular files of a compressed tar, which can only be read from the front."""

    any_order = False

    def __init__(self, path: Path, expand: Expand, limits: Limits) -> None:
        self.path = path
        self._expand = expand
        self._limits = limits
        self._names: list[str] | None = None

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:  # noqa: ARG002
        """Return size and time of the archive."""
        return file_stamp(self.path)

    def names(self) -> list[str]:
        """Return the names in the order of the archive; the first call expands all of it."""
        if self._names is None:
            self._names = [member.name for _, member in self._pass()]
        return list(self._names)

    def read(self, name: str) -> bytes:
        """Return the contents of one member, expanding all that lies before it."""
        for _, data in self.each({name}):
            return data
        raise KeyError(name)

    def each(self, wanted: Container[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield name and contents of the members `wanted`, or of all, in one pass."""
        for flow, member in self._pass():
            if wanted is None or member.name in wanted:
                yield member.name, _contents(flow, member, self.path)

    def _pass(self) -> Iterator[tuple[Flow, _Member]]:
        with self.path.open("rb") as raw, self._expand(raw) as file:
            flow = Flow(self.path, raw, file, self._limits.total)
            for member in _members(flow, self.path, self._limits):
                yield flow, member
            try:
                flow.finish()
            except _DAMAGE as error:
                raise _unreadable(self.path, "its end", error) from error


class _Headers:
    """The file that tarfile is given: it may read headers, each of a modest length."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._left = _LONGEST_HEADER
        self.last = b""
        """What was read last."""

    def read(self, size: int, /) -> bytes:
        if not 0 <= size <= self._left:
            raise tarfile.ReadError("its extended header is too long")
        self._left -= size
        self.last = self._source.read(size)
        return self.last

    def seek(self, position: int, /) -> int:
        return self._source.seek(position)

    def tell(self) -> int:
        return self._source.tell()

    def renew(self) -> None:
        """Begin the next header."""
        self._left = _LONGEST_HEADER


@contextmanager
def open_tar(path: Path, limits: Limits) -> Iterator[Tree]:
    """Open an uncompressed tar."""
    with path.open("rb") as file:
        yield TarTree(path, file, limits)


def _members(source: _Source, path: Path, limits: Limits) -> Iterator[_Member]:
    """Yield the regular files as they come; the caller may read each one's contents meanwhile."""
    roll = Roll(path, limits)
    headers = _Headers(source)
    last = "the first member"
    try:
        tar = tarfile.TarFile(
            fileobj=cast(IO[bytes], headers), encoding="utf-8", errors="surrogateescape"
        )
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # it would keep a kilobyte of each
            last = f"the member after {member.name!r}"
            name = roll.admit(member.name, member.size, member.isdir(), _fault(member))
            if name is not None:
                yield _Member(name, member.offset_data, member.size)
            headers.renew()
        # At damage tarfile stops as at an end; only an end is marked by a block of zeros.
        if headers.last != bytes(_BLOCK):
            raise DataError(f"{shown(str(path))}: it is cut or damaged at {last}; get it again")
    except _DAMAGE as error:
        raise _unreadable(path, last, error) from error


def _fault(member: tarfile.TarInfo) -> str:
    if not (member.isfile() or member.isdir()) or member.issparse():
        return "it is neither a plain file nor a folder"
    return ""


def _contents(source: _Source, member: _Member, path: Path) -> bytes:
    try:
        data = source.read(member.size)
    except _DAMAGE as error:
        raise _unreadable(path, f"member {member.name!r}", error) from error
    if len(data) < member.size:
        raise _unreadable(path, f"member {member.name!r}", "the archive is cut")
    return data


def _unreadable(path: Path, what: str, why: object) -> DataError:
    return DataError(f"{shown(str(path))}: {what} can't be read: {why}; get it again")
