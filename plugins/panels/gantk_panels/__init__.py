"""Panels: pictures of the state of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_panels.options import BoundCurveOptions, SampleGridOptions, TraversalOptions

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
        "bound_curve",
        options=BoundCurveOptions,
        build="gantk_panels.bound_curve:BoundCurve",
        summary="the information bound of each code against steps",
    )
