"""MNIST, Fashion-MNIST and Kuzushiji-MNIST, in the folders torchvision uses."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Source, data_folder
from gantk_data.formats import idx
from gantk_data.labelled import check_labels, check_pair
from gantk_data.limits import first
from gantk_data.options import Split
from gantk_data.sources import SOURCES
from gantk_data.sources.downloads import IDX_NAMES

_log = logging.getLogger("gantk")
_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


class _Family(NamedTuple):
    """A data set in the layout of MNIST."""

    source: Source
    folder: str
    """torchvision's name for it."""
    classes: tuple[str, ...]


class _Part(NamedTuple):
    images: NDArray[Any]
    """uint8 (N, 28, 28)."""
    labels: NDArray[Any]


def mnist(root: str | Path | None, split: Split, limit: int | None) -> ArrayDataset:
    """Return MNIST; the held-out samples of split "train" are the test images."""
    return _read(_Family(SOURCES["mnist"], "MNIST", _DIGITS), root, split, limit)


def fashion_mnist(root: str | Path | None, split: Split, limit: int | None) -> ArrayDataset:
    """Return Fashion-MNIST; the held-out samples of split "train" are the test images."""
    return _read(_Family(SOURCES["fashion_mnist"], "FashionMNIST", _CLOTHES), root, split, limit)


def kmnist(root: str | Path | None, split: Split, limit: int | None) -> ArrayDataset:
    """Return Kuzushiji-MNIST; the held-out samples of split "train" are the test images."""
    return _read(_Family(SOURCES["kmnist"], "KMNIST", _KANA), root, split, limit)


def _read(
    family: _Family, root: str | Path | None, split: Split, limit: int | None
) -> ArrayDataset:
    paths = _locate(family, data_folder() if root is None else Path(root))
    contents = [
        idx.read(path, idx.LABELS if "labels" in path.name else idx.IMAGES) for path in paths
    ]
    _compare_sums(family, paths, contents)
    train = _part(family, paths[:2], contents[:2])
    test = _part(family, paths[2:], contents[2:])
    title = family.source.title
    if split == "test":
        return _dataset(family, f"{title} test", test, limit)
    if split == "all":
        both = _Part(*(np.concatenate(arrays) for arrays in zip(train, test, strict=True)))
        return _dataset(family, f"{title} train and test", both, limit)
    held_out = _dataset(family, f"{title} test", test)
    return _dataset(family, title, train, limit, held_out)


def _locate(family: _Family, root: Path) -> list[Path]:
    """Return the four files of the first folder that holds any of them."""
    folders = [root / family.folder / "raw", root]
    for folder in folders:
        found = {name: idx.find(folder, name) for name in IDX_NAMES}
        if any(found.values()):
            break
    lacking = [f"{name}(.gz)" for name, path in found.items() if path is None]
    if lacking:
        places = folders if len(lacking) == len(IDX_NAMES) else [folder]
        pickles = sorted((root / family.folder / "processed").glob("*.pt"))
        note = f"{pickles[0]} is a pickle, which is never read" if pickles else ""
        raise family.source.missing(lacking, places, note)
    return [path for path in found.values() if path is not None]


def _compare_sums(family: _Family, paths: list[Path], contents: list[idx.Idx]) -> None:
    odd = [
        f"{path} has md5 {content.md5}, the published file {file.md5}"
        for path, content, file in zip(paths, contents, family.source.files, strict=True)
        if file.md5 and content.md5 != file.md5
    ]
    if odd:
        _log.warning("%s is not as published: %s", family.source.title, "; ".join(odd))


def _part(family: _Family, paths: list[Path], contents: list[idx.Idx]) -> _Part:
    images, labels = (content.array for content in contents)
    if images.shape[1:] != (28, 28):
        raise DataError(f"{paths[0]}: its images are {images.shape[1:]}, expected (28, 28)")
    check_pair(len(images), str(paths[0]), len(labels), str(paths[1]))
    check_labels(labels, 0, len(family.classes) - 1, str(paths[1]))
    return _Part(images, labels)


def _dataset(
    family: _Family,
    name: str,
    part: _Part,
    limit: int | None = None,
    held_out: ArrayDataset | None = None,
) -> ArrayDataset:
    count = first(limit, len(part.labels), name)
    return ArrayDataset(
        name,
        "real",
        part.images[:count, None],
        part.labels[:count],
        classes=family.classes,
        notice=family.source.notice,
        held_out=held_out,
    )
