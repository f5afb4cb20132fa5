"""Worlds: data made here, with known factors. Rendered chairs and heads, points in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_worlds.options import (
    ChairsOptions,
    ColourHeadsOptions,
    FacesOptions,
    GridOptions,
    RingOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the data sets."""
    registry.add(
        "dataset",
        "chairs",
        options=ChairsOptions,
        build="gantk_worlds.sources:chairs",
        summary="chairs in all poses: the real renders, or ones rendered here with known factors",
    )
    registry.add(
        "dataset",
        "faces",
        options=FacesOptions,
        build="gantk_worlds.faces:faces",
        summary="grey faces rendered here, with known pose, light and width",
    )
    registry.add(
        "dataset",
        "colour_heads",
        options=ColourHeadsOptions,
        build="gantk_worlds.colour_heads:colour_heads",
        summary="coloured heads rendered here, with known azimuth, glasses, hair and smile",
    )
    registry.add(
        "dataset",
        "ring",
        options=RingOptions,
        build="gantk_worlds.toys:ring",
        summary="points from Gaussians on a circle, in the plane",
    )
    registry.add(
        "dataset",
        "grid",
        options=GridOptions,
        build="gantk_worlds.toys:grid",
        summary="points from Gaussians on a square grid, in the plane",
    )
