"""The layers that the convolutional networks share, initialised as in InfoGAN's code.

Every layer comes initialised (weights of deviation 0.02, biases 0, gains of batch norm around 1),
drawn from torch's global generator. Convolutions are 4x4. Batch norm has one gain and offset per
map, and per unit on fully connected layers.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

Norm = Literal["batch", "spectral", "none"]
Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
L = TypeVar("L", bound=Layer)
N = TypeVar("N", bound=nn.BatchNorm1d | nn.BatchNorm2d)

KERNEL = 4
DEVIATION = 0.02


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a fully connected layer."""
    return _normal(nn.Linear(inputs, outputs))


def convolution(inputs: int, maps: int, stride: int = 2) -> nn.Conv2d:
    """Return a 4x4 convolution that divides an even size by `stride`, 1 or 2.

    Its weights are cut off at two deviations, as TensorFlow's truncated normal does.
    """
    layer = (
        SameConvolution(inputs, maps)
        if stride == 1
        else nn.Conv2d(inputs, maps, KERNEL, stride=2, padding=1)
    )
    _cut_normal(layer.weight)
    return _no_bias(layer)


def up_convolution(inputs: int, maps: int, stride: int = 2) -> nn.ConvTranspose2d:
    """Return a 4x4 transposed convolution that multiplies the size by `stride`, 1 or 2."""
    layer = (
        SameUpConvolution(inputs, maps)
        if stride == 1
        else nn.ConvTranspose2d(inputs, maps, KERNEL, stride=2, padding=1)
    )
    return _normal(layer)


class SameConvolution(nn.Conv2d):
    """A 4x4 convolution that keeps the size, padded as TensorFlow's SAME: 1 before, 2 after."""

    def __init__(self, inputs: int, maps: int) -> None:
        super().__init__(inputs, maps, KERNEL)

    def forward(self, input: Tensor) -> Tensor:
        """Return maps of the size of the input."""
        # torch's own padding="same" is the same sum, but warns of even kernels.
        return super().forward(F.pad(input, (1, 2, 1, 2)))


class SameUpConvolution(nn.ConvTranspose2d):
    """The transpose of `SameConvolution`."""

    def __init__(self, inputs: int, maps: int) -> None:
        super().__init__(inputs, maps, KERNEL, padding=1)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return maps of the size of the input."""
        # One row and one column too many: the last, because SAME pads more after than before.
        return super().forward(input, output_size)[:, :, :-1, :-1]


def block(layer: Layer, activation: nn.Module, norm: Norm = "batch") -> nn.Sequential:
    """Return layer, normalisation, activation; this order is that of InfoGAN's code."""
    if norm == "batch":
        return nn.Sequential(layer, _norm_after(layer), activation)
    return nn.Sequential(with_norm(layer, norm), activation)


def with_norm(layer: L, norm: Norm) -> L:
    """Return `layer`; "spectral" keeps the largest singular value of its weight at 1."""
    if norm == "spectral":
        spectral_norm(layer)  # in place
    return layer


def map_norm(maps: int) -> nn.BatchNorm2d:
    """Return batch norm with one gain and offset per map."""
    return _start(nn.BatchNorm2d(maps, eps=1e-5, momentum=0.1))


def relu() -> nn.Module:
    """Return a ReLU in place: no layer before it needs its own output to go backward."""
    return nn.ReLU(inplace=True)


def leaky_relu(slope: float) -> nn.Module:
    """Return a leaky ReLU in place; see `relu`."""
    return nn.LeakyReLU(slope, inplace=True)


def _norm_after(layer: Layer) -> nn.Module:
    if isinstance(layer, nn.Linear):
        return _start(nn.BatchNorm1d(layer.out_features, eps=1e-5, momentum=0.1))
    return map_norm(layer.out_channels)


def _start(norm: N) -> N:
    nn.init.normal_(norm.weight, mean=1.0, std=DEVIATION)
    return norm


def _normal(layer: L) -> L:
    nn.init.normal_(layer.weight, std=DEVIATION)
    return _no_bias(layer)


@torch.no_grad()
def _cut_normal(weight: Tensor) -> None:
    # By the inverse of the distribution function: torch's own draws until all fit, which makes the
    # host wait for the device and can't be traced.
    edge = math.erf(2 / math.sqrt(2))
    weight.uniform_(-edge, edge).erfinv_().mul_(math.sqrt(2) * DEVIATION)
    weight.clamp_(-2 * DEVIATION, 2 * DEVIATION)


def _no_bias(layer: L) -> L:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
