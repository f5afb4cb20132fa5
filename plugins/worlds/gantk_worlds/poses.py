"""How chairs are turned and seen: any azimuth or the real set's 31, any elevation or its two."""

from __future__ import annotations

from dataclasses import dataclass
from math import tau

from torch import Tensor

from gan_toolkit import Factor
from gantk_worlds.options import Azimuths, Elevations
from gantk_worlds.streams import Streams

TURNS = 31
"""Azimuths of the real set's full turn."""
ELEVATIONS = (20.0, 30.0)
"""Degrees; the real set's two."""


@dataclass(frozen=True)
class Poses:
    """Azimuth and elevation, the first two factors of a chair."""

    azimuths: Azimuths
    elevations: Elevations

    @property
    def factors(self) -> tuple[Factor, Factor]:
        """Return how the two are described."""
        low, high = ELEVATIONS
        elevation = (
            Factor("elevation", "discrete", tuple(f"{degrees:g}" for degrees in ELEVATIONS))
            if self.elevations == "two"
            else Factor("elevation", "continuous", low=low, high=high, unit="deg")
        )
        return Factor("azimuth", "circular", low=0.0, high=tau, unit="rad"), elevation

    def draw(self, streams: Streams) -> list[Tensor]:
        """Return the columns azimuth and elevation, (N,) each."""
        azimuth = (
            streams.below("azimuth", TURNS) * (tau / TURNS)
            if self.azimuths == "31"
            else streams.uniform("azimuth", 0, tau)
        )
        elevation = (
            streams.below("elevation", len(ELEVATIONS))
            if self.elevations == "two"
            else streams.uniform("elevation", *ELEVATIONS)
        )
        return [azimuth, elevation]

    def degrees(self, elevation: Tensor) -> Tensor:
        """Return a column of elevations (N,) in degrees."""
        if self.elevations == "continuous":
            return elevation
        return elevation.new_tensor(ELEVATIONS)[elevation.long()]
