"""Any pictures in a folder or an archive, with what their folders or a table say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gan_toolkit import ArrayDataset, DataError
from gantk_data.archives.trees import shown
from gantk_data.collection import Look, collect, find_pictures, open_pictures
from gantk_data.formats.tables import read_table
from gantk_data.meanings import Meaning, meaning_of
from gantk_data.options import Background, FactorKind, Resize
from gantk_data.sources import SOURCES


def image_folder(
    root: str | Path,
    size: int,
    channels: int,
    classes: bool,
    labels: str | Path | None,
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
    resize: Resize,
    background: Background,
    skip_bad: bool,
    max_pixels: int,
) -> ArrayDataset:
    """Return the pictures of `root` in the order of their paths, or of the archive."""
    if labels is None and (label is not None or factors is not None):
        raise DataError("data.label and data.factors name columns of data.labels, which is not set")
    root = Path(root)
    with open_pictures(root) as tree:
        found = collect(
            "image_folder",
            tree,
            find_pictures,
            Look(size, channels, resize, background, max_pixels),
            skip_bad,
        )
    names = found.names if root.is_dir() else below_the_only_folder(found.names)
    meaning = Meaning()
    if labels is not None:
        meaning = _from_table(Path(labels), (found.names, names), root, label, factors)
    if classes:
        meaning = _with_classes(meaning, root, names)
    meaning = meaning.of(found.good)
    return ArrayDataset(
        shown(root.resolve().name),
        "real",
        found.images,
        meaning.labels,
        meaning.factors,
        classes=meaning.classes,
        descriptions=meaning.descriptions,
        notice=SOURCES["image_folder"].licence,
        fingerprint=meaning.fingerprint(found.fingerprint),
    )


def below_the_only_folder(names: Sequence[str]) -> list[str]:
    """Return names without the folder that archives often hold around everything else."""
    around = names[0].partition("/")[0] + "/"
    alone = all(name.startswith(around) for name in names)
    return [name.removeprefix(around) for name in names] if alone else list(names)


def _from_table(
    path: Path,
    either: tuple[Sequence[str], Sequence[str]],
    root: Path,
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
) -> Meaning:
    """Return what a table says of the pictures, which it calls by either of their names."""
    table = read_table(path)
    full, short = either
    rows = table.rows_of(full if table.names[0] in full else short, root)
    where = shown(str(path))
    return meaning_of(table.columns, table.places, label, factors, where).of(rows)


def _with_classes(meaning: Meaning, root: Path, names: Sequence[str]) -> Meaning:
    """Return `meaning` with a label for each file: the first level of folders names the classes."""
    if meaning.labels is not None:
        raise DataError("data.classes and data.labels both give classes; keep one of them")
    loose = [name for name in names if "/" not in name]
    if loose:
        raise DataError(
            f"{len(loose):,} images lie in {shown(str(root))} itself and so have no class, "
            f"the first is {shown(loose[0])}; move them into a sub-folder, or set "
            "classes = false"
        )
    own = [name.partition("/")[0] for name in names]
    folders = sorted(set(own))
    index = {folder: number for number, folder in enumerate(folders)}
    labels = np.array([index[folder] for folder in own], dtype=np.int64)
    return meaning._replace(labels=labels, classes=tuple(map(shown, folders)))
