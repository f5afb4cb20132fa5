"""Data sets with a choice: the real files where there are some, a world where there are none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from gan_toolkit import Dataset, MissingFilesError, Options, PluginError
from gantk_worlds.chairs import ChairWorld
from gantk_worlds.mesh_chairs import chairs_from_meshes
from gantk_worlds.options import Azimuths, ChairsOptions, Elevations, Licence
from gantk_worlds.prepared import dataset

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
    """Return the real chairs as their reader gives them, or rendered ones."""
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
    world = ChairWorld(
        size,
        seed=seed,
        ss=ss,
        azimuths=azimuths,
        elevations=elevations,
        models=models,
        free_width=free_width,
    )
    chosen = choose(
        source,
        partial(sibling, "rendered_chairs", root=root, size=size),
        partial(dataset, world, count, held_out, None if cache is None else Path(cache)),
        world.name,
    )
    if chosen.source == "real":
        given = (
            *(licence, count, held_out, seed, ss),
            *(azimuths, elevations, models, free_width, cache),
        )
        say_unused("chairs", ChairsOptions(), dict(zip(_OF_THE_WORLD, given, strict=True)))
    return chosen


def choose(
    source: str, real: Callable[[], Dataset], made: Callable[[], Dataset], name: str
) -> Dataset:
    """Return the real set, or the one made here, which is called `name`.

    With "auto" the latter stands in where files are missing, and says so. Files that are there but
    damaged are an error, not a reason to do without them.
    """
    if source == "synthetic":
        return made()
    try:
        return real()
    except (MissingFilesError, PluginError) as error:
        if source == "real":
            raise
        _log.info("%s: using %s, made here", getattr(error, "what", error), name)
    return made()


def say_unused(component: str, usual: Options, given: Mapping[str, Any]) -> None:
    """Tell which options were set though they change nothing about the real set."""
    unused = [name for name, value in given.items() if value != getattr(usual, name)]
    if unused:
        _log.info(
            "%s: the real set is used; these options have no effect on it: %s",
            component,
            ", ".join(unused),
        )
