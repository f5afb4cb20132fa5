"""Worlds: data made here, with known factors: chairs, rooms, heads, digits, sprites, points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_worlds.facts import CHAIR_MODELS
from gantk_worlds.options import (
    ChairsOptions,
    ColourHeadsOptions,
    FacesOptions,
    GridOptions,
    HouseNumbersOptions,
    RingOptions,
    RoomsOptions,
    SpritesOptions,
    StackedDigitsOptions,
    StrokesOptions,
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
        build="gantk_worlds.chair_sources:chairs",
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
        summary="grey faces: real renders, or ones made here with known pose, light and width",
    )
    registry.add(
        "dataset",
        "colour_heads",
        options=ColourHeadsOptions,
        build="gantk_worlds.colour_heads:colour_heads",
        summary="CelebA, or heads made here with known azimuth, glasses, hair and smile",
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
    registry.add(
        "dataset",
        "strokes",
        options=StrokesOptions,
        build="gantk_worlds.strokes:strokes",
        summary="digits drawn with a pen, 28x28, with known rotation, width and thickness",
    )
    registry.add(
        "dataset",
        "house_numbers",
        options=HouseNumbersOptions,
        build="gantk_worlds.house_numbers:house_numbers",
        summary="SVHN, or house numbers drawn here with known light and neighbours",
    )
    registry.add(
        "dataset",
        "sprites",
        options=SpritesOptions,
        build="gantk_worlds.sprites:sprites",
        summary="a square, ellipse or heart at all sizes, turns and places: dSprites drawn anew",
    )
    registry.add(
        "dataset",
        "stacked_digits",
        options=StackedDigitsOptions,
        build="gantk_worlds.stacked_digits:stacked_digits",
        summary="three digits in three colours: the 1,000 modes of stacked MNIST",
    )
