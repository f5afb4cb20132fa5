from __future__ import annotations

import numpy as np
import pytest
import torch

from gan_toolkit import ArrayDataset, Batch, DataError, Dataset
from gantk_data.limits import divide
from gantk_data.options import Split
from gantk_data.readers.digits import digits


def everything(data: Dataset | None) -> Batch:
    assert data is not None
    return data.batch(torch.arange(len(data)))


def test_all_digits_have_their_counts() -> None:
    data = digits("all", None)

    labels = everything(data).labels
    assert labels is not None
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert torch.bincount(labels).tolist() == counts
    assert data.sample_shape == (1, 8, 8)
    assert data.source == "real"
    assert data.name.startswith("digits 8x8 (UCI optdigits)")


def test_values_fill_the_range_of_a_byte() -> None:
    samples = everything(digits("all", None)).samples

    levels = [round(value * 255 / 16) for value in range(17)]
    assert samples.dtype == torch.uint8
    assert sorted(samples.unique().tolist()) == levels


def test_the_splits_divide_all_digits() -> None:
    train, test, whole = digits("train", None), digits("test", None), digits("all", None)

    held_out = train.held_out()
    assert (len(train), len(test), len(whole)) == (1438, 359, 1797)
    assert torch.equal(everything(held_out).samples, everything(test).samples)
    parts = torch.cat([everything(train).samples, everything(test).samples]).numpy()
    assert sorted(map(bytes, parts)) == sorted(map(bytes, everything(whole).samples.numpy()))


def test_the_division_is_the_same_for_ever() -> None:
    train, test = divide(20, 0.2, seed=0)

    assert test.tolist() == [3, 11, 15, 19]
    assert sorted([*train, *test]) == list(range(20))


def test_the_held_out_digits_show_every_class() -> None:
    labels = everything(digits("test", None)).labels

    assert labels is not None
    assert int(torch.bincount(labels, minlength=10).min()) >= 20


@pytest.mark.parametrize(("split", "count"), [("train", 1438), ("test", 359), ("all", 1797)])
def test_limits_take_the_first_or_are_refused(split: Split, count: int) -> None:
    data = digits(split, 7)

    first = everything(digits(split, None)).samples[:7]
    assert isinstance(data, ArrayDataset)
    assert np.array_equal(everything(data).samples, first)
    with pytest.raises(DataError, match=f"more than the {count:,} samples"):
        digits(split, count + 1)
