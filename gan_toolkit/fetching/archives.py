"""Some members of a package's archive, read one by one. Nothing is ever extracted as a whole."""

from __future__ import annotations

import lzma
import os
import stat
import subprocess
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, NamedTuple

from gan_toolkit import files
from gan_toolkit.fetching.parts import Tell, require_space
from gan_toolkit.fetching.wanted import NotGot, Wanted
from gan_toolkit.files import printable

_CHUNK = 1 << 20
_UNREADABLE = (
    *(tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError),  # of zipfile: packed in an unknown way, or encrypted
)


class Member(NamedTuple):
    """A file inside an archive."""

    name: str
    size: int
    content: IO[bytes]


def place_members(archive: Path, kind: str, wanted: Mapping[str, Wanted], tell: Tell) -> None:
    """Put members of an archive where they belong, all of them or none.

    `wanted` has them by their names inside. Raises NotGot if the archive is not whole or not
    honest, or if a member lacks or is not what it should be.
    """
    with ExitStack() as staged:
        ready: dict[str, Path] = {}
        with _unreadable(archive), closing(_members(archive, kind, wanted)) as members:
            for member in members:
                if member.name in ready:
                    raise NotGot(f"{archive.name}: member {member.name!r} occurs twice")
                one = wanted[member.name]
                folder = one.place.parent
                files.make_folders(folder)
                ready[member.name] = path = staged.enter_context(files.temporary(folder))
                _copy(member, one, path, tell)
        if lacking := sorted(wanted.keys() - ready.keys()):
            raise NotGot(f"{archive.name} has no member {', '.join(lacking)}")
        for name, path in ready.items():
            if difference := wanted[name].difference(path):
                raise NotGot(f"{archive.name}: member {name!r} {difference}")
        for name, path in ready.items():
            place = wanted[name].place
            with files.storage_errors(place):
                files.disk.rename(path, place)
                files.disk.sync_folder(place.parent)


def _copy(member: Member, wanted: Wanted, path: Path, tell: Tell) -> None:
    if member.size > wanted.most:
        raise NotGot(
            f"member {member.name!r} claims {member.size:,} bytes, at most {wanted.most:,} expected"
        )
    require_space(path.parent, member.size)
    done = 0
    with files.storage_errors(path):
        handle = files.disk.create(path)
    try:
        while block := member.content.read(_CHUNK):
            with files.storage_errors(path, needed=len(block)):
                files.disk.write(path, handle, block)
            done += len(block)
            tell(wanted.path, done, member.size)
        with files.storage_errors(path):
            files.disk.sync(path, handle)
    finally:
        os.close(handle)


@contextmanager
def _unreadable(archive: Path) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise NotGot(f"{archive.name} can't be read: {printable(str(error))}") from error


# --- the kinds of archive --------------------------------------------------------------------


def _members(archive: Path, kind: str, names: Mapping[str, object]) -> Generator[Member]:
    """Yield the members of these names; NotGot at the first that no honest archive has."""
    if kind == "pypi":
        with zipfile.ZipFile(archive) as zipped:
            yield from _of_zip(zipped, names)
    elif kind == "npm":
        with tarfile.open(archive, "r|gz") as tar:
            yield from _of_tar(tar, names)
    else:
        with _unpacked_deb(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            yield from _of_tar(tar, names)


def _of_tar(tar: tarfile.TarFile, names: Mapping[str, object]) -> Iterator[Member]:
    for member in tar:
        name = _honest(member.name)
        if name not in names:
            continue
        if not member.isreg() or member.issparse():
            raise NotGot(f"member {member.name!r} is not a plain file")
        content = tar.extractfile(member)
        assert content is not None, "it is a plain file"
        yield Member(name, member.size, content)


def _of_zip(zipped: zipfile.ZipFile, names: Mapping[str, object]) -> Iterator[Member]:
    for member in zipped.infolist():
        name = _honest(member.filename)
        if name not in names:
            continue
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.is_dir() or kind not in (0, stat.S_IFREG):
            raise NotGot(f"member {member.filename!r} is not a plain file")
        with zipped.open(member) as content:
            yield Member(name, member.file_size, content)


def _honest(name: str) -> str:
    """Return the name of a member without a leading `./`; NotGot if it leads out of the archive."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive or "\\" in name:
        raise NotGot(f"member {name!r} leads out of the archive")
    return str(path)


@contextmanager
def _unpacked_deb(archive: Path) -> Iterator[IO[bytes]]:
    """Give the tar inside a Debian package as a stream."""
    with tempfile.TemporaryFile() as said:
        command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as process:
            assert process.stdout is not None, "it was asked for"
            try:
                yield process.stdout
                while process.stdout.read(_CHUNK):  # what pads the end, or it dies of a closed pipe
                    pass
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            said.seek(0)
            text = said.read(_CHUNK).decode(errors="replace").strip()
            raise NotGot(f"dpkg-deb can't read {archive.name}: {printable(text)}")
