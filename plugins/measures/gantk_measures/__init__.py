"""Measures: what a generator's codes mean, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_measures.options import (
    BoundOptions,
    ClusteringOptions,
    ExplainedOptions,
    ModesOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the measures."""
    registry.add(
        "measure",
        "bound",
        options=BoundOptions,
        build="gantk_measures.bound:Bound",
        summary="nats of each code that can be read back from the samples",
    )
    registry.add(
        "measure",
        "clustering",
        options=ClusteringOptions,
        build="gantk_measures.clustering:Clustering",
        summary="whether the categories of a code are the labels of real data",
    )
    registry.add(
        "measure",
        "explained",
        options=ExplainedOptions,
        build="gantk_measures.explained:Explained",
        summary="share of each known factor of the data that a code decides",
    )
    registry.add(
        "measure",
        "modes",
        options=ModesOptions,
        build="gantk_measures.modes:Modes",
        summary="clusters of points that are covered, and which code chose them",
    )
