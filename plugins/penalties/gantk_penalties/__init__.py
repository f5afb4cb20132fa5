"""Penalties: terms that keep the critic smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the penalties."""
    registry.add(
        "regulariser",
        "r1",
        build="gantk_penalties.r1:R1",
        summary="squared gradient of the critic's score at real samples; weight is gamma",
    )
