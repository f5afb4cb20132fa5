"""Finding the files of a set, and saying which of them are not as published."""

from __future__ import annotations

import gzip
import hashlib
import logging
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from gan_toolkit import DataError, Source
from gantk_data.archives.trees import shown

_log = logging.getLogger("gantk")


def locate(source: Source, folders: Sequence[Path], names: Sequence[str]) -> Path:
    """Return the first of the files or folders `names` that is there, folder by folder.

    Raises MissingFilesError naming all of them.
    """
    for folder in folders:
        for name in names:
            if (folder / name).exists():
                return folder / name
    raise source.missing([*names], [*folders])


def odd_sums(source: Source, paths: Iterable[Path]) -> list[str]:
    """Say of each file that it bears another MD5 than the published one.

    A file that is listed without `.gz` is summed uncompressed. One that no sum is known of passes.
    """
    published = {file.name: file.md5 for file in source.files if file.md5}
    odd = []
    for path in paths:
        packed = path.name not in published and path.suffix == ".gz"
        wanted = published.get(path.name.removesuffix(".gz") if packed else path.name)
        if wanted is not None and (found := _md5(path, packed)) != wanted:
            odd.append(f"{shown(str(path))} has md5 {found}, the published file {wanted}")
    return odd


def report_odd(source: Source, odd: Sequence[str]) -> None:
    """Say in one line what is not as published, if anything."""
    if odd:
        _log.warning("%s is not as published: %s", source.title, "; ".join(odd))


def _md5(path: Path, packed: bool) -> str:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            digest = hashlib.md5(usedforsecurity=False)
            while data := file.read(1 << 20):
                digest.update(data)
            return digest.hexdigest()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{shown(str(path))}: {error}; it is damaged: get it again") from error
