"""What a recipe may write in the table of a latent. Light: no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gan_toolkit import Options

Size = Annotated[int, Field(ge=1, le=65_536)]
Spread = Literal["learned"] | Annotated[float, Field(gt=0, le=1_000)]


class CategoricalOptions(Options):
    """Options of `categorical`."""

    categories: Annotated[int, Field(ge=2, le=65_536)]
    """How many categories; each is equally likely."""


class UniformOptions(Options):
    """Options of `uniform`."""

    size: Size = 1
    """How many numbers."""
    low: float = -1.0
    """The lower end of the interval."""
    high: float = 1.0
    """The upper end of the interval."""
    spread: Spread = "learned"
    """Standard deviation of the posterior in units of half the interval: a number, or "learned"."""


class GaussianOptions(Options):
    """Options of `gaussian`."""

    size: Size = 1
    """How many numbers."""
    spread: Spread = "learned"
    """Standard deviation of the posterior: a number, or "learned"."""


class CircularOptions(Options):
    """Options of `circular`."""

    size: Size = 1
    """How many angles."""
    concentration_limit: Annotated[float, Field(gt=0, le=10_000)] = 25.0
    """The posterior's concentration stays below this: at 25 it is about 11 degrees wide."""
