"""Coloured heads with known pose, glasses, hair and smile, of people who differ."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from math import tau
from typing import ClassVar

import torch
from torch import Tensor

from gan_toolkit import Dataset, Factor
from gantk_worlds.choice import Sibling, Source, choose
from gantk_worlds.heads import IDENTITY, Camera, Pose, heads, identity, lamp
from gantk_worlds.options import ColourHeadsOptions
from gantk_worlds.prepared import dataset
from gantk_worlds.rasteriser import Light, draw, together
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split

_HAIRS = ("bald", "short", "long")
_STAND_OFF = (0.0, 0.06, 0.12)
"""How far each kind of hair stands off the scalp, in eye distances."""
_HAIR_COLOURS = {
    "black": (0.08, 0.07, 0.07),
    "brown": (0.30, 0.18, 0.10),
    "blond": (0.85, 0.66, 0.36),
    "red": (0.58, 0.23, 0.10),
    "grey": (0.62, 0.60, 0.58),
}
_IRIS_COLOURS = {
    "brown": (0.28, 0.16, 0.08),
    "blue": (0.25, 0.42, 0.66),
    "green": (0.30, 0.45, 0.25),
}
_SKINS = ((0.96, 0.76, 0.65), (0.78, 0.56, 0.42), (0.45, 0.29, 0.21))
"""Three tones; every skin is a mixture of two that follow each other."""
_LIPS = (0.85, 0.5, 0.5)
_PAINTS = {
    "white": (0.95, 0.95, 0.95),
    "pupil": (0.03, 0.03, 0.03),
    "teeth": (1.0, 0.98, 0.92),
    "mouth": (0.25, 0.08, 0.08),
    "frame": (0.05, 0.05, 0.07),
}

_AZIMUTH = (-0.8, 0.8)
_SMILE = (0.0, 1.2)
"""Times the smile of the asset; any value alike, from a closed mouth to a laugh."""
_NUISANCES = {
    "elevation": (-0.15, 0.2),
    "light_azimuth": (-0.9, 0.9),
    "skin": (0.0, 2.0),
    "skin_brightness": (0.85, 1.1),
    "ground_1_brightness": (0.15, 0.95),
    "ground_2_brightness": (0.15, 0.95),
}
_ANGLES = {"elevation", "light_azimuth", "ground_1_hue", "ground_2_hue", "ground_angle"}
_CIRCLES = ("ground_1_hue", "ground_2_hue", "ground_angle")

_CAMERA = Camera(centre=(0.0, -0.05, -0.9), scale=0.5)
_LIGHT_ELEVATION = 0.45
_AT_ONCE = 16
_PARTS = ("skin", "eyes", "teeth", "hair", "glasses")


class ColourHeadWorld(World):
    """Heads that turn and smile, with and without glasses, bald or with short or long hair.

    People, their colours, the light and the ground differ from sample to sample and are not scored.
    """

    name: ClassVar[str] = "colour-heads-synthetic"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = (
        "colour-heads-synthetic: rendered by gan-toolkit from MakeHuman's CC0 mesh; no real data"
    )

    def __init__(self, size: int = 32, *, seed: int = 0, ss: int = 2) -> None:
        self.sample_shape = (3, size, size)
        self.options = {"size": size, "seed": seed, "ss": ss}
        self._seed = seed
        self._ss = ss
        self.factors = (*_scored(), *_nuisances(), *IDENTITY)

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version}", self._seed, indices)
        drawn = [
            streams.below(factor.name, len(factor.values))
            if factor.kind == "discrete"
            else streams.uniform(factor.name, factor.low, factor.high)
            for factor in (*_scored(), *_nuisances())
        ]
        return table([*drawn, *identity(streams)])

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 3, size, size) of factors (N, K)."""
        at_once = together(_AT_ONCE, self.sample_shape[-1] * self._ss)
        return torch.cat([self._drawn(some) for some in table.split(at_once)])

    def _drawn(self, table: Tensor) -> Tensor:
        factors = split(table, self.factors)
        people = heads(table.device, *_PARTS)
        shape = people.shaped(table[:, -len(IDENTITY) :])
        shape += people.smile[:, :, None] * factors["smile"].float()
        shape += people.volume[:, :, None] * _chosen(_STAND_OFF, factors["hair"])
        worn = {"hair": factors["hair"] == _HAIRS.index("long"), "glasses": factors["glasses"] == 1}
        seen = _CAMERA.see(shape, Pose(factors["azimuth"], factors["elevation"]))
        size = self.sample_shape[-1]
        light = lamp(factors["light_azimuth"], _LIGHT_ELEVATION)
        return draw(
            people.mesh(seen, people.painted(*_colours(factors)), worn),
            len(table),
            size,
            ss=self._ss,
            focal=_CAMERA.focal,
            light=Light(light, ambient=0.36, wrap=0.25),
            ground=_ground(factors, size * self._ss),
        )


def colour_heads(
    source: Source,
    root: str | None,
    size: int,
    count: int,
    held_out: int,
    seed: int,
    ss: int,
    cache: str | None,
    sibling: Sibling,
) -> Dataset:
    """Return CelebA as its reader gives it, or rendered heads."""
    world = ColourHeadWorld(size, seed=seed, ss=ss)
    return choose(
        source,
        partial(sibling, "celeba", root=root, size=size),
        partial(dataset, world, count, held_out, cache),
        world.name,
        ColourHeadsOptions(),
        {"count": count, "held_out": held_out, "seed": seed, "ss": ss, "cache": cache},
    )


def _scored() -> tuple[Factor, ...]:
    return (
        Factor("azimuth", "continuous", low=_AZIMUTH[0], high=_AZIMUTH[1], unit="rad"),
        Factor("glasses", "discrete", ("no", "yes")),
        Factor("hair", "discrete", _HAIRS),
        Factor("smile", "continuous", low=_SMILE[0], high=_SMILE[1]),
    )


def _nuisances() -> tuple[Factor, ...]:
    ranges = {**_NUISANCES, **dict.fromkeys(_CIRCLES, (0.0, tau))}
    return (
        *(
            Factor(
                name,
                "circular" if name in _CIRCLES else "continuous",
                low=low,
                high=high,
                unit="rad" if name in _ANGLES else "",
                scored=False,
            )
            for name, (low, high) in ranges.items()
        ),
        Factor("hair_colour", "discrete", tuple(_HAIR_COLOURS), scored=False),
        Factor("iris_colour", "discrete", tuple(_IRIS_COLOURS), scored=False),
    )


def _chosen(values: Sequence[float | tuple[float, ...]], index: Tensor) -> Tensor:
    """Return the value or colour, (B,) or (B, 3), at each index (B,) of a column."""
    return index.new_tensor(values)[index.long()].float()


def _colours(factors: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the colours (B, 3) of skin and of the materials on it."""
    skin = _skin(factors["skin"], factors["skin_brightness"])
    hair = _chosen(list(_HAIR_COLOURS.values()), factors["hair_colour"])
    bald = (factors["hair"] == _HAIRS.index("bald"))[:, None]
    colours = {name: skin.new_tensor(rgb).expand_as(skin) for name, rgb in _PAINTS.items()}
    return skin, colours | {
        "lips": skin * skin.new_tensor(_LIPS),
        "brows": 0.3 * skin + 0.5 * hair,
        "scalp": torch.where(bald, skin, hair),
        "hair": hair,
        "iris": _chosen(list(_IRIS_COLOURS.values()), factors["iris_colour"]),
    }


def _skin(place: Tensor, brightness: Tensor) -> Tensor:
    """Return colours (B, 3) on the way through the tones, one step from each to the next."""
    place = place.float()[:, None]
    tones = [place.new_tensor(tone) for tone in _SKINS]
    mixed = tones[0].expand(len(place), 3)
    for number, (before, after) in enumerate(pairwise(tones)):
        mixed = mixed + (place - number).clamp(0, 1) * (after - before)
    return mixed * brightness.float()[:, None]


def _ground(factors: dict[str, Tensor], side: int) -> Tensor:
    """Return gradients (B, side, side, 3) from one colour to another across the picture."""
    first, second = (
        _pastel(factors[f"ground_{end}_hue"], factors[f"ground_{end}_brightness"]) for end in (1, 2)
    )
    angle = factors["ground_angle"][:, None, None]
    steps = (torch.arange(side, device=angle.device) + 0.5) / side - 0.5
    along = angle.cos() * steps + angle.sin() * steps[:, None]
    share = (0.5 + along).clamp(0, 1).float()[..., None]
    return first[:, None, None] + share * (second - first)[:, None, None]


def _pastel(hue: Tensor, brightness: Tensor) -> Tensor:
    """Return weak colours (B, 3), float32, all round the colour circle."""
    channels = [0.75 + 0.25 * (hue - third * (tau / 3)).cos() for third in range(3)]
    return (brightness[:, None] * torch.stack(channels, dim=1)).float()
