"""Exporters: a trained generator in forms that other programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_exporters.options import ArraysOptions, ImagesOptions, OnnxOptions

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the exporters."""
    registry.add(
        "exporter",
        "onnx",
        options=OnnxOptions,
        build="gantk_exporters.graph:Onnx",
        summary="the generator as an ONNX file that says how to fill its input",
    )
    registry.add(
        "exporter",
        "images",
        options=ImagesOptions,
        build="gantk_exporters.images:Images",
        summary="a folder of PNGs with a table of their latents",
        trial={"count": 3},
    )
    registry.add(
        "exporter",
        "arrays",
        options=ArraysOptions,
        build="gantk_exporters.arrays:Arrays",
        summary="samples and their latents as two .npy files",
        trial={"count": 3},
    )
