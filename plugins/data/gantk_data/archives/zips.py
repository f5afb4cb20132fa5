"""Zips: read member by member with our own checks, never extracted."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import IO

from gan_toolkit import DataError
from gantk_data.archives.trees import RATIO, SLACK, Limits, Roll, Tree, file_stamp, shown

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_IN_UTF_8 = 0x800
_LOCAL_HEADER = 30
_DIRECTORY_ENTRY = 46
_END_RECORD = 22
_LONGEST_COMMENT = 0xFFFF
_KINDS = {0, stat.S_IFREG, stat.S_IFDIR}
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    OverflowError,
)


class ZipTree(Tree):
    """The files of a zip, in any order."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, limits: Limits) -> None:
        self.path = path
        self._archive = archive
        self._limits = limits
        self._members: dict[str, zipfile.ZipInfo] | None = None

    def stamp(self, counts: Callable[[str], bool] | None = None) -> str:  # noqa: ARG002
        """Return size and time of the archive."""
        return file_stamp(self.path)

    def names(self) -> list[str]:
        """Return the names in the order of their places in the archive."""
        return list(self._index())

    def read(self, name: str) -> bytes:
        """Return the contents of one member."""
        member = self._index()[name]
        try:
            with self._archive.open(member) as file:
                # Never all at once: what is packed may be more than what is claimed.
                data = file.read(member.file_size)
        except _DAMAGE as error:
            raise self._bad(member, f"it can't be read: {error}; get the archive again") from error
        if len(data) != member.file_size:
            raise self._bad(member, f"it holds {len(data):,} of {member.file_size:,} bytes")
        return data

    def _index(self) -> dict[str, zipfile.ZipInfo]:
        if self._members is None:
            self._members = dict(self._honest_members())
        return self._members

    def _honest_members(self) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        roll = Roll(self.path, self._limits)
        free_from = expanded = packed = 0
        for member in sorted(self._archive.infolist(), key=attrgetter("header_offset")):
            expanded += member.file_size
            packed += member.compress_size + _LOCAL_HEADER
            fault = _fault(member) or _swollen("up to it the files claim", expanded, packed)
            if member.header_offset < free_from:
                fault = "it shares bytes with the member before it"
            free_from = member.header_offset + _LOCAL_HEADER + member.compress_size
            folder = member.orig_filename.endswith("/")
            name = roll.admit(_name(member), member.file_size, folder, fault)
            if name is not None:
                yield name, member

    def _bad(self, member: zipfile.ZipInfo, why: str) -> DataError:
        return DataError(f"{shown(str(self.path))}: member {_name(member)!r}: {why}")


@contextmanager
def open_zip(path: Path, limits: Limits) -> Iterator[Tree]:
    """Open a zip; DataError if its directory is damaged or too long."""
    with path.open("rb") as file:
        try:
            _check_directory(path, file, limits)
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            why = f"its directory is cut or damaged ({error}); get it again"
            raise DataError(f"{shown(str(path))}: {why}") from error
        with archive:
            yield ZipTree(path, archive, limits)


def _check_directory(path: Path, file: IO[bytes], limits: Limits) -> None:
    """Refuse a directory of too many members before `zipfile` makes an object of each."""
    length = path.stat().st_size
    start = max(0, length - _END_RECORD - _LONGEST_COMMENT - 76)
    file.seek(start)
    tail = file.read()
    size = 0
    at = tail.rfind(b"PK\5\6")
    if 0 <= at <= len(tail) - _END_RECORD:
        size = struct.unpack_from("<I", tail, at + 12)[0]
    at = tail.rfind(b"PK\6\6")
    if size == 0xFFFFFFFF and 0 <= at <= len(tail) - 56:
        size = struct.unpack_from("<Q", tail, at + 40)[0]
    if size > limits.members * _DIRECTORY_ENTRY:
        most = f"the limit is {limits.members:,} members"
        raise DataError(f"{shown(str(path))}: its directory claims {size:,} bytes, {most}")


def _name(member: zipfile.ZipInfo) -> str:
    """Return the name as UTF-8, which many archives use without saying so."""
    raw = member.orig_filename
    if raw.isascii() or member.flag_bits & _IN_UTF_8:
        return raw
    return raw.encode("cp437").decode("utf-8", "surrogateescape")


def _fault(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    if member.compress_type not in _METHODS:
        return f"it is packed by method {member.compress_type}; pack it by deflate, or store it"
    if stat.S_IFMT(member.external_attr >> 16) not in _KINDS:
        return "it is neither a plain file nor a folder"
    return _swollen("it claims", member.file_size, member.compress_size)


def _swollen(who: str, expanded: int, packed: int) -> str:
    if expanded > RATIO * packed + SLACK:
        more = f"more than {RATIO} times the {packed:,} that they take; no pictures do that"
        return f"{who} {expanded:,} bytes, {more}"
    return ""
