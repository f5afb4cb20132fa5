"""Any folder of pictures, decoded once into memory."""

from __future__ import annotations

import logging
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError
from gantk_data.folders import walk
from gantk_data.options import Background, Resize
from gantk_data.pictures import SUFFIXES, BadPictureError, decode, map_pictures, pixels, to_square
from gantk_data.sources import SOURCES
from gantk_data.trees import shown

_log = logging.getLogger("gantk")
_SHOWN = 5


def image_folder(
    root: str | Path,
    size: int,
    channels: int,
    classes: bool,
    resize: Resize,
    background: Background,
    skip_bad: bool,
    max_pixels: int,
) -> ArrayDataset:
    """Return the pictures below `root`, in the order of their paths."""
    root = Path(root)
    files = _find(root)
    names, labels = _classes(root, files) if classes else ((), None)
    read = partial(
        _read,
        size=size,
        channels=channels,
        resize=resize,
        background=background,
        max_pixels=max_pixels,
    )
    pictures = map_pictures(read, files)
    good = _sort_out(root, files, pictures, skip_bad)
    return ArrayDataset(
        shown(root.resolve().name),
        "real",
        np.stack([picture for picture in pictures if not isinstance(picture, str)]),
        None if labels is None else labels[good],
        classes=names,
        notice=SOURCES["image_folder"].licence,
    )


def _find(root: Path) -> list[Path]:
    if not root.is_dir():
        raise DataError(f"data.root: there is no folder {shown(str(root))}")
    names = sorted(walk(root), key=lambda name: name.split("/"))
    files = [root / name for name in names]
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not images:
        others = Counter(path.suffix.lower() or "none" for path in files)
        most = others.most_common(_SHOWN)
        kinds = ", ".join(f"{shown(suffix)} {count:,}" for suffix, count in most)
        saw = f"saw {len(files):,} files with other suffixes" + (f" ({kinds})" if kinds else "")
        known = " ".join(sorted(SUFFIXES))
        raise DataError(f"0 images in {shown(str(root))}; {saw}; an image ends in {known}")
    return images


def _classes(root: Path, files: list[Path]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the first level of folders, and the label of each file."""
    parts = [path.relative_to(root).parts for path in files]
    loose = [path for path, part in zip(files, parts, strict=True) if len(part) == 1]
    if loose:
        raise DataError(
            f"{len(loose):,} images lie in {shown(str(root))} itself and so have no class, "
            f"the first is {shown(loose[0].name)}; move them into a sub-folder, or set "
            "classes = false"
        )
    names = sorted({part[0] for part in parts})
    labels = np.array([names.index(part[0]) for part in parts], dtype=np.int64)
    return tuple(map(shown, names)), labels


def _read(
    path: Path, size: int, channels: int, resize: str, background: str, max_pixels: int
) -> NDArray[np.uint8] | str:
    """Return the picture (channels, size, size), or the reason why it can't be used."""
    try:
        image = decode(path, background, max_pixels)
        return pixels(to_square(image, size, resize, background), channels)
    except BadPictureError as error:
        return str(error)


def _sort_out(
    root: Path, files: list[Path], pictures: list[NDArray[np.uint8] | str], skip_bad: bool
) -> NDArray[np.bool_]:
    """Return which pictures are good; DataError if some are not and may not be skipped."""
    bad = [
        f"{shown(str(path.relative_to(root)))}: {picture}"
        for path, picture in zip(files, pictures, strict=True)
        if isinstance(picture, str)
    ]
    if bad:
        where = shown(str(root))
        text = f"{len(bad):,} of {len(files):,} images in {where} are bad: "
        text += "; ".join(bad[:_SHOWN]) + ("; …" if len(bad) > _SHOWN else "")
        if not skip_bad or len(bad) == len(files):
            raise DataError(f"{text}; mend or remove them, or set skip_bad = true")
        _log.warning("%s; they are skipped", text)
    return np.array([not isinstance(picture, str) for picture in pictures])
