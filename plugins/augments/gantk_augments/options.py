"""What a recipe may say about each augment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gan_toolkit import Options


class FlipOptions(Options):
    """Options of `horizontal_flip`."""

    probability: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of each image to be mirrored."""


class ShiftOptions(Options):
    """Options of `shift`."""

    pixels: Annotated[int, Field(ge=1, le=256)] = 2
    """At most so many, to either side, up or down."""


class DequantiseOptions(Options):
    """Options of `dequantise`."""

    levels: Annotated[int, Field(ge=2, le=65_536)] = 256
    """Grey levels of the images."""
