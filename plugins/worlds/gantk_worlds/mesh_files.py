"""Files of models inside a folder or a zip, read one by one by name. Nothing is ever extracted."""

from __future__ import annotations

import hashlib
import os
import posixpath
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

from gan_toolkit import DataError

LARGEST_FILE = 1 << 26
MOST_FILES = 100_000
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError),
    *(RuntimeError, NotImplementedError, ValueError),  # a password, a method, a number
)


class MeshFiles(ABC):
    """Files by name, names being relative with forward slashes."""

    path: Path
    sizes: Mapping[str, int]

    @property
    @abstractmethod
    def stamp(self) -> str:
        """A text that changes when the files do, found without reading them."""

    @abstractmethod
    def _bytes(self, name: str) -> bytes: ...

    def read(self, name: str) -> bytes:
        """Return the contents of a file; DataError naming it if it can't be read."""
        size = self.sizes.get(name)
        if size is None:
            raise DataError(f"{self.path}: {name} is not there any more")
        if size > LARGEST_FILE:
            fault = f"it has {size:,} bytes, the limit is {LARGEST_FILE:,}"
            raise DataError(f"{self.path}: {name}: {fault}")
        try:
            return self._bytes(name)
        except _DAMAGE as error:
            raise DataError(f"{self.path}: {name} can't be read: {error}") from error

    def near(self, name: str, other: str) -> str | None:
        """Return the file that `name` calls `other`, or None if there is none in here.

        Capitals don't matter: many models were made where they don't.
        """
        wanted = posixpath.normpath(f"{posixpath.dirname(name)}/{other.replace(chr(92), '/')}")
        wanted = wanted.lstrip("/")
        if wanted in self.sizes:
            return wanted
        return self._by_lower.get(wanted.lower())

    @cached_property
    def _by_lower(self) -> dict[str, str]:
        return {name.lower(): name for name in self.sizes}


class Folder(MeshFiles):
    """The files below a folder; hidden ones and linked folders don't count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        facts = dict(sorted(_walk(path)))
        self.sizes = {name: fact.st_size for name, fact in facts.items()}
        self._times = [fact.st_mtime_ns for fact in facts.values()]

    @property
    def stamp(self) -> str:
        """The hash of names, sizes and times."""
        facts = [*zip(self.sizes.items(), self._times, strict=True)]
        return hashlib.sha256(repr(facts).encode(errors="surrogateescape")).hexdigest()

    def _bytes(self, name: str) -> bytes:
        with (self.path / name).open("rb") as file:
            return file.read(LARGEST_FILE)


class Zip(MeshFiles):
    """The files of an open zip, made by `open_files`."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = archive
        self._members = self._honest(archive.infolist())
        self.sizes = {name: member.file_size for name, member in self._members.items()}

    @property
    def stamp(self) -> str:
        """The hash of names, sizes and check sums, wherever the zip may lie."""
        facts = [(name, info.file_size, info.CRC) for name, info in self._members.items()]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def _bytes(self, name: str) -> bytes:
        # No more is asked for than is claimed: only then a false claim can't fill the memory.
        with self._zip.open(self._members[name]) as file:
            return file.read(self.sizes[name])

    def _honest(self, members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        if len(members) > MOST_FILES:
            raise DataError(f"{self.path}: {len(members):,} members; the limit is {MOST_FILES:,}")
        found: dict[str, zipfile.ZipInfo] = {}
        for member in members:
            name = str(PurePosixPath(member.filename))
            fault = "its name occurs twice" if name in found else _fault(member)
            if fault:
                raise DataError(f"{self.path}: member {member.filename!r}: {fault}")
            if not member.is_dir():
                found[name] = member
        return found


@contextmanager
def open_files(path: Path) -> Iterator[MeshFiles]:
    """Open a folder or a zip."""
    if path.is_dir():
        yield _folder(path)
        return
    try:
        archive = zipfile.ZipFile(path)  # closed below; this `try` is for opening
    except _DAMAGE as error:
        raise DataError(f"{path} can't be read as a zip: {error}; get it again") from error
    with archive:
        yield Zip(path, archive)


def _folder(path: Path) -> Folder:
    try:
        return Folder(path)
    except OSError as error:
        raise DataError(f"{error.filename or path}: {error.strerror or error}") from error


def _walk(folder: Path, prefix: str = "") -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name, entry.stat()


def _fault(member: zipfile.ZipInfo) -> str:
    """Return what is wrong with a member, or nothing."""
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(member.filename).drive:
        return "its name leads out of the archive"
    if "\\" in member.filename or "\0" in member.filename:
        return "its name holds a character that no honest archive uses"
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "it is neither stored nor deflated"
    if member.file_size > LARGEST_FILE:
        return f"it claims {member.file_size:,} bytes, the limit is {LARGEST_FILE:,}"
    return ""
