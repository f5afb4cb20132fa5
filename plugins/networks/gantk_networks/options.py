"""What a recipe may say of each network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gan_toolkit import Options

Units = Annotated[int, Field(ge=1, le=65_536)]
Maps = Annotated[int, Field(ge=1, le=4_096)]
Slope = Annotated[float, Field(ge=0, lt=1)]


class MlpGeneratorOptions(Options):
    """Options of the `mlp` generator."""

    hidden: list[Units] = Field(default=[128, 128], min_length=1)
    """Units of the hidden layers, from the latent on."""
    activation: Literal["relu", "leaky_relu"] = "relu"
    """What follows each hidden layer; the leaky one has slope 0.1."""
    norm: Literal["batch", "none"] = "none"
    """Normalisation of the hidden layers."""


class MlpCriticOptions(Options):
    """Options of the `mlp` critic."""

    hidden: list[Units] = Field(default=[128, 128], min_length=1)
    """Units of the hidden layers, from the sample on; the last ones are the features."""
    activation: Literal["relu", "leaky_relu"] = "leaky_relu"
    """What follows each hidden layer; the leaky one has slope 0.1."""
    norm: Literal["batch", "spectral", "none"] = "none"
    """Normalisation of the hidden layers; "spectral" takes the score in."""


class DcganGeneratorOptions(Options):
    """Options of the `dcgan` generator."""

    width: Maps = 64
    """Maps next to the image; they double with each halving of the side."""


class DcganCriticOptions(Options):
    """Options of the `dcgan` critic."""

    width: Maps = 64
    """Maps next to the image; they double with each halving of the side."""
    features: Units = 256
    """Units of the fully connected layer that the score and other heads read."""
    norm: Literal["batch", "spectral", "none"] = "batch"
    """Normalisation; "batch" spares the first layer and the score, "spectral" spares none."""
    slope: Slope = 0.1
    """Slope of the leaky ReLUs for negative values."""


class PaperCriticOptions(Options):
    """Options of the paper's critics."""

    slope: Slope = 0.1
    """Slope of the leaky ReLUs for negative values: 0.1 in the paper, 0.01 in the authors' code."""


class DenseNormOptions(PaperCriticOptions):
    """Options of the paper's critics for faces and chairs."""

    dense_norm: bool = True
    """Batch norm on the layer of 1024 features: in the paper, not in the authors' own code."""
