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


class TraversalFilmOptions(Options):
    """Options of `traversal_film`."""

    latent: Annotated[str, Reference("latents")]
    """The latent that moves, or a group: a film for each member."""
    samples: Cells = 16
    """Samples that move together."""
    frames: Annotated[int, Field(ge=4, le=100)] = 24
    """Frames of a film; of a choice, as many as there are values."""
    milliseconds: Annotated[int, Field(ge=20, le=2_000)] = 120
    """How long each frame stays; a category four times as long."""


class PairGridOptions(Options):
    """Options of `pair_grid`."""

    across: Annotated[str, Reference("latents")]
    """The latent that varies from left to right; of a group, a member, such as "style.0"."""
    down: Annotated[str, Reference("latents")]
    """The latent that varies from top to bottom."""
    rows: Cells = 9
    """Values of `down`; one with few values of its own shows those."""
    columns: Cells = 9
    """Values of `across`."""


class InterpolationOptions(Options):
    """Options of `interpolation`."""

    rows: Cells = 6
    """Pairs of draws, a row each."""
    columns: Annotated[int, Field(ge=2, le=100)] = 9
    """Steps of a way, both ends included."""


class RealAndGeneratedOptions(Options):
    """Options of `real_and_generated`."""

    rows: Cells = 8
    """Rows of samples."""
    columns: Cells = 6
    """Columns of real samples, and of generated ones."""
    neighbours: Annotated[int, Field(ge=0, le=200_000)] = 0
    """Real samples among which the nearest to each generated one is shown; 0: no such sheet."""


class MatrixOptions(Options):
    """Options of `matrix`."""

    of: Annotated[list[str], Reference("measures")] = Field(default_factory=list)
    """Measures whose matrices are drawn; empty: all that come with one."""


class BoundCurveOptions(Options):
    """Options of `bound_curve`."""

    of: Annotated[str, Reference("regularisers")] = "information"
    """The regulariser's table, whose logged bounds are drawn."""
