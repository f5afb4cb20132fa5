"""The pictures that panels drew, as the page shows them: the newest, and how it came to be."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from PIL import Image

from gan_toolkit import files
from gan_toolkit.errors import StorageError
from gan_toolkit.report.films import MOST_BYTES as MOST_FILM
from gan_toolkit.report.films import film
from gan_toolkit.report.images import DataUri, data_uri

MOST_BYTES = 1_500_000
"""Of all pictures together, before they become text."""
MOST_SHOTS = 8
"""Steps shown of one panel."""
WIDEST = 1_400
_LARGEST_FILE = 32 * 2**20
_NAME = re.compile(r"step-(\d{8,18})\.png")
_FIRST = (
    "samples", "real_and_generated", "neighbours", "traversals", "films", "pairs",
    "interpolations", "curves",
)  # fmt: skip
_ELSEWHERE = "matrices"
"""Folder whose pictures the page leaves out: it shows matrices itself, under their scores."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shot:
    """A picture at one step."""

    step: int
    image: DataUri
    width: int
    height: int
    caption: str


@dataclass(frozen=True)
class Figure:
    """The pictures of one panel, oldest first."""

    title: str
    shots: list[Shot]
    film: DataUri | None = None
    """Of the newest step, where the panel made one."""


def figures(folder: Path, notes: list[str]) -> list[Figure]:
    """Return the figures of a run folder: newest pictures first to be let in, while there is room.

    A picture that can't be read or has no room is named in `notes`.
    """
    found = _found(folder)
    chosen: dict[str, dict[int, Shot]] = {title: {} for title in found}
    films = _films(found, notes)
    left = MOST_BYTES - sum(film.size for film in films.values())
    for rank in range(MOST_SHOTS):
        for title, paths in found.items():
            order = _spread(sorted(paths, reverse=True))
            if rank >= len(order):
                continue
            shot = _shot(paths[order[rank]], order[rank], notes)
            if shot is None:
                continue
            if shot.image.size > left:
                if rank == 0:
                    notes.append(f"no room for the picture {title}")
                continue
            left -= shot.image.size
            chosen[title][shot.step] = shot
    return [
        Figure(title, [shots[step] for step in sorted(shots)], films.get(title))
        for title, shots in chosen.items()
        if shots
    ]


def _films(found: dict[str, dict[int, Path]], notes: list[str]) -> dict[str, DataUri]:
    """Return the newest film of each panel, while half of the room is left for pictures."""
    made, left = {}, MOST_BYTES // 2
    for title, paths in found.items():
        path = paths[max(paths)].with_suffix(".gif")
        if not path.is_file():
            continue
        shown = _readable(path, notes, partial(film, path))
        if shown is not None and shown.size > min(left, MOST_FILM):
            notes.append(f"no room for the film {title}")
        elif shown is not None:
            left -= shown.size
            made[title] = shown
    return made


def _found(folder: Path) -> dict[str, dict[int, Path]]:
    """Return the pictures of each folder by step, in the order of a page."""
    found: dict[str, dict[int, Path]] = {}
    for path in sorted(_pictures(folder)):
        match = _NAME.fullmatch(path.name)
        title = path.parent.relative_to(folder).as_posix()
        if match and title.partition("/")[0] != _ELSEWHERE:
            found.setdefault(title, {})[int(match[1])] = path
    ranks = {name: rank for rank, name in enumerate(_FIRST)}
    order = sorted(found, key=lambda title: (ranks.get(title.partition("/")[0], len(ranks)), title))
    return {title: found[title] for title in order}


def _pictures(folder: Path) -> Iterator[Path]:
    for pattern in ("*/step-*.png", "*/*/step-*.png"):
        yield from (path for path in folder.glob(pattern) if not path.parent.is_symlink())


def _spread(steps: list[int]) -> list[int]:
    """Return at most so many of the steps, newest first: the ends and what lies evenly between."""
    most = min(len(steps), MOST_SHOTS)
    if most < 2:
        return steps[:1]
    return [steps[round(i * (len(steps) - 1) / (most - 1))] for i in range(most)]


def _shot(path: Path, step: int, notes: list[str]) -> Shot | None:
    read = _readable(path, notes, partial(_read, path))
    if read is None:
        return None
    picture, caption = read
    if picture.width > WIDEST:
        height = max(1, round(picture.height * WIDEST / picture.width))
        picture = picture.resize((WIDEST, height), Image.Resampling.LANCZOS)
    return Shot(step, data_uri(picture), *picture.size, caption)


def _read(path: Path) -> tuple[Image.Image, str]:
    """Return a picture and its caption."""
    content = files.read_bytes(path, _LARGEST_FILE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(BytesIO(content), formats=["PNG"]) as opened:
            picture = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
            return picture, str(opened.info.get("Description", ""))


def _readable(path: Path, notes: list[str], read: Callable[[], T]) -> T | None:
    """Return what is read of a file that may hold anything; None, and a note, when it can't be."""
    try:
        return read()
    except (StorageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError,
            Image.DecompressionBombWarning) as error:  # fmt: skip
        cause = str(error).partition("\n")[0]
        notes.append(f"{path.parent.name}/{path.name} can't be shown: {cause}")
        return None
