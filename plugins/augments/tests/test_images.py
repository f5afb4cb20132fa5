from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_toolkit import Augment
from gantk_augments.images import Dequantise, HorizontalFlip, Shift

SHAPE = (2, 5, 6)
AUGMENTS = {
    "flip": HorizontalFlip(0.5, SHAPE),
    "shift": Shift(2, SHAPE),
    "dequantise": Dequantise(256, SHAPE),
}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 64) -> Tensor:
    """Images whose pixels all differ, of values in [-1, 1]."""
    return torch.linspace(-1, 1, count * 60).reshape(count, *SHAPE)


@pytest.mark.parametrize("augment", AUGMENTS.values(), ids=AUGMENTS)
def test_the_same_generator_changes_alike_and_the_given_stay_as_they_are(augment: Augment) -> None:
    given = images()

    changed = augment.apply(given, rng())

    assert torch.equal(changed, augment.apply(given, rng()))
    assert not torch.equal(changed, augment.apply(given, rng(1)))
    assert torch.equal(given, images())
    assert (changed.shape, changed.dtype) == (given.shape, given.dtype)
    assert changed.abs().max() <= 1


@pytest.mark.parametrize("augment", AUGMENTS.values(), ids=AUGMENTS)
def test_nothing_is_made_on_the_default_device(augment: Augment) -> None:
    """A tensor made without naming a device would be on another one than the images on CUDA."""
    before = torch.get_default_device()
    given = images()
    expected = augment.apply(given, rng())
    try:
        torch.set_default_device("meta")
        changed = augment.apply(given, rng())
    finally:
        torch.set_default_device(before)

    assert torch.equal(changed, expected)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (1.0, 1.0), (0.25, 0.25)])
def test_flips_mirror_the_share_that_was_asked_for(probability: float, share: float) -> None:
    given = images(2_000)

    changed = HorizontalFlip(probability, SHAPE).apply(given, rng())

    mirrored = (changed == given.flip(-1)).flatten(1).all(1)
    kept = (changed == given).flatten(1).all(1)
    assert (mirrored ^ kept).all()
    assert mirrored.double().mean() == pytest.approx(share, abs=0.03)


def test_shifts_reach_every_place_and_repeat_the_border() -> None:
    given = torch.arange(30.0).reshape(1, 1, 5, 6).expand(500, 2, 5, 6) / 30

    changed = Shift(1, SHAPE).apply(given, rng())

    middle = (changed[:, 0, 2, 2] * 30).round().long()
    row, column = middle // 6, middle % 6
    assert set(zip(row.tolist(), column.tolist(), strict=True)) == {
        (r, c) for r in (1, 2, 3) for c in (1, 2, 3)
    }
    down = changed[(row == 1) & (column == 2)][0, 0]  # what stood above now stands here
    assert torch.equal(down[0], given[0, 0, 0])
    assert torch.equal(down[1:], given[0, 0, :-1])


def test_dequantised_values_fall_back_to_their_level() -> None:
    levels = torch.arange(256.0).div(127.5).sub(1).reshape(1, 1, 16, 16).expand(50, 1, 16, 16)

    changed = Dequantise(256, (1, 16, 16)).apply(levels, rng())

    back = ((changed + 1) * 127.5).round()
    assert torch.equal(back, ((levels + 1) * 127.5).round())
    assert (changed - levels).std() == pytest.approx(2 / 255 / 12**0.5, rel=0.05)


@pytest.mark.parametrize("build", [HorizontalFlip, Shift, Dequantise])
def test_points_are_refused(build: type[Augment]) -> None:
    with pytest.raises(ValueError, match=r"the samples of the data are 2$"):
        build(1, (2,))  # type: ignore[call-arg]


def test_a_shift_out_of_view_is_refused() -> None:
    with pytest.raises(ValueError, match="5x6 leave nothing in view"):
        Shift(5, SHAPE)
