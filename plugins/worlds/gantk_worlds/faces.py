"""Grey faces with known pose, light and width, of people who differ."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from gan_toolkit import Dataset, Factor
from gantk_worlds.choice import Sibling, Source, choose
from gantk_worlds.heads import IDENTITY, Camera, Pose, heads, identity, lamp
from gantk_worlds.options import FacesOptions
from gantk_worlds.prepared import dataset
from gantk_worlds.rasteriser import Light, draw, together
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split

_SCORED = {
    "azimuth": (-1.2, 1.2),
    "elevation": (-0.3, 0.4),
    "light_azimuth": (-1.3, 1.3),
    "width": (0.75, 1.25),
}
_TONE = (0.6, 1.1)

_CAMERA = Camera(centre=(0.0, 0.1, -1.0), scale=0.5)
"""The neck leaves the picture below: where it is cut is never seen."""
_LIGHT_ELEVATION = 0.35
_AT_ONCE = 24  # fits the cache best
_SKIN = 0.85
_GREYS = {"lips": 0.55, "brows": 0.4, "white": 0.95, "iris": 0.25, "pupil": 0.05, "mouth": 0.2}


class FaceWorld(World):
    """Bald heads that turn, nod, are lit from the left or right and are narrow or wide.

    Identity and tone of the skin differ from sample to sample and are not scored.
    """

    name: ClassVar[str] = "faces-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = (
        "faces-synthetic: rendered by gan-toolkit from MakeHuman's CC0 mesh; no real data"
    )

    def __init__(self, size: int = 32, *, seed: int = 0, ss: int = 2, ground: float = 0.0) -> None:
        self.sample_shape = (1, size, size)
        self.options = {"size": size, "seed": seed, "ss": ss, "ground": ground}
        self._seed = seed
        self._ss = ss
        self._ground = ground
        self.factors = (
            *(
                Factor(
                    name, "continuous", low=low, high=high, unit="" if name == "width" else "rad"
                )
                for name, (low, high) in _SCORED.items()
            ),
            Factor("tone", "continuous", low=_TONE[0], high=_TONE[1], scored=False),
            *IDENTITY,
        )

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version}", self._seed, indices)
        ranges = {**_SCORED, "tone": _TONE}
        drawn = [streams.uniform(name, *span) for name, span in ranges.items()]
        return table([*drawn, *identity(streams)])

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 1, size, size) of factors (N, K)."""
        at_once = together(_AT_ONCE, self.sample_shape[-1] * self._ss)
        return torch.cat([self._drawn(some) for some in table.split(at_once)])

    def _drawn(self, table: Tensor) -> Tensor:
        factors = split(table, self.factors)
        people = heads(table.device, "skin", "eyes")
        pose = Pose(factors["azimuth"], factors["elevation"], factors["width"].float())
        skin = _SKIN * factors["tone"].float()[:, None]
        greys = {name: torch.full_like(skin, grey) for name, grey in _GREYS.items()}
        shape = people.shaped(table[:, -len(IDENTITY) :])
        light = lamp(factors["light_azimuth"], _LIGHT_ELEVATION)
        return draw(
            people.mesh(_CAMERA.see(shape, pose), people.painted(skin, greys)),
            len(table),
            self.sample_shape[-1],
            ss=self._ss,
            focal=_CAMERA.focal,
            light=Light(light, ambient=0.2, wrap=0.15),
            ground=self._ground,
        )


def faces(
    source: Source,
    root: str | None,
    size: int,
    count: int,
    held_out: int,
    seed: int,
    ss: int,
    ground: float,
    cache: str | None,
    sibling: Sibling,
) -> Dataset:
    """Return the real faces as their reader gives them, or rendered ones."""
    world = FaceWorld(size, seed=seed, ss=ss, ground=ground)
    return choose(
        source,
        partial(sibling, "dcign_faces", root=root, size=size),
        partial(dataset, world, count, held_out, cache),
        world.name,
        FacesOptions(),
        {
            "count": count,
            "held_out": held_out,
            "seed": seed,
            "ss": ss,
            "ground": ground,
            "cache": cache,
        },
    )
