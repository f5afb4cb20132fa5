"""Chairs of three sources: the real renders, models made by others, or chairs made here."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Literal

from gan_toolkit import Dataset
from gantk_worlds.chairs import ChairWorld
from gantk_worlds.choice import Sibling, choose
from gantk_worlds.mesh_chairs import chairs_from_meshes
from gantk_worlds.options import Azimuths, ChairsOptions, Elevations, Licence
from gantk_worlds.prepared import dataset

_log = logging.getLogger("gantk")


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
    """Return the real chairs as their reader gives them, or rendered ones."""
    look: dict[str, Any] = {
        "seed": seed,
        "ss": ss,
        "azimuths": azimuths,
        "elevations": elevations,
        "models": models,
        "free_width": free_width,
    }
    own = {"count": count, "held_out": held_out, **look, "cache": cache}
    if source == "meshes":
        return chairs_from_meshes(root=root, licence=licence, size=size, **own)
    if licence != "any":
        _log.info('chairs: licence = "%s" has no effect: it chooses among meshes', licence)
    world = ChairWorld(size, **look)
    return choose(
        source,
        partial(sibling, "rendered_chairs", root=root, size=size),
        partial(dataset, world, count, held_out, cache),
        world.name,
        ChairsOptions(),
        own,
    )
