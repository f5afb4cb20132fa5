"""What `gantk export --set` may say to an exporter. Light: no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gan_toolkit import Options

Code = int | float | list[int | float]
"""An index, a number, or one for each member of a group."""


class OnnxOptions(Options):
    """Options of `onnx`."""

    opset: Annotated[int, Field(ge=18, le=23)] = 18
    """Version of ONNX's operators: the lowest is known to most readers."""
    check: bool = True
    """Whether the file is run beside the model, and refused when it makes other samples."""


class SampledOptions(Options):
    """What every exporter of samples may be told."""

    count: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """How many samples."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Same seed, same samples: those of `gantk sample`."""
    codes: dict[str, Code] = Field(default={})
    """Codes that are held, by name; the rest is drawn."""


class ImagesOptions(SampledOptions):
    """Options of `images`."""

    label: str = ""
    """The latent whose categories become the labels in `dataset.json`; empty: no labels."""


class ArraysOptions(SampledOptions):
    """Options of `arrays`."""
