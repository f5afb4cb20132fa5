"""Worlds: data made here, with known factors: chairs, rooms, heads, digits, sprites, points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gan_toolkit import Options, hookimpl
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

_DATA_SETS = (
    (
        "chairs",
        "chair_sources:chairs",
        ChairsOptions,
        "chairs in all poses: the real renders, or ones rendered here with known factors",
    ),
    (
        "rooms",
        "rooms:rooms",
        RoomsOptions,
        "a solid in a room, in colour, with the six factors of 3DShapes; rendered here",
    ),
    (
        "faces",
        "faces:faces",
        FacesOptions,
        "grey faces: real renders, or ones made here with known pose, light and width",
    ),
    (
        "colour_heads",
        "colour_heads:colour_heads",
        ColourHeadsOptions,
        "CelebA, or heads made here with known azimuth, glasses, hair and smile",
    ),
    (
        "ring",
        "toys:ring",
        RingOptions,
        "points from Gaussians on a circle, in the plane",
    ),
    (
        "grid",
        "toys:grid",
        GridOptions,
        "points from Gaussians on a square grid, in the plane",
    ),
    (
        "strokes",
        "strokes:strokes",
        StrokesOptions,
        "digits drawn with a pen, 28x28, with known rotation, width and thickness",
    ),
    (
        "house_numbers",
        "house_numbers:house_numbers",
        HouseNumbersOptions,
        "SVHN, or house numbers drawn here with known light and neighbours",
    ),
    (
        "sprites",
        "sprites:sprites",
        SpritesOptions,
        "a square, ellipse or heart at all sizes, turns and places: dSprites drawn anew",
    ),
    (
        "stacked_digits",
        "stacked_digits:stacked_digits",
        StackedDigitsOptions,
        "three digits in three colours: the 1,000 modes of stacked MNIST",
    ),
)


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the data sets."""
    for name, build, options, summary in _DATA_SETS:
        registry.add(
            "dataset",
            name,
            options=options,
            build=f"gantk_worlds.{build}",
            summary=summary,
            source=CHAIR_MODELS if name == CHAIR_MODELS.component else None,
            trial=_trial(options),
        )


def _trial(options: type[Options]) -> dict[str, Any]:
    """Return few small samples, made here: what checks of all worlds look at."""
    fields = options.model_fields
    small = {"source": "synthetic", "count": 16, "held_out": 8, "modes": 4, "side": 2}
    return {name: value for name, value in small.items() if name in fields}
