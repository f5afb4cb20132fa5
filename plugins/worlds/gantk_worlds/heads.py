"""Heads of people who don't exist: MakeHuman's CC0 mesh, mixed from a few components.

`heads.npz` is made by `plugins/worlds/head_asset/build.py`; `heads_notice.md` says from what.
B heads, V vertices, F triangles, K components, M materials, C colour channels. Lengths are eye
distances; the middle of the eyes is the origin, y up, the face towards +z.

Only elementwise arithmetic in a fixed order: a head does not depend on those around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_toolkit import Factor
from gantk_worlds.rasteriser import EYE, Mesh, turn
from gantk_worlds.streams import Streams

PARTS = ("skin", "eyes", "teeth", "hair", "glasses")
MATERIALS = ("lips", "brows", "scalp", "white", "iris", "pupil", "teeth", "mouth", "hair", "frame")
COMPONENTS = 24
"""Coefficients of a head's identity."""
LIMIT = 3.0
"""Coefficients of identity are kept within so many standard deviations."""

_FILE = Path(__file__).with_name("heads.npz")
_BACK = 0.45
"""How much of its light the inner side of a surface shows."""

IDENTITY = tuple(
    Factor(f"identity_{number + 1}", "continuous", low=-LIMIT, high=LIMIT, scored=False)
    for number in range(COMPONENTS)
)


def identity(streams: Streams) -> list[Tensor]:
    """Draw the coefficients of people, standard normal within the limit."""
    return [streams.normal(factor.name).clamp(-LIMIT, LIMIT) for factor in IDENTITY]


def lamp(azimuth: Tensor, elevation: float) -> Tensor:
    """Return unit directions (B, 3) to lamps at these angles from the eye."""
    level = cos(elevation)
    x, z = level * azimuth.sin(), level * azimuth.cos()
    return torch.stack([x, torch.full_like(x, sin(elevation)), z], dim=1).float()


@dataclass(frozen=True)
class Pose:
    """How heads stand before the camera, (B,) each; radians, and a factor of their width."""

    azimuth: Tensor
    elevation: Tensor
    width: Tensor | None = None


@dataclass(frozen=True)
class Camera:
    """What of a head the picture shows: the place it turns about, and its size."""

    centre: tuple[float, float, float]
    scale: float
    focal: float = 3.3

    def see(self, vertices: Tensor, pose: Pose) -> Tensor:
        """Return vertices (V, 3, B) as the rasteriser wants them."""
        x, y, z = (
            part - middle for part, middle in zip(vertices.unbind(1), self.centre, strict=True)
        )
        if pose.width is not None:
            x = x * pose.width
        places = torch.stack([x, y, z], dim=-1) * self.scale
        return turn(places, pose.azimuth, pose.elevation).permute(0, 2, 1).contiguous()


@dataclass(frozen=True)
class Heads:
    """The parts of the asset that a world draws, on its device."""

    mean: Tensor
    """(V, 3)."""
    components: Tensor
    """(K, V, 3), for coefficients of variance 1."""
    smile: Tensor
    """(V, 3), a full smile."""
    volume: Tensor
    """(V, 3), how hair stands off the scalp: one eye distance far."""
    triangles: Tensor
    """(F, 3), wound so that they look outwards."""
    part: Tensor
    """(F,) places in `PARTS`."""
    material: Tensor
    """(V,) places in `MATERIALS`."""
    share: Tensor
    """(V,) how much of the material covers the skin, 0 … 1."""
    around: Tensor
    """(D, V) triangles that meet at each vertex; F where there are fewer than D."""

    def shaped(self, coefficients: Tensor) -> Tensor:
        """Return the vertices (V, 3, B) of people with these coefficients (B, K)."""
        shape = self.mean[:, :, None].repeat(1, 1, len(coefficients))
        for component, amount in zip(self.components, coefficients.unbind(1), strict=True):
            shape += component[:, :, None] * amount
        return shape

    def painted(self, skin: Tensor, colours: Mapping[str, Tensor]) -> Tensor:
        """Return the albedo (V, B, C) of vertices, from (B, C) of skin and other materials.

        A material without a colour looks like skin.
        """
        of_material = torch.stack([colours.get(name, skin) for name in MATERIALS])
        return skin + self.share[:, None, None] * (of_material[self.material] - skin)

    def mesh(self, seen: Tensor, albedo: Tensor, worn: Mapping[str, Tensor] | None = None) -> Mesh:
        """Return the triangles that face the eye, of vertices (V, 3, B) seen by a camera.

        `worn` tells, part by part, which heads (B,) show it; all do if it does not tell. Hair shows
        its inner side too.
        """
        count = seen.shape[-1]
        x, y, z = seen.unbind(1)
        normals, faces = self._normals(x, y, z)
        hair = (self.part == PARTS.index("hair"))[:, None]
        shown = faces | hair
        for name, which in (worn or {}).items():
            shown &= (self.part != PARTS.index(name))[:, None] | which
        picture, triangle = shown.T.nonzero().unbind(1)
        corner = (self.triangles.index_select(0, triangle) * count + picture[:, None]).flatten()

        def at_corners(parts: Sequence[Tensor]) -> Tensor:
            flat = torch.stack(tuple(parts), dim=-1).flatten(0, 1)
            return flat.index_select(0, corner).unflatten(0, (-1, 3))

        light = torch.where(faces.T[picture, triangle], 1.0, _BACK)
        colour = at_corners(albedo.unbind(-1)) * light[:, None, None]
        return Mesh(at_corners((x, y, z)), picture, colour, at_corners(normals))

    def _normals(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return unit normals of vertices (V, B), by axis, and which triangles (F, B) face the eye.

        Sums over the triangles that meet, each as heavy as its area, in one order: sums by
        scattered addition would differ from run to run on CUDA.
        """
        ax, ay, az, bx, by, bz, cx, cy, cz = (
            part.index_select(0, corner)
            for corner in self.triangles.unbind(1)
            for part in (x, y, z)
        )
        px, py, pz, qx, qy, qz = bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az
        of_face = (py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx)
        faces = of_face[2] * (EYE - az) - of_face[0] * ax - of_face[1] * ay > 0
        sums = []
        for part in of_face:
            padded = torch.cat([part, part.new_zeros(1, part.shape[1])])
            total = padded.index_select(0, self.around[0])
            for triangle in self.around[1:]:
                total += padded.index_select(0, triangle)
            sums.append(total)
        nx, ny, nz = sums
        length = (nx * nx + ny * ny + nz * nz).sqrt().clamp_min(1e-12)
        return tuple(part / length for part in sums), faces


@cache
def heads(device: torch.device, *parts: str) -> Heads:
    """Return the named parts of the asset, with the vertices that they use."""
    with np.load(_FILE, allow_pickle=False) as arrays:
        held = {name: arrays[name] for name in arrays.files}
    wanted = np.isin(held["part"], [PARTS.index(part) for part in parts])
    used, triangles = np.unique(held["triangles"][wanted], return_inverse=True)
    triangles = triangles.reshape(-1, 3)

    def tensor(array: NDArray[Any], kind: torch.dtype = torch.float32) -> Tensor:
        return torch.from_numpy(array).to(device, kind)

    return Heads(
        mean=tensor(held["low"] + held["step"] * held["mean"][used]),
        components=tensor(held["components"][:, used] * held["component_steps"][:, None, None]),
        smile=tensor(held["smile"][used] * held["smile_step"]),
        volume=tensor(held["volume"][used] * held["volume_step"]),
        triangles=tensor(triangles, torch.int64),
        part=tensor(held["part"][wanted], torch.int64),
        material=tensor(held["material"][used], torch.int64),
        share=tensor(held["share"][used] / 255),
        around=tensor(_around(triangles, len(used)), torch.int64),
    )


def _around(triangles: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Return the triangles (D, V) that meet at each vertex, in their order; F fills the rest."""
    corners = triangles.ravel()
    order = np.argsort(corners, kind="stable")
    valence = np.bincount(corners, minlength=count)
    place = np.arange(len(corners)) - np.repeat(valence.cumsum() - valence, valence)
    found = np.full((valence.max(), count), len(triangles))
    found[place, corners[order]] = order // 3
    return found
