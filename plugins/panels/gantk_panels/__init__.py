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


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the panels."""
    registry.add(
        "panel",
        "sample_grid",
        options=SampleGridOptions,
        build="gantk_panels.sample_grid:SampleGrid",
        summary="a sheet of samples from latents that never change",
    )
    registry.add(
        "panel",
        "traversal",
        options=TraversalOptions,
        build="gantk_panels.traversal:Traversal",
        summary="one code varies from left to right, all else stands still",
    )
    registry.add(
        "panel",
        "traversal_film",
        options=TraversalFilmOptions,
        build="gantk_panels.traversal_film:TraversalFilm",
        summary="a film: one code moves, and every sample of a sheet with it",
    )
    registry.add(
        "panel",
        "pair_grid",
        options=PairGridOptions,
        build="gantk_panels.pair_grid:PairGrid",
        summary="one code varies across and one down, all else stands still",
    )
    registry.add(
        "panel",
        "interpolation",
        options=InterpolationOptions,
        build="gantk_panels.interpolation:Interpolation",
        summary="from one draw of the latents to another, each on the way it has",
    )
    registry.add(
        "panel",
        "real_and_generated",
        options=RealAndGeneratedOptions,
        build="gantk_panels.real_and_generated:RealAndGenerated",
        summary="real samples beside generated ones, and the nearest real ones",
    )
    registry.add(
        "panel",
        "matrix",
        options=MatrixOptions,
        build="gantk_panels.matrix:MatrixPanel",
        summary="confusion of categories, codes against factors, Hinton diagrams",
    )
    registry.add(
        "panel",
        "bound_curve",
        options=BoundCurveOptions,
        build="gantk_panels.bound_curve:BoundCurve",
        summary="the information bound of each code against steps",
    )
