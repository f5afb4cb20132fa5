"""What a reader must see through: each change does what it says, to each image by itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gantk_infogan.jitter import Jitter

COUNT, SIDE = 64, 33


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bars() -> Tensor:
    """A dark square of 11 pixels in the middle of white, COUNT times."""
    images = torch.ones(COUNT, 1, SIDE, SIDE)
    images[:, :, 11:22, 11:22] = -1
    return images


def extent(images: Tensor, axis: int) -> Tensor:
    """Return how many pixels of ink a cut through the middle holds, for each image."""
    ink = (1 - images[:, 0]) / 2
    middle = ink[:, SIDE // 2, :] if axis == 1 else ink[:, :, SIDE // 2]
    return middle.sum(dim=1)


def test_without_amounts_nothing_changes() -> None:
    torch.testing.assert_close(Jitter()(bars(), rng()), bars(), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("amount", "axis"), [("width", 1), ("height", 0)])
def test_a_stretch_changes_one_side_only(amount: str, axis: int) -> None:
    changed = Jitter(**{amount: 0.4})(bars(), rng())

    stretched = extent(changed, axis)
    low, high = 11 * torch.tensor([-0.4, 0.4]).exp()
    assert low - 0.5 < stretched.min() < 9
    assert 13.5 < stretched.max() < high + 0.5
    torch.testing.assert_close(
        extent(changed, 1 - axis), torch.full((COUNT,), 11.0), atol=0.1, rtol=0
    )


def test_a_shift_moves_and_keeps_the_ground() -> None:
    changed = Jitter(shift=0.5)(bars(), rng())

    where = torch.arange(SIDE) - SIDE // 2
    columns = ((1 - changed[:, 0]) / 2).sum(dim=1)
    centres = (columns * where).sum(dim=1) / columns.sum(dim=1)
    assert centres.min() < -4
    assert centres.max() > 4
    assert centres.abs().max() <= 0.5 * SIDE / 2 + 0.1
    torch.testing.assert_close(changed[:, :, 0], torch.ones(COUNT, 1, SIDE))


def test_a_tone_changes_contrast_and_brightness_of_each_image_alike_everywhere() -> None:
    changed = Jitter(tone=0.5)(bars(), rng())

    ground, ink = changed[:, 0, 0, 0], changed[:, 0, 16, 16]
    contrast = (ground - ink) / 2
    assert torch.tensor(-0.5).exp() <= contrast.min() < 0.7
    assert 1.4 < contrast.max() <= torch.tensor(0.5).exp()
    brightness = (ground + ink) / 2
    assert -0.5 <= brightness.min() < -0.4
    assert 0.4 < brightness.max() <= 0.5
    assert abs(torch.corrcoef(torch.stack([contrast, brightness]))[0, 1]) < 0.3


def test_grain_is_noise_of_the_given_deviation() -> None:
    grain = Jitter(grain=0.1)(bars(), rng()) - bars()

    assert abs(grain.std().item() - 0.1) < 0.002


def test_it_draws_from_the_generator_it_is_given_and_lets_gradients_pass() -> None:
    jitter = Jitter(width=0.4, height=0.4, shift=0.2, tone=0.5, grain=0.1)
    images = bars().requires_grad_()

    first, again, other = (jitter(images, rng(seed)) for seed in (1, 1, 2))
    first.sum().backward()

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_bfloat16_becomes_float32() -> None:
    assert Jitter(tone=0.1)(bars().bfloat16(), rng()).dtype == torch.float32
