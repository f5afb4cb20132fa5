"""Objectives: the two losses of the game."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the objectives."""
    registry.add(
        "objective",
        "non_saturating",
        build="gantk_objectives.non_saturating:NonSaturating",
        summary="logistic losses; the generator maximises log D(fake)",
    )
    registry.add(
        "objective",
        "minimax",
        build="gantk_objectives.minimax:Minimax",
        summary="the zero-sum game: the generator minimises log(1 - D(fake))",
    )
    registry.add(
        "objective",
        "hinge",
        build="gantk_objectives.hinge:Hinge",
        summary="margins for the critic, the plain score for the generator",
    )
