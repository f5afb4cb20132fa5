"""Files inside a tar or a folder, read one by one by name. Nothing is ever extracted."""

from __future__ import annotations

import hashlib
import os
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from gan_toolkit import DataError

_LARGEST_FILE = 1 << 26
_MOST_MEMBERS = 5_000_000
_BLOCK = 512


class Tree(ABC):
    """Files by name, names being relative with forward slashes."""

    path: Path

    @abstractmethod
    def stamp(self) -> str:
        """Return a text that changes when the files do, found without reading them."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all files, in the order in which they are fastest to read."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the contents of one file; DataError naming it if it can't be read."""


class FolderTree(Tree):
    """The files below a folder; hidden ones don't count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names = sorted(_walk(path, ""))

    def stamp(self) -> str:
        """Return the hash of all names, sizes and times."""
        digest = hashlib.sha256()
        for name in self._names:
            facts = (self.path / name).stat()
            digest.update(f"{name}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
        return digest.hexdigest()

    def names(self) -> list[str]:
        """Return the names, sorted."""
        return self._names

    def read(self, name: str) -> bytes:
        """Return the contents of one file."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise DataError(f"{self.path / name}: {error.strerror or error}") from error


class TarTree(Tree):
    """The regular files of an uncompressed tar; made by `open_tar`."""

    def __init__(self, path: Path, tar: tarfile.TarFile) -> None:
        self.path = path
        self._tar = tar
        self._members: dict[str, tarfile.TarInfo] | None = None

    def stamp(self) -> str:
        """Return size and time of the archive."""
        facts = self.path.stat()
        return f"{facts.st_size} {facts.st_mtime_ns}"

    def names(self) -> list[str]:
        """Return the names in the order of the archive; DataError naming a dishonest member."""
        return list(self._index())

    def read(self, name: str) -> bytes:
        """Return the contents of one member."""
        try:
            file = self._tar.extractfile(self._index()[name])
            assert file is not None, "the index holds regular files only"
            return file.read()
        except (tarfile.TarError, OSError, EOFError) as error:
            raise DataError(f"{self.path}: member {name} can't be read: {error}") from error

    def _index(self) -> dict[str, tarfile.TarInfo]:
        if self._members is None:
            self._members = dict(self._honest_members())
        return self._members

    def _honest_members(self) -> Iterator[tuple[str, tarfile.TarInfo]]:
        seen = {""}
        last = "the first member"
        try:
            for count, member in enumerate(self._tar):
                last = f"the member after {member.name!r}"
                fault = "there are too many members" if count >= _MOST_MEMBERS else _fault(member)
                name = str(PurePosixPath(member.name))
                if not fault and member.isfile() and name in seen:
                    fault = "its name occurs twice"
                if fault:
                    raise DataError(f"{self.path}: member {member.name!r}: {fault}")
                seen.add(name)
                if member.isfile():
                    yield name, member
            self._check_end(last)
        except (tarfile.TarError, OSError, EOFError) as error:
            raise DataError(f"{self.path}: {last} can't be read: {error}") from error

    def _check_end(self, last: str) -> None:
        """Raise DataError unless the end is marked: at damage, tarfile just stops."""
        assert self._tar.fileobj is not None, "an open tar has a file"
        self._tar.fileobj.seek(self._tar.offset)
        if self._tar.fileobj.read(_BLOCK) != bytes(_BLOCK):
            raise DataError(f"{self.path}: it is cut or damaged at {last}; get it again")


@contextmanager
def open_tar(path: Path) -> Iterator[Tree]:
    """Open an uncompressed tar for reading its members one by one."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115 - closed below; this `try` is for opening
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"{path} can't be read as a tar: {error}; get it again") from error
    with tar:
        yield TarTree(path, tar)


def open_tree(path: Path) -> AbstractContextManager[Tree]:
    """Open a tar or a folder."""
    return _open_folder(path) if path.is_dir() else open_tar(path)


@contextmanager
def _open_folder(path: Path) -> Iterator[Tree]:
    yield FolderTree(path)


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    # Path.rglob would make and compare a hundred thousand paths: ten times slower.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.is_file():
                yield prefix + entry.name


def _fault(member: tarfile.TarInfo) -> str:
    """Return what is wrong with a member, or nothing."""
    if not (member.isfile() or member.isdir()) or member.issparse():
        return "it is neither a plain file nor a folder"
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(member.name).drive:
        return "its name leads out of the archive"
    if "\\" in member.name or "\0" in member.name:
        return "its name holds a character that no honest archive uses"
    if member.size > _LARGEST_FILE:
        return f"it claims {member.size:,} bytes, the limit is {_LARGEST_FILE:,}"
    return ""
