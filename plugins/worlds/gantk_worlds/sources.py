"""Data sets with a choice: the real files where there are some, a world where there are none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from gan_toolkit import Dataset, data_folder
from gantk_worlds.chairs import ChairWorld
from gantk_worlds.mesh_chairs import chairs_from_meshes
from gantk_worlds.options import Azimuths, ChairsOptions, Elevations, Licence
from gantk_worlds.prepared import dataset

_READER = "rendered_chairs"
_PLACES = ("rendered_chairs.tar", "rendered_chairs", "*/renders")
"""Where the real renders may lie below the data folder."""
_OF_THE_WORLD = (
    *("licence", "count", "held_out", "seed", "ss"),
    *("azimuths", "elevations", "models", "free_width", "cache"),
)
_log = logging.getLogger("gantk")


class Sibling(Protocol):
    """Builds another registered data set."""

    def __call__(self, use: str, **options: Any) -> Dataset:
        """Raise DataError when its files are missing, PluginError when nobody offers it."""


def chairs(
    source: Literal["auto", "real", "meshes", "synthetic"],
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
    sibling: Sibling,
) -> Dataset:
    """Return the real chairs as their reader gives them, or rendered ones.

    With `auto`, files that are there but damaged are an error, not a reason to render.
    """
    if source == "meshes":
        return chairs_from_meshes(
            root=root,
            licence=licence,
            size=size,
            count=count,
            held_out=held_out,
            seed=seed,
            ss=ss,
            azimuths=azimuths,
            elevations=elevations,
            models=models,
            free_width=free_width,
            cache=cache,
        )
    place = data_folder() if root is None else Path(root)
    if source == "real" or (source == "auto" and _has_renders(place)):
        unused = (
            *(licence, count, held_out, seed, ss),
            *(azimuths, elevations, models, free_width, cache),
        )
        _say_unused(dict(zip(_OF_THE_WORLD, unused, strict=True)))
        return sibling(_READER, root=root, size=size)
    if source == "auto":
        _log.info("no real chairs in %s: using %s, rendered here", place, ChairWorld.name)
    world = ChairWorld(
        size,
        seed=seed,
        ss=ss,
        azimuths=azimuths,
        elevations=elevations,
        models=models,
        free_width=free_width,
    )
    return dataset(world, count, held_out, None if cache is None else Path(cache))


def _has_renders(place: Path) -> bool:
    return any(next(place.glob(pattern), None) is not None for pattern in _PLACES)


def _say_unused(options: Mapping[str, Any]) -> None:
    """Tell which options were set and change nothing about the real chairs."""
    usual = ChairsOptions()
    unused = [name for name, value in options.items() if value != getattr(usual, name)]
    if unused:
        _log.info(
            "chairs: the real renders are used; these options have no effect on them: %s",
            ", ".join(unused),
        )
