"""The networks of InfoGAN, layer by layer (Chen et al. 2016, arXiv 1606.03657, Tables 1 to 7).

Where the tables are silent or at odds with the authors' code, the code is followed: batch norm
comes before the activation, and the last up-convolution has stride 2. What recovers the codes is
not here: it is a head that reads the critic's features.

Range of values: ours is [-1, 1] everywhere. The paper's networks for digits, faces and chairs see
[0, 1] and end in a sigmoid. So these generators return `2 * sigmoid(x) - 1`, and their critics
begin with `(x + 1) / 2`: in between, every number is the paper's. The networks for house numbers
and portraits end in tanh and need no change.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from gan_toolkit import Critic, Generator, Judgement
from gantk_networks.checks import describe, refuse_condition
from gantk_networks.layers import (
    block,
    convolution,
    leaky_relu,
    linear,
    relu,
    up_convolution,
)


class ToSigned(nn.Module):
    """Logits to [-1, 1], by way of the paper's Bernoulli means in [0, 1]."""

    def forward(self, logits: Tensor) -> Tensor:
        """Return `2 * sigmoid(logits) - 1`."""
        return 2 * torch.sigmoid(logits) - 1


class ToUnit(nn.Module):
    """[-1, 1] to the paper's [0, 1]."""

    def forward(self, sample: Tensor) -> Tensor:
        """Return `(sample + 1) / 2`."""
        return (sample + 1) / 2


class PaperGenerator(Generator):
    """What the paper's generators share; a subclass lays out its layers."""

    channels_last = True
    name: ClassVar[str]
    image: ClassVar[tuple[int, int, int]]
    layers: nn.Sequential

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        _check(self.name, self.image, sample_shape)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return images (B, C, H, W) in [-1, 1]."""
        refuse_condition(self, condition)
        images: Tensor = self.layers(latent)
        return images


class PaperCritic(Critic):
    """What the paper's critics share; a subclass lays out its trunk.

    `slope` is that of the leaky ReLUs: 0.1 in the paper, 0.01 in the authors' code. `dense_norm`
    is batch norm on the layer of features: there in the paper, not in the authors' own code for
    faces and chairs.
    """

    channels_last = True
    separable = True
    name: ClassVar[str]
    image: ClassVar[tuple[int, int, int]]
    trunk: nn.Sequential
    score: nn.Linear

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        _check(self.name, self.image, sample_shape)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score (B,) and features (B, F)."""
        refuse_condition(self, condition)
        features = self.trunk(sample)
        return Judgement(self.score(features).squeeze(1), features)


class MnistGenerator(PaperGenerator):
    """Digits, 28x28x1 (Table 1): 7 to 14 to 28."""

    name = "paper_mnist"
    image = (1, 28, 28)

    def __init__(self, *, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__(sample_shape)
        self.layers = nn.Sequential(
            block(linear(latent_width, 1024), relu()),
            block(linear(1024, 128 * 7 * 7), relu()),
            nn.Unflatten(1, (128, 7, 7)),
            block(up_convolution(128, 64), relu()),
            up_convolution(64, 1),
            ToSigned(),
        )


class MnistCritic(PaperCritic):
    """Digits, 28x28x1 (Table 1)."""

    name = "paper_mnist"
    image = (1, 28, 28)
    feature_width = 1024

    def __init__(self, *, sample_shape: tuple[int, ...], slope: float = 0.1) -> None:
        super().__init__(sample_shape)
        self.trunk = nn.Sequential(
            ToUnit(),
            block(convolution(1, 64), leaky_relu(slope), "none"),
            block(convolution(64, 128), leaky_relu(slope)),
            nn.Flatten(),
            block(linear(128 * 7 * 7, 1024), leaky_relu(slope)),
        )
        self.score = linear(1024, 1)


class SvhnGenerator(PaperGenerator):
    """House numbers, 32x32x3 (Table 2): 2 to 4 to 8 to 16 to 32; half of it without batch norm."""

    name = "paper_svhn"
    image = (3, 32, 32)

    def __init__(self, *, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__(sample_shape)
        self.layers = nn.Sequential(
            block(linear(latent_width, 448 * 2 * 2), relu()),
            nn.Unflatten(1, (448, 2, 2)),
            block(up_convolution(448, 256), relu()),
            block(up_convolution(256, 128), relu(), "none"),
            block(up_convolution(128, 64), relu(), "none"),
            up_convolution(64, 3),
            nn.Tanh(),
        )


class SvhnCritic(PaperCritic):
    """House numbers, 32x32x3 (Table 2). The features are the last maps, laid flat."""

    name = "paper_svhn"
    image = (3, 32, 32)
    feature_width = 256 * 4 * 4

    def __init__(self, *, sample_shape: tuple[int, ...], slope: float = 0.1) -> None:
        super().__init__(sample_shape)
        self.trunk = nn.Sequential(
            block(convolution(3, 64), leaky_relu(slope), "none"),
            block(convolution(64, 128), leaky_relu(slope)),
            block(convolution(128, 256), leaky_relu(slope)),
            nn.Flatten(),
        )
        self.score = linear(256 * 4 * 4, 1)


class CelebaGenerator(SvhnGenerator):
    """Portraits, 32x32x3 (Table 3): the layers of house numbers."""

    name = "paper_celeba"


class CelebaCritic(SvhnCritic):
    """Portraits, 32x32x3 (Table 3): the layers of house numbers."""

    name = "paper_celeba"


class FacesGenerator(PaperGenerator):
    """Faces, 32x32x1 (Table 4): 8 to 16 to 32."""

    name = "paper_faces"
    image = (1, 32, 32)

    def __init__(self, *, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__(sample_shape)
        self.layers = nn.Sequential(
            block(linear(latent_width, 1024), relu()),
            block(linear(1024, 128 * 8 * 8), relu()),
            nn.Unflatten(1, (128, 8, 8)),
            block(up_convolution(128, 64), relu()),
            up_convolution(64, 1),
            ToSigned(),
        )


class FacesCritic(PaperCritic):
    """Faces, 32x32x1 (Table 4)."""

    name = "paper_faces"
    image = (1, 32, 32)
    feature_width = 1024

    def __init__(
        self, *, sample_shape: tuple[int, ...], slope: float = 0.1, dense_norm: bool = True
    ) -> None:
        super().__init__(sample_shape)
        self.trunk = nn.Sequential(
            ToUnit(),
            block(convolution(1, 64), leaky_relu(slope), "none"),
            block(convolution(64, 128), leaky_relu(slope)),
            nn.Flatten(),
            block(linear(128 * 8 * 8, 1024), leaky_relu(slope), "batch" if dense_norm else "none"),
        )
        self.score = linear(1024, 1)


class ChairsGenerator(PaperGenerator):
    """Chairs, 64x64x1 (Table 6): 8 to 8 to 8 to 16 to 32 to 64.

    The table leaves the last layer without a stride, which would end at 32.
    """

    name = "paper_chairs"
    image = (1, 64, 64)

    def __init__(self, *, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__(sample_shape)
        self.layers = nn.Sequential(
            block(linear(latent_width, 1024), relu()),
            block(linear(1024, 256 * 8 * 8), relu()),
            nn.Unflatten(1, (256, 8, 8)),
            block(up_convolution(256, 256, stride=1), relu()),
            block(up_convolution(256, 256, stride=1), relu()),
            block(up_convolution(256, 128), relu()),
            block(up_convolution(128, 64), relu()),
            up_convolution(64, 1),
            ToSigned(),
        )


class ChairsCritic(PaperCritic):
    """Chairs, 64x64x1 (Table 6)."""

    name = "paper_chairs"
    image = (1, 64, 64)
    feature_width = 1024

    def __init__(
        self, *, sample_shape: tuple[int, ...], slope: float = 0.1, dense_norm: bool = True
    ) -> None:
        super().__init__(sample_shape)
        self.trunk = nn.Sequential(
            ToUnit(),
            block(convolution(1, 64), leaky_relu(slope), "none"),
            block(convolution(64, 128), leaky_relu(slope)),
            block(convolution(128, 256), leaky_relu(slope)),
            block(convolution(256, 256, stride=1), leaky_relu(slope)),
            block(convolution(256, 256, stride=1), leaky_relu(slope)),
            nn.Flatten(),
            block(linear(256 * 8 * 8, 1024), leaky_relu(slope), "batch" if dense_norm else "none"),
        )
        self.score = linear(1024, 1)


def _check(name: str, image: tuple[int, int, int], sample_shape: tuple[int, ...]) -> None:
    if sample_shape != image:
        others = "dcgan for other sizes" if len(sample_shape) == 3 else "mlp"
        raise ValueError(
            f"{name} makes {describe(image)}; the data has {describe(sample_shape)}; use {others}"
        )
