"""Other people's models of chairs, rendered grey on white with known pose and width.

Each model is scaled into the sphere that is seen, so its size is not to be seen; its width is, as
a stretch of that model.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate, groupby
from math import pi
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor
from gantk_worlds.mesh_models import Found, Shape, find_models, load
from gantk_worlds.options import Azimuths, Elevations, Licence
from gantk_worlds.poses import Poses
from gantk_worlds.prepared import dataset
from gantk_worlds.rasteriser import FOCAL, Light, Mesh, draw, together, turn
from gantk_worlds.streams import Streams, table
from gantk_worlds.world import World, split

_WIDTHS = (0.8, 1.2)
_AT_ONCE = 48
_TRIANGLES = 150_000
"""Drawn at once: models have 100 to 45,000 each, and memory must stay small."""
_log = logging.getLogger("gantk")


class MeshChairsWorld(World):
    """Chairs from models: which model, from where, and, with `free_width`, how stretched."""

    name: ClassVar[str] = "chairs-meshes"
    source: ClassVar[str] = "meshes"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "chairs-meshes: rendered by gan-toolkit from models made by others"

    def __init__(
        self,
        found: Found,
        size: int = 64,
        *,
        seed: int = 0,
        ss: int = 2,
        azimuths: Azimuths = "continuous",
        elevations: Elevations = "two",
        free_width: bool = True,
    ) -> None:
        self.sample_shape = (1, size, size)
        self.options = {
            "size": size,
            "seed": seed,
            "ss": ss,
            "azimuths": azimuths,
            "elevations": elevations,
            "free_width": free_width,
            "models": [model.name for model in found.models],
            "stamps": list(found.stamps),
        }
        self.credit = _credit(found)
        self._found = found
        self._seed = seed
        self._ss = ss
        self._poses = Poses(azimuths, elevations)
        self._widths = _WIDTHS if free_width else (1.0, 1.0)
        self.factors = self._describe(free_width)

    def works(self) -> list[dict[str, str]]:
        """Return name, creator and licence of each model."""
        return [
            {"name": model.name, "creator": model.creator, "licence": model.licence}
            for model in self._found.models
        ]

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K) of the samples at `indices` (N,)."""
        streams = Streams(f"{self.name} {self.version} sample", self._seed, indices)
        drawn = {
            "width": streams.uniform("width", *_WIDTHS),
            "model": streams.below("model", len(self._found.models)),
        }
        asked = (drawn[factor.name] for factor in self.factors if factor.name in drawn)
        return table([*self._poses.draw(streams), *asked])

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 1, size, size) of factors (N, K)."""
        size = self.sample_shape[-1]
        pictures = [table.new_empty((0, 1, size, size), dtype=torch.uint8)]
        for some, shapes in self._batches(table):
            mesh = self._build(some, shapes)
            pictures.append(draw(mesh, len(some), size, ss=self._ss, focal=FOCAL, light=Light()))
        return torch.cat(pictures)

    @cached_property
    def _shapes(self) -> list[Shape]:
        return load(self._found.models, self._widths[1])

    def _batches(self, table: Tensor) -> Iterator[tuple[Tensor, list[Shape]]]:
        """Yield the rows of a table in order with their shapes, as many as memory allows."""
        start = triangles = 0
        at_once = together(_AT_ONCE, self.sample_shape[-1] * self._ss)
        shapes = [self._shapes[int(model)] for model in table[:, self.column("model")].tolist()]
        for row, shape in enumerate(shapes):
            triangles += len(shape.faces)
            if row > start and (triangles > _TRIANGLES or row - start == at_once):
                yield table[start:row], shapes[start:row]
                start, triangles = row, len(shape.faces)
        if shapes:
            yield table[start:], shapes[start:]

    def _build(self, table: Tensor, shapes: list[Shape]) -> Mesh:
        """Return the triangles of chairs given by their factors, turned towards the camera."""
        chairs = split(table, self.factors)
        places, faces, grey, owner, picture = (x.to(table.device) for x in _together(shapes))
        if "width" in chairs:
            places[:, 0] *= chairs["width"].float()[owner]
        elevation = self._poses.degrees(chairs["elevation"]) * (pi / 180)
        turned = turn(places, chairs["azimuth"][owner], elevation[owner])
        return Mesh(turned[faces], picture, grey[:, None])

    def _describe(self, free_width: bool) -> tuple[Factor, ...]:
        low, high = _WIDTHS
        width = Factor("width", "continuous", low=low, high=high)
        names = tuple(model.name for model in self._found.models)
        # A nuisance: no code of a useful size could tell so many models apart.
        model = Factor("model", "discrete", names, scored=False)
        return (*self._poses.factors, *([width] if free_width else []), model)


def chairs_from_meshes(
    root: str | None,
    licence: Licence,
    size: int,
    count: int,
    held_out: int,
    seed: int,
    ss: int,
    azimuths: Azimuths,
    elevations: Elevations,
    models: int | None,
    free_width: bool,
    cache: str | None,
) -> ArrayDataset:
    """Return chairs rendered from the models that are found; DataError if there are none."""
    if models is not None:
        _log.info(
            "chairs: models = %d has no effect on meshes: all that are found are used", models
        )
    world = MeshChairsWorld(
        find_models(root, licence),
        size,
        seed=seed,
        ss=ss,
        azimuths=azimuths,
        elevations=elevations,
        free_width=free_width,
    )
    return dataset(world, count, held_out, None if cache is None else Path(cache))


def _together(shapes: list[Shape]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return places, faces and grey of all shapes, and whose each place and each face is."""
    starts = [0, *accumulate(len(shape.places) for shape in shapes)]
    faces = [shape.faces + start for start, shape in zip(starts, shapes, strict=False)]
    places, of_place = _owned([shape.places for shape in shapes])
    grey, of_face = _owned([shape.grey for shape in shapes])
    return places, torch.cat(faces), grey, of_place, of_face


def _owned(parts: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return parts end to end, and the number of the part that each row comes from."""
    lengths = torch.tensor([len(part) for part in parts], device="cpu")
    return torch.cat(parts), torch.repeat_interleave(lengths)


def _credit(found: Found) -> str:
    """Return the creators of the models, pack by pack, with the licence of each pack."""
    packs = []
    for (pack, licence), models in groupby(found.models, lambda m: (m.pack, m.licence)):
        creators = sorted({model.creator for model in models})
        packs.append(f"{pack} by {', '.join(creators)} ({licence})")
    return "; ".join(packs)
