"""What a recipe may write in the tables of this plugin. Light: no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gan_toolkit import Options, Reference


class DialOptions(Options):
    """Options of `dial`."""

    steps: Annotated[int, Field(ge=2, le=1_000)]
    """How many steps there are from -1 to 1; each is equally likely."""


class DiversityOptions(Options):
    """Options of `diversity`."""

    of: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """The latents whose change must show in the samples; all of them when the list is empty."""
    eps: Annotated[float, Field(gt=0, le=1)] = 1e-5
    """Added to the ratio, so that a generator that ignores its input has a finite penalty."""
