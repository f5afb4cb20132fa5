"""What a recipe may write in the table of a panel. Light: no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gan_toolkit import Options, Reference

Cells = Annotated[int, Field(ge=1, le=100)]


class SampleGridOptions(Options):
    """Options of `sample_grid`."""

    rows: Cells = 8
    """Rows of samples."""
    columns: Cells = 8
    """Columns of samples."""


class TraversalOptions(Options):
    """Options of `traversal`."""

    latent: Annotated[str, Reference("latents")]
    """The latent that varies, or a group: a picture for each member."""
    rows: Cells = 8
    """Draws of everything else, a row each."""
    columns: Cells = 10
    """Values of the latent; one with few values of its own shows those."""


class BoundCurveOptions(Options):
    """Options of `bound_curve`."""

    of: Annotated[str, Reference("regularisers")] = "information"
    """The regulariser's table, whose logged bounds are drawn."""
