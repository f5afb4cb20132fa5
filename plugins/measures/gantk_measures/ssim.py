"""How alike two images look: multi-scale structural similarity.

N pairs of images (N, C, H, W) in [-1, 1]. Wang et al. 2003; the constants are theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, finest first."""
WINDOW, SIGMA = 11, 1.5
"""Side and deviation of the Gaussian window, in pixels."""
_RANGE = 2.0
_LUMINANCE, _CONTRAST = (0.01 * _RANGE) ** 2, (0.03 * _RANGE) ** 2
_PART = 250


def scales_for(shape: Sequence[int]) -> int:
    """Return at how many scales the window fits into images (…, H, W): at most 5, 0 if at none."""
    side, scales = min(shape[-2:]), 0
    while side >= WINDOW and scales < len(WEIGHTS):
        side, scales = side // 2, scales + 1
    return scales


def ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """Return the similarity (N,) of each image to its partner, 0 to 1; 1 for the same image.

    Over the scales that fit, exponents divided by their sum: five from 176 pixels on, three at 64,
    two at 32. A scale on which the structures oppose each other counts as 0, since no root of a
    negative number is taken. Channels are averaged. Raises ValueError below 11 pixels.
    """
    if not scales_for(first.shape):
        raise ValueError(f"images of {tuple(first.shape[-2:])} pixels; at least {WINDOW} needed")
    parts = zip(first.split(_PART), second.split(_PART), strict=True)
    return torch.cat([_of_pairs(*pair) for pair in parts])


def _of_pairs(first: Tensor, second: Tensor) -> Tensor:
    weights = torch.tensor(WEIGHTS[: scales_for(first.shape)])
    found = []
    for place in range(len(weights)):
        if place:
            first, second = (functional.avg_pool2d(images, 2) for images in (first, second))
        luminance, structure = _compare(first, second)
        whole = structure if place + 1 < len(weights) else luminance * structure
        found.append(whole.mean(dim=(1, 2, 3)).clamp_min(0))
    return (torch.stack(found, dim=1) ** (weights / weights.sum())).prod(dim=1)


def _compare(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return maps of luminance, and of contrast with structure, of every window."""
    mean, other = _blur(first), _blur(second)
    variances = _blur(first**2) - mean**2 + _blur(second**2) - other**2
    covariance = _blur(first * second) - mean * other
    luminance = (2 * mean * other + _LUMINANCE) / (mean**2 + other**2 + _LUMINANCE)
    return luminance, (2 * covariance + _CONTRAST) / (variances + _CONTRAST)


def _blur(images: Tensor) -> Tensor:
    """Return the weighted mean of every window that lies within the image."""
    place = torch.arange(WINDOW) - WINDOW // 2
    bell = torch.exp(-(place**2) / (2 * SIGMA**2)).to(images)
    bell = (bell / bell.sum()).expand(images.shape[1], 1, 1, -1)
    rows = functional.conv2d(images, bell, groups=images.shape[1])
    return functional.conv2d(rows, bell.transpose(2, 3), groups=images.shape[1])
