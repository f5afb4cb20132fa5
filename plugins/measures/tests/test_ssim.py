from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gantk_measures.ssim import WEIGHTS, ms_ssim, scales_for

RNG = torch.Generator().manual_seed(5)
C1, C2 = 0.02**2, 0.06**2
"""The constants of images whose range is 2."""


def images(*shape: int) -> Tensor:
    return torch.rand(shape, generator=RNG) * 2 - 1


def windows(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return the mean of luminance x structure and of structure over all windows of (H, W)."""
    bell = np.exp(-((np.arange(11) - 5) ** 2) / 4.5)
    weights = np.outer(bell, bell) / bell.sum() ** 2
    whole, structures = [], []
    for y in range(first.shape[0] - 10):
        for x in range(first.shape[1] - 10):
            a, b = (part[y : y + 11, x : x + 11] for part in (first, second))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            shared = (weights * (a - mean_a) * (b - mean_b)).sum()
            structures.append((2 * shared + C2) / (var_a + var_b + C2))
            luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
            whole.append(luminance * structures[-1])
    return float(np.mean(whole)), float(np.mean(structures))


def test_scales_are_those_into_which_the_window_fits() -> None:
    sides = {10: 0, 11: 1, 21: 1, 22: 2, 28: 2, 32: 2, 44: 3, 64: 3, 128: 4, 176: 5, 1024: 5}

    assert {side: scales_for((1, side, 2 * side)) for side in sides} == sides


def test_an_image_is_its_own_like() -> None:
    same = images(3, 3, 32, 32)

    assert ms_ssim(same, same).tolist() == pytest.approx([1, 1, 1])


def test_one_scale_agrees_with_windows_taken_one_by_one() -> None:
    first, second = images(1, 1, 13, 12), images(1, 1, 13, 12) * 0.3
    second = second + 0.7 * first

    expected, _ = windows(first[0, 0].double().numpy(), second[0, 0].double().numpy())

    assert float(ms_ssim(first, second)) == pytest.approx(expected, abs=1e-5)


def test_two_scales_are_a_product_with_the_weights_of_both() -> None:
    first = images(1, 1, 23, 22)
    second = 0.8 * first + 0.2 * images(1, 1, 23, 22)
    halves = [functional.avg_pool2d(part, 2)[0, 0].double().numpy() for part in (first, second)]

    _, fine = windows(first[0, 0].double().numpy(), second[0, 0].double().numpy())
    coarse, _ = windows(*halves)

    share = WEIGHTS[0] / (WEIGHTS[0] + WEIGHTS[1])
    expected = fine**share * coarse ** (1 - share)
    assert float(ms_ssim(first, second)) == pytest.approx(expected, abs=1e-5)


def test_flat_images_differ_in_luminance_only() -> None:
    """Grey 0.5 and 1: (2 · 0.5 + C1) / (1.25 + C1), to the power of the last scale's share."""
    grey, white = torch.full((1, 1, 16, 16), 0.5), torch.ones(1, 1, 16, 16)

    one = (1 + C1) / (1.25 + C1)
    share = WEIGHTS[1] / (WEIGHTS[0] + WEIGHTS[1])
    assert float(ms_ssim(grey, white)) == pytest.approx(one, abs=1e-4)
    wide = [functional.pad(part, [8] * 4, mode="replicate") for part in (grey, white)]
    assert float(ms_ssim(*wide)) == pytest.approx(one**share, abs=1e-4)


def test_opposite_structures_are_0_and_not_a_root_of_a_negative_number() -> None:
    image = images(2, 1, 32, 32)

    assert ms_ssim(image, -image).tolist() == [0, 0]


def test_channels_are_averaged() -> None:
    first = images(1, 1, 16, 16)
    second = (first + images(1, 1, 16, 16)) / 2
    both = torch.cat([first, first], dim=1), torch.cat([first, second], dim=1)

    expected = (1 + float(ms_ssim(first, second))) / 2
    assert float(ms_ssim(*both)) == pytest.approx(expected, abs=1e-5)


def test_many_pairs_are_compared_each_with_its_own() -> None:
    first, second = images(600, 1, 12, 12), images(600, 1, 12, 12)

    found = ms_ssim(first, second)

    assert found.shape == (600,)
    assert float(found[599]) == pytest.approx(float(ms_ssim(first[599:], second[599:])), abs=1e-6)


def test_images_below_the_window_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(8, 8\) pixels; at least 11"):
        ms_ssim(images(1, 1, 8, 8), images(1, 1, 8, 8))
