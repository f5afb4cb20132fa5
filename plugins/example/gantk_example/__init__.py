"""An example to copy: a latent, a regulariser, and a recipe that uses both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_example.options import DialOptions, DiversityOptions

if TYPE_CHECKING:
    from gan_toolkit import Registry

GANTK_API = (1, 0)


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the components; `build` is imported when a recipe uses one."""
    registry.add(
        "latent",
        "dial",
        options=DialOptions,
        build="gantk_example.dial:Dial",
        summary="one of K equally likely steps on a line",
        trial={"steps": 5},  # what checks set where there is no default
    )
    registry.add(
        "regulariser",
        "diversity",
        options=DiversityOptions,
        build="gantk_example.diversity:Diversity",
        summary="a penalty when different latents give the same sample (mode seeking)",
    )


@hookimpl
def gantk_recipes() -> list[Path]:
    """Offer the recipes, as `example:<name>`."""
    return [Path(__file__).parent / "recipes"]
