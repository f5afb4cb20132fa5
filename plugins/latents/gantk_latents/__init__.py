"""Latents: categories, numbers on an interval, normal numbers, angles on a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_latents.options import (
    CategoricalOptions,
    CircularOptions,
    GaussianOptions,
    UniformOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the latents."""
    registry.add(
        "latent",
        "categorical",
        options=CategoricalOptions,
        build="gantk_latents.categorical:Categorical",
        summary="one of K equally likely categories, as a one-hot row",
        trial={"categories": 3},
    )
    registry.add(
        "latent",
        "uniform",
        options=UniformOptions,
        build="gantk_latents.uniform:Uniform",
        summary="numbers spread evenly over an interval",
    )
    registry.add(
        "latent",
        "gaussian",
        options=GaussianOptions,
        build="gantk_latents.gaussian:Gaussian",
        summary="independent standard normal numbers",
    )
    registry.add(
        "latent",
        "circular",
        options=CircularOptions,
        build="gantk_latents.circular:Circular",
        summary="angles spread evenly over the circle, as (cos, sin)",
    )
