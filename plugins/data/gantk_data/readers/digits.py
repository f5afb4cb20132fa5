"""The 8x8 digits that come with scikit-learn: real data without any download."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gan_toolkit import ArrayDataset
from gantk_data.limits import divide, first
from gantk_data.options import Split
from gantk_data.sources import SOURCES

_HELD_OUT = 0.2
_SEED = 0  # of the division; changing it moves held-out digits into training


def digits(split: Split, limit: int | None) -> ArrayDataset:
    """Return the digits; the held-out samples of split "train" are a fixed fifth of them."""
    title = SOURCES["digits"].title
    pixels, labels = load_digits(return_X_y=True)
    # Values go from 0 to 16, not 15.
    images = np.rint(pixels * 255 / 16).astype(np.uint8).reshape(-1, 1, 8, 8)
    train, test = divide(len(images), _HELD_OUT, _SEED)

    def part(name: str, rows: NDArray[np.int64], held_out: ArrayDataset | None) -> ArrayDataset:
        return ArrayDataset(
            name,
            "real",
            images[rows],
            labels[rows],
            classes=tuple("0123456789"),
            notice=SOURCES["digits"].notice,
            held_out=held_out,
        )

    if split == "all":
        return part(f"{title} all", np.arange(first(limit, len(images), title)), None)
    if split == "test":
        name = f"{title} held out"
        return part(name, test[: first(limit, len(test), name)], None)
    rows = train[: first(limit, len(train), title)]
    return part(title, rows, part(f"{title} held out", test, None))
