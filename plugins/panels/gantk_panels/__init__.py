"""Panels: pictures of the state of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_panels.options import (
    BoundCurveOptions,
    InterpolationOptions,
    MatrixOptions,
    PairGridOptions,
    RealAndGeneratedOptions,
    SampleGridOptions,
    TraversalFilmOptions,
    TraversalOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry

_PANELS = (
    (
        "sample_grid",
        "sample_grid:SampleGrid",
        SampleGridOptions,
        "a sheet of samples from latents that never change",
    ),
    (
        "traversal",
        "traversal:Traversal",
        TraversalOptions,
        "one code varies from left to right, all else stands still",
    ),
    (
        "traversal_film",
        "traversal_film:TraversalFilm",
        TraversalFilmOptions,
        "a film: one code moves, and every sample of a sheet with it",
    ),
    (
        "pair_grid",
        "pair_grid:PairGrid",
        PairGridOptions,
        "one code varies across and one down, all else stands still",
    ),
    (
        "interpolation",
        "interpolation:Interpolation",
        InterpolationOptions,
        "from one draw of the latents to another, each on the way it has",
    ),
    (
        "real_and_generated",
        "real_and_generated:RealAndGenerated",
        RealAndGeneratedOptions,
        "real samples beside generated ones, and the nearest real ones",
    ),
    (
        "matrix",
        "matrix:MatrixPanel",
        MatrixOptions,
        "confusion of categories, codes against factors, Hinton diagrams",
    ),
    (
        "bound_curve",
        "bound_curve:BoundCurve",
        BoundCurveOptions,
        "the information bound of each code against steps",
    ),
)

_TRIALS: dict[str, dict[str, object]] = {"pair_grid": {"across": "coin", "down": "level"}}
"""What checks build a panel with whose defaults name one latent twice."""


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the panels."""
    for name, build, options, summary in _PANELS:
        registry.add(
            "panel",
            name,
            options=options,
            build=f"gantk_panels.{build}",
            summary=summary,
            trial=_TRIALS.get(name),
        )
