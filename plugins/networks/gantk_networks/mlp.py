"""Fully connected networks for samples of any shape: points (B, D) or images (B, C, H, W)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from gan_toolkit import Critic, Generator, Judgement
from gantk_networks.checks import describe, refuse_condition
from gantk_networks.layers import Norm, block, leaky_relu, relu, with_norm

Activation = Literal["relu", "leaky_relu"]

SLOPE = 0.1


class MlpGenerator(Generator):
    """Hidden layers, then the sample: as it is for points, through tanh for images.

    Weights start as torch starts them: at the small deviation of the convolutional networks,
    layers without batch norm would pass on almost nothing.
    """

    def __init__(
        self,
        *,
        latent_width: int,
        sample_shape: tuple[int, ...],
        hidden: Sequence[int] = (128, 128),
        activation: Activation = "relu",
        norm: Literal["batch", "none"] = "none",
    ) -> None:
        super().__init__()
        _check(sample_shape, hidden)
        last = nn.Linear(hidden[-1], math.prod(sample_shape))
        self.layers = nn.Sequential(_stack(latent_width, hidden, activation, norm), last)
        if len(sample_shape) == 3:
            self.layers.extend([nn.Unflatten(1, sample_shape), nn.Tanh()])

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return points (B, D), or images (B, C, H, W) in [-1, 1]."""
        refuse_condition(self, condition)
        sample: Tensor = self.layers(latent)
        return sample


class MlpCritic(Critic):
    """Hidden layers, the last of which are the features, then the score."""

    def __init__(
        self,
        *,
        sample_shape: tuple[int, ...],
        hidden: Sequence[int] = (128, 128),
        activation: Activation = "leaky_relu",
        norm: Norm = "none",
    ) -> None:
        super().__init__()
        _check(sample_shape, hidden)
        stack = _stack(math.prod(sample_shape), hidden, activation, norm)
        self.feature_width = hidden[-1]
        self.separable = norm != "spectral"
        self.trunk = nn.Sequential(nn.Flatten(), stack)
        self.score = with_norm(nn.Linear(self.feature_width, 1), norm)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score (B,) and features (B, F)."""
        refuse_condition(self, condition)
        features = self.trunk(sample)
        return Judgement(self.score(features).squeeze(1), features)


def _stack(inputs: int, hidden: Sequence[int], activation: Activation, norm: Norm) -> nn.Sequential:
    return nn.Sequential(
        *(
            block(nn.Linear(a, b), relu() if activation == "relu" else leaky_relu(SLOPE), norm)
            for a, b in pairwise([inputs, *hidden])
        )
    )


def _check(sample_shape: tuple[int, ...], hidden: Sequence[int]) -> None:
    if len(sample_shape) not in (1, 3):
        raise ValueError(
            f"mlp makes points (D,) or images (C, H, W); the data has {describe(sample_shape)}"
        )
    if not hidden:
        raise ValueError("mlp needs at least one hidden layer: the features are the last one")
