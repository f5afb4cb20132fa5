"""Worlds: data made here, with known factors. Chairs, rooms, heads; points in the plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_worlds.facts import CHAIR_MODELS
from gantk_worlds.options import (
    ChairsOptions,
    ColourHeadsOptions,
    FacesOptions,
    GridOptions,
    RingOptions,
    RoomsOptions,
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
        source=CHAIR_MODELS,
    )
    registry.add(
        "dataset",
        "rooms",
        options=RoomsOptions,
        build="gantk_worlds.rooms:rooms",
        summary="a solid in a room, in colour, with the six factors of 3DShapes; rendered here",
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
