"""Shards of WebDataset, gone through once into prepared arrays.

WebDataset feeds a training by streaming: which samples make a batch then depends on how far each
worker has read. Here a batch is a function of (seed, step) alone, so that a run can be repeated and
resumed exactly; that needs every sample at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gan_toolkit import ArrayDataset, DataError, Factor, Prepared
from gantk_data.archives.trees import shown
from gantk_data.collection import Look, collect
from gantk_data.formats.shards import (
    CLASS,
    TABLE,
    ShardTree,
    column,
    images_of,
    shards_of,
    tell_of_others,
)
from gantk_data.formats.tables import Cell
from gantk_data.keeping import kept
from gantk_data.meanings import Meaning, meaning_of
from gantk_data.options import Background, FactorKind, Resize
from gantk_data.sources import SOURCES

_VERSION = 1  # of what is made of the small files
_BYTES_OF_ROW = 64


def webdataset(
    root: str | Path,
    size: int,
    channels: int,
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
    resize: Resize,
    background: Background,
    skip_bad: bool,
    max_pixels: int,
) -> ArrayDataset:
    """Return the images of all shards, in their order."""
    root = Path(root)
    tree = ShardTree(root, shards_of(root), {CLASS, TABLE} if label or factors else {CLASS})
    look = Look(size, channels, resize, background, max_pixels)
    found = collect("webdataset", tree, images_of, look, skip_bad)
    meaning = _meaning(tree, label, factors, len(found.names)).of(found.good)
    return ArrayDataset(
        shown(root.resolve().name),
        "real",
        found.images,
        meaning.labels,
        meaning.factors,
        classes=meaning.classes,
        descriptions=meaning.descriptions,
        notice=SOURCES["webdataset"].licence,
        fingerprint=meaning.fingerprint(found.fingerprint),
    )


def _meaning(
    tree: ShardTree, label: str | None, factors: Mapping[str, FactorKind] | None, count: int
) -> Meaning:
    """Return what the small files say; that is kept too: they lie all over the shards."""
    key = {
        "version": _VERSION,
        "path": str(tree.path.resolve()),
        "stamp": tree.stamp(),
        "label": label,
        "factors": factors and dict(factors),
    }
    make = partial(_prepare, tree, label, factors)
    return _restored(kept("webdataset_labels", key, make, lambda: count * _BYTES_OF_ROW))


def _prepare(
    tree: ShardTree,
    label: str | None,
    factors: Mapping[str, FactorKind] | None,
    target: Path,
) -> Mapping[str, Any]:
    images = images_of(tree)
    tell_of_others(tree, images)
    columns: dict[str, list[Cell]] = {}
    for key in (*filter(None, [label]), *(factors or {})):
        cells = column(tree, images, TABLE, key)
        if cells is None:
            raise DataError(f"{shown(str(tree.path))}: no sample has a .{TABLE}, for {key!r}")
        columns[key] = cells
    if label is None and (cells := column(tree, images, CLASS)) is not None:
        label = CLASS
        columns[CLASS] = cells
    if not columns:
        return {"classes": [], "factors": []}
    where = shown(str(tree.path))
    places = [f"{where}: {shown(image)}" for image in images]
    meaning = meaning_of(columns, places, label, factors or {}, where)
    if meaning.labels is not None:
        np.save(target / "labels.npy", meaning.labels)
    if meaning.factors is not None:
        np.save(target / "factors.npy", meaning.factors)
    return {"classes": meaning.classes, "factors": [asdict(f) for f in meaning.descriptions]}


def _restored(ready: Prepared) -> Meaning:
    descriptions = [
        {**factor, "values": tuple(factor["values"])} for factor in ready.facts["factors"]
    ]
    return Meaning(
        ready.arrays.get("labels"),
        tuple(ready.facts["classes"]),
        ready.arrays.get("factors"),
        tuple(Factor(**factor) for factor in descriptions),
    )
