"""Convolutional networks for square images of many sizes, after DCGAN.

Radford, Metz, Chintala 2015 (arXiv 1511.06434), with the 4x4 kernels, the slope and the fully
connected features of InfoGAN's networks. Maps go from S x S at the image to 4 to 7 on a side:
S = side * 2^n, so 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, ...
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from gan_toolkit import Critic, Generator, Judgement
from gantk_networks.checks import describe, refuse_condition
from gantk_networks.layers import (
    Norm,
    block,
    convolution,
    leaky_relu,
    linear,
    map_norm,
    relu,
    up_convolution,
    with_norm,
)

LEAST_SIDE = 4


class DcganGenerator(Generator):
    """A fully connected layer to the smallest maps, up-convolutions, tanh.

    `width` is the number of maps next to the image; it doubles with each halving of the side.
    """

    channels_last = True

    def __init__(
        self, *, latent_width: int, sample_shape: tuple[int, ...], width: int = 64
    ) -> None:
        super().__init__()
        channels, side, doublings = plan(sample_shape)
        maps = [width * 2**i for i in reversed(range(doublings))]
        # Norm per map, not per unit as in the paper's networks: one sample is batch enough.
        self.smallest = nn.Sequential(
            linear(latent_width, maps[0] * side * side),
            nn.Unflatten(1, (maps[0], side, side)),
            map_norm(maps[0]),
            relu(),
        )
        self.layers = nn.Sequential(
            *(block(up_convolution(a, b), relu()) for a, b in pairwise(maps)),
            up_convolution(maps[-1], channels),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images (B, C, S, S) in [-1, 1]."""
        refuse_condition(self, condition)
        images: Tensor = self.layers(self.smallest(latent))
        return images


class DcganCritic(Critic):
    """The generator mirrored, a fully connected layer of `features`, the score.

    `norm` is that of all layers but the first convolution and the score, which go without batch
    norm; "spectral" takes these two in. Batch norm lets a code be read off the features from the
    first hundred steps; with spectral norm alone that took many times as long.
    """

    channels_last = True

    def __init__(
        self,
        *,
        sample_shape: tuple[int, ...],
        width: int = 64,
        features: int = 256,
        norm: Norm = "batch",
        slope: float = 0.1,
    ) -> None:
        super().__init__()
        channels, side, halvings = plan(sample_shape)
        maps = [width * 2**i for i in range(halvings)]
        first = norm if norm == "spectral" else "none"
        self.feature_width = features
        self.separable = norm != "spectral"
        self.trunk = nn.Sequential(
            block(convolution(channels, width), leaky_relu(slope), first),
            *(block(convolution(a, b), leaky_relu(slope), norm) for a, b in pairwise(maps)),
            nn.Flatten(),
            block(linear(maps[-1] * side * side, features), leaky_relu(slope), norm),
        )
        self.score = with_norm(linear(features, 1), norm)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score (B,) and features (B, F)."""
        refuse_condition(self, condition)
        features = self.trunk(sample)
        return Judgement(self.score(features).squeeze(1), features)


def plan(sample_shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return channels, side of the smallest map and number of doublings from it to the image.

    Raises ValueError, naming the nearest sizes that work.
    """
    if len(sample_shape) != 3:
        raise ValueError(f"dcgan makes images; the data has {describe(sample_shape)}; use mlp")
    channels, size, width = sample_shape
    if size != width:
        raise ValueError(f"dcgan makes square images; the data has {describe(sample_shape)}")
    if size < 2 * LEAST_SIDE:
        raise ValueError(f"dcgan can't make {describe(sample_shape)}; the smallest size is 8")
    doublings = (size // LEAST_SIDE).bit_length() - 1
    side, rest = divmod(size, 2**doublings)
    if rest:
        below, above = side * 2**doublings, (side + 1) * 2**doublings
        raise ValueError(
            f"dcgan can't make {describe(sample_shape)}; the nearest sizes are {below} and {above}"
        )
    return channels, side, doublings
