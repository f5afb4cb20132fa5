"""What moves the players: optimisers, ramps for any number in a recipe, and the averaged generator.

The ramps and the average live in the core, which needs them; here they get their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_optimisers.options import (
    AdamOptions,
    EmaOptions,
    RampOptions,
    RmspropOptions,
    SgdOptions,
)

if TYPE_CHECKING:
    from gan_toolkit import Registry

_RAMP = {"from": 1.0, "to": 0.5, "over": 20, "start": 10}


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer optimisers, schedules and the average."""
    registry.add(
        "optimiser",
        "adam",
        options=AdamOptions,
        build="gantk_optimisers.optimisers:adam",
        summary="Adam: the usual choice for both players",
    )
    registry.add(
        "optimiser",
        "sgd",
        options=SgdOptions,
        build="gantk_optimisers.optimisers:sgd",
        summary="plain gradient steps, with momentum if wanted",
    )
    registry.add(
        "optimiser",
        "rmsprop",
        options=RmspropOptions,
        build="gantk_optimisers.optimisers:rmsprop",
        summary="steps scaled by the running size of each gradient",
    )
    registry.add(
        "schedule",
        "linear",
        options=RampOptions,
        build="gan_toolkit.schedules:Linear",
        summary="from one number to another in a straight line",
        trial=_RAMP,
    )
    registry.add(
        "schedule",
        "cosine",
        options=RampOptions,
        build="gan_toolkit.schedules:Cosine",
        summary="from one number to another along half a cosine",
        trial=_RAMP,
    )
    registry.add(
        "averaging",
        "ema",
        options=EmaOptions,
        build="gan_toolkit.averaging:ExponentialAverage",
        summary="exponential moving average of the generator's weights",
    )
