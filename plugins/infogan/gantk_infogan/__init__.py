"""InfoGAN: a reward for a generator whose codes can be read back from its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import hookimpl
from gantk_infogan.options import MutualInformationOptions

if TYPE_CHECKING:
    from gan_toolkit import Registry


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the regulariser."""
    registry.add(
        "regulariser",
        "mutual_information",
        options=MutualInformationOptions,
        build="gantk_infogan.mutual_information:MutualInformation",
        summary="a lower bound on the information between codes and samples (InfoGAN)",
    )
