"""Augments: what is changed by chance about real samples before the critic sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_augments.options import DequantiseOptions, FlipOptions, ShiftOptions

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the augments."""
    add = registry.add
    add(
        "augment",
        "horizontal_flip",
        options=FlipOptions,
        build="gantk_augments.images:HorizontalFlip",
        summary="mirror some images left to right",
    )
    add(
        "augment",
        "shift",
        options=ShiftOptions,
        build="gantk_augments.images:Shift",
        summary="move each image by some whole pixels, its border repeated",
    )
    add(
        "augment",
        "dequantise",
        options=DequantiseOptions,
        build="gantk_augments.images:Dequantise",
        summary="spread each grey level evenly over its width",
    )
