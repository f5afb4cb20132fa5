"""CIFAR-10 and CIFAR-100: the binary version, unpacked or in its tar.gz.

A record is its label, or two (superclass and class) in CIFAR-100, then 3x32x32 bytes: red, green,
blue. The Python version of both sets consists of pickles, which are never read.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, Source, data_folder
from gantk_data.archives import open_tree
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.formats.flows import FlowRows, damaged, open_file
from gantk_data.keeping import kept
from gantk_data.labelled import Images, check_labels, labelled, write
from gantk_data.options import Cifar100Labels, Split
from gantk_data.places import odd_sums, report_odd
from gantk_data.sources import SOURCES
from gantk_data.streams import Chain

_VERSION = 1  # of this reader: raise it when the same files give other arrays
_SIDE = 32
_MOST = 60_000
_PIXELS = 3 * _SIDE * _SIDE


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TEN = _words(
    """
    airplane automobile bird cat deer dog frog horse ship truck
    """
)
_HUNDRED = _words(
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
    butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
    crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
    kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
    mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
    plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
    shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table
    tank telephone television tiger tractor train trout tulip turtle wardrobe whale
    willow_tree wolf woman worm
    """
)
_TWENTY = _words(
    """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables
    household_electrical_devices household_furniture insects large_carnivores
    large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1
    vehicles_2
    """
)


class _Family(NamedTuple):
    """One of the two sets, and which of its labels are the classes."""

    source: Source
    folder: str
    archive: str
    pickles: str
    """Folder of the Python version."""
    files: Mapping[str, tuple[str, ...]]
    """By part."""
    labels: tuple[tuple[str, ...], ...]
    """The classes that each label of a record names."""
    chosen: int = 0


def cifar10(root: str | Path | None, split: Split, limit: int | None) -> ArrayDataset:
    """Return CIFAR-10; the held-out samples of split "train" are the test images."""
    files = {
        "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        "test": ("test_batch.bin",),
    }
    names = ("cifar-10-batches-bin", "cifar-10-binary.tar.gz", "cifar-10-batches-py")
    return _read(_Family(SOURCES["cifar10"], *names, files, (_TEN,)), root, split, limit)


def cifar100(
    root: str | Path | None, split: Split, labels: Cifar100Labels, limit: int | None
) -> ArrayDataset:
    """Return CIFAR-100; the held-out samples of split "train" are the test images."""
    files = {"train": ("train.bin",), "test": ("test.bin",)}
    names = ("cifar-100-binary", "cifar-100-binary.tar.gz", "cifar-100-python")
    chosen = 1 if labels == "fine" else 0
    family = _Family(SOURCES["cifar100"], *names, files, (_TWENTY, _HUNDRED), chosen)
    return _read(family, root, split, limit)


def _read(
    family: _Family, root: str | Path | None, split: Split, limit: int | None
) -> ArrayDataset:
    place = _locate(family, data_folder() if root is None else Path(root))
    if split != "train":
        return _part(family, place, split, limit)
    return _part(family, place, split, limit, _part(family, place, "test", None))


def _locate(family: _Family, root: Path) -> Path:
    """Return the first folder or archive that holds the set, or some of it."""
    names = [name for part in family.files.values() for name in part]
    for folder in (root / family.folder, root):
        if any((folder / name).is_file() for name in names):
            return folder
    if (root / family.archive).is_file():
        return root / family.archive
    python = (root / family.pickles, root / family.archive.replace("binary", "python"))
    note = "".join(
        f"{path} holds pickles, which are never read: get the binary version"
        for path in python
        if path.exists()
    )
    raise family.source.missing([f"{family.folder}/", family.archive, names[0]], [root], note)


def _part(
    family: _Family,
    place: Path,
    split: Split,
    limit: int | None,
    held_out: ArrayDataset | None = None,
) -> ArrayDataset:
    parts = {"train": ("train",), "test": ("test",), "all": ("train", "test")}[split]
    names = [name for part in parts for name in family.files[part]]
    _check_files(family, place, names)
    stamped = [place] if place.is_file() else [place / name for name in names]
    key = {
        "version": _VERSION,
        "files": [[str(path.resolve()), file_stamp(path)] for path in stamped],
        "names": names,
        "labels": family.chosen,
        "limit": limit,
    }
    make = partial(_prepare, family, place, names, limit)
    ready = kept(family.source.component, key, make, lambda: _MOST * _PIXELS)
    if held_out is None:  # once is enough
        report_odd(family.source, ready.facts["odd"])
    return labelled(family.source, family.labels[family.chosen], split, ready, held_out)


def _check_files(family: _Family, place: Path, names: Sequence[str]) -> None:
    lacking = [name for name in names if place.is_dir() and not (place / name).is_file()]
    if lacking:
        raise family.source.missing(lacking, [place])


def _prepare(
    family: _Family, place: Path, names: Sequence[str], limit: int | None, target: Path
) -> Mapping[str, Any]:
    width = len(family.labels)
    rows, labels = [], []
    for name, data in _contents(family, place, names).items():
        where = f"{shown(str(place))}: {name}"
        count, rest = divmod(len(data), width + _PIXELS)
        if rest or not count:
            found = f"{len(data):,} bytes, no multiple of the {width + _PIXELS:,} of an image"
            raise damaged(where, f"it has {found}")
        rows.append(FlowRows(io.BytesIO(data), (count, width + _PIXELS), where))
        records = np.frombuffer(data, np.uint8).reshape(count, width + _PIXELS)
        for column, classes in enumerate(family.labels):
            check_labels(records[:, column], 0, len(classes) - 1, where)
        labels.append(records[:, family.chosen].astype(np.int64))
    images = Images(Chain(rows), np.concatenate(labels), partial(_pictures, width))
    write(images, family.source.title, limit, target)
    return {"odd": odd_sums(family.source, [place] if place.is_file() else [])}


def _pictures(width: int, records: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return records[:, width:].reshape(-1, 3, _SIDE, _SIDE)


def _contents(family: _Family, place: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return what is in the files, in the order of their names; 150 MB at most."""
    found = {}
    if place.is_dir():
        for name in names:
            with open_file(place / name) as file:
                found[name] = file.read()
        return found
    with open_tree(place) as tree:
        inside = {f"{family.folder}/{name}": name for name in names}
        for member, data in tree.each(inside):
            found[inside[member]] = data
    lacking = [name for name in names if name not in found]
    if lacking:
        raise family.source.missing(lacking, [place])
    return {name: found[name] for name in names}
