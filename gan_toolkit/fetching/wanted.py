"""One file that is wanted: where it belongs, and whether what is there is it."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from gan_toolkit.errors import PluginError
from gan_toolkit.files import printable
from gan_toolkit.sources import PACKED, SourceFile

LIMIT = 1 << 36
"""Bytes of a file of which no size is known: 64 GiB, five times the largest set we know of."""
_CHUNK = 1 << 20


class NotGot(Exception):
    """Why a file could not be got; whoever tells a person adds what would work."""


@dataclass(frozen=True)
class Standing:
    """A file that is where a wanted one belongs, or the same one packed or unpacked beside it."""

    path: Path
    difference: str
    """In what it is not the wanted one; empty if it is."""


@dataclass(frozen=True)
class Wanted:
    """A file as it should become.

    `size`, `md5` and `sha256` are its own where they are known; `contents` is what the source says
    of the same file, unpacked.
    """

    path: str
    """Below the data folder, with forward slashes."""
    place: Path
    origin: str
    """The address, or the name inside a package."""
    size: int = 0
    md5: str = ""
    sha256: str = ""
    contents: SourceFile | None = None

    @property
    def most(self) -> int:
        """How many bytes it can have: more than that is something else."""
        if self.size:
            return self.size
        if self.contents and self.contents.size:
            return self.contents.size + self.contents.size // 1000 + 1024  # gzip adds no more
        return LIMIT

    def standing(self) -> Standing | None:
        """Return the file that is there already, or None."""
        if self.place.exists():
            return Standing(self.place, self.difference(self.place))
        # A reader takes a file packed or not; whether another one is it, only its sum can tell.
        packed = self.path.endswith(PACKED)
        name = self.place.name
        twin = self.place.with_name(name.removesuffix(PACKED) if packed else name + PACKED)
        known = self.contents is not None and self.contents.md5
        if known and twin.is_file() and not self._unlike_contents(twin, packed=not packed):
            return Standing(twin, "")
        return None

    def difference(self, file: Path) -> str:
        """Return in what `file` differs from what is known of it, both values; nothing if it fits.

        A copy packed by somebody else has other sums of its own and the same contents: it fits.
        """
        if not file.is_file():
            return "is not a file"
        own = self._unlike(file)
        if not own and (self.md5 or self.sha256):
            return ""
        inner = self._unlike_contents(file, packed=self.path.endswith(PACKED))
        right = not inner and self.contents is not None and self.contents.md5
        return "" if right else own or inner

    def _unlike(self, file: Path) -> str:
        if self.size and (found := file.stat().st_size) != self.size:
            return f"has {found:,} bytes, expected {self.size:,}"
        for name, known in (("sha256", self.sha256), ("md5", self.md5)):
            if known:
                with file.open("rb") as opened:
                    return _other_sum(opened, name, known, LIMIT)
        return ""

    def _unlike_contents(self, file: Path, *, packed: bool) -> str:
        contents = self.contents
        if contents is None:
            return ""
        if not packed and contents.size and (found := file.stat().st_size) != contents.size:
            return f"has {found:,} bytes, expected {contents.size:,}"
        if not contents.md5:
            return ""
        with gzip.open(file) if packed else file.open("rb") as opened:
            try:
                unlike = _other_sum(opened, "md5", contents.md5, contents.size or LIMIT)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                return f"can't be unpacked ({error})"
        return f"{unlike} (unpacked)" if unlike and packed else unlike


def below(root: Path, path: str) -> Path:
    """Return where a path of a source is; PluginError if it leads out of `root`."""
    pure = PurePosixPath(path)
    outside = pure.is_absolute() or ".." in pure.parts or PureWindowsPath(path).drive
    if not pure.parts or outside or "\\" in path or printable(path) != path:
        raise PluginError(
            f"the source of a data set has a file {path!r}; a path is relative to the data folder, "
            "with forward slashes, and stays below it"
        )
    return root.joinpath(*pure.parts)


def contents_of(path: str, files: Sequence[SourceFile]) -> SourceFile | None:
    """Return what a source says of the file at `path`, unpacked, or nothing."""
    plain = f"/{path.removesuffix(PACKED)}"
    fitting = [file for file in files if plain.endswith(f"/{file.name}")]
    return max(fitting, key=lambda file: len(file.name), default=None)


def _other_sum(file: IO[bytes] | gzip.GzipFile, name: str, known: str, most: int) -> str:
    """Return that a file has another sum, or more than `most` bytes; nothing if it fits."""
    digest, read = hashlib.new(name, usedforsecurity=False), 0
    while block := file.read(_CHUNK):
        digest.update(block)
        read += len(block)
        if read > most:
            return f"has more than {most:,} bytes"
    found = digest.hexdigest()
    return "" if found == known else f"has {name} {found}, expected {known}"
