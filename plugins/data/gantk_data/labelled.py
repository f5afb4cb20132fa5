"""Sets of images in classes, with a test split: prepared part by part, put together here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Prepared, RowWriter, Source
from gantk_data.limits import first
from gantk_data.streams import Rows, copy_rows

_NAMES = {"train": "", "all": " train and test"}


class Images(NamedTuple):
    """Some images of a set, not read yet."""

    rows: Rows
    labels: NDArray[np.int64]
    """(N,)."""
    convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """Makes (n, C, H, W) of rows."""


def write(images: Images, title: str, limit: int | None, target: Path) -> Mapping[str, Any]:
    """Write the first `limit` images and their labels into a folder of prepared data."""
    count = first(limit, len(images.labels), title)
    np.save(target / "labels.npy", images.labels[:count])
    nothing = images.convert(np.empty((0, *images.rows.shape[1:]), dtype=np.uint8))
    with RowWriter(target / "images.npy", (count, *nothing.shape[1:]), title) as writer:
        copy_rows(images.rows, np.arange(count), writer, images.convert)
    return {}


def check_pair(images: int, images_where: str, labels: int, labels_where: str) -> None:
    """Raise DataError unless there are as many labels as images, and any."""
    if images != labels or not images:
        raise DataError(
            f"{images_where} holds {images:,} images and {labels_where} {labels:,} labels; "
            "they must be as many, and at least one"
        )


def check_labels(labels: NDArray[Any], low: int, high: int, where: str) -> None:
    """Raise DataError unless labels lie between these, both included."""
    if len(labels) and not (labels.min() >= low and labels.max() <= high):
        odd = labels.min() if labels.min() < low else labels.max()
        raise DataError(f"{where}: it has a label {odd}, expected {low} to {high}")


def labelled(
    source: Source,
    classes: Sequence[str],
    split: str,
    ready: Prepared,
    held_out: ArrayDataset | None = None,
) -> ArrayDataset:
    """Return a prepared split as a data set."""
    return ArrayDataset(
        source.title + _NAMES.get(split, f" {split}"),
        "real",
        ready.arrays["images"],
        ready.arrays["labels"],
        classes=classes,
        notice=source.notice,
        held_out=held_out,
        fingerprint=ready.fingerprint,
    )
