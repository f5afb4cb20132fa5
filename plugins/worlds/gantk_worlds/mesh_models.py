"""Models of chairs: where they are looked for, and their triangles ready to be turned and drawn."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_toolkit import DataError, data_folder
from gantk_worlds import facts
from gantk_worlds.mesh_catalogue import Listed, listed_in_pack, printable
from gantk_worlds.mesh_files import open_files
from gantk_worlds.obj import Model, read_obj
from gantk_worlds.options import Licence
from gantk_worlds.rasteriser import RADIUS

INSTALLED = Path(facts.INSTALLED)
MOST_TRIANGLES = 6_000_000
_CC0 = re.compile(r"public domain|cc[- ]?0\b|cc zero", re.IGNORECASE)
_FLAT = 1e-9
_log = logging.getLogger("gantk")


@dataclass(frozen=True)
class Found:
    """Models, and texts that change when their files do."""

    models: tuple[Listed, ...]
    stamps: tuple[str, ...]


class Shape(NamedTuple):
    """A model ready to be turned: T triangles between V places in the sphere that is seen."""

    places: Tensor
    """float32 (V, 3)"""
    faces: Tensor
    """int32 (T, 3): the places of its corners."""
    grey: Tensor
    """float32 (T,)"""


def find_models(root: str | Path | None, licence: Licence) -> Found:
    """Return the chairs in `<root>/chair_meshes`, else those of the installed package.

    MissingFilesError if there are none, naming both places and what gets them.
    """
    own = (data_folder() if root is None else Path(root)) / facts.MESHES
    for place in (own, INSTALLED):
        listed = [(stamp, _allowed(models, licence)) for stamp, models in _listed(place)]
        if used := [(stamp, models) for stamp, models in listed if models]:
            stamps, models = zip(*used, strict=True)
            return Found(tuple(model for some in models for model in some), stamps)
    wanted = "models" if licence == "any" else "models under CC0"
    raise facts.CHAIR_MODELS.missing([wanted, "*.sh3f", "**/*.obj"], [own, INSTALLED])


def load(models: Sequence[Listed], widest: float) -> list[Shape]:
    """Return the shapes of models; DataError naming the one that can't be read.

    Stretched to `widest` times their width, they still lie within the sphere.
    """
    shapes, triangles = [], 0
    for place, some in groupby(models, lambda model: model.place):
        _log.info("reading models of chairs in %s", place)
        with open_files(place) as files:
            for listed in some:
                model = read_obj(files, listed.file)
                triangles += len(model.faces)
                if triangles > MOST_TRIANGLES:
                    fault = f"with this one, models have more than {MOST_TRIANGLES:,} triangles"
                    raise DataError(f"{place}: {listed.file}: {fault}; use fewer")
                shapes.append(_shape(model, fitted(model.places, listed, widest)))
    return shapes


def fitted(places: NDArray[np.float64], listed: Listed, widest: float = 1.0) -> NDArray[np.float64]:
    """Return the places (V, 3) of a model, turned, stretched, centred and scaled."""
    if listed.rotation is not None:
        places = places @ np.array(listed.rotation).reshape(3, 3).T
    low, high = places.min(axis=0), places.max(axis=0)
    places = places - 0.5 * (low + high)
    if listed.size is not None:
        extent = np.where(high - low > _FLAT, high - low, np.inf)  # what is flat stays so
        places = places * (np.array(listed.size) / extent)
    radius = np.linalg.norm(places * (widest, 1.0, 1.0), axis=1).max()
    if radius <= _FLAT:
        raise DataError(f"{listed.place}: {listed.file}: all its faces lie in one point")
    return places * (RADIUS / radius)


def _shape(model: Model, places: NDArray[np.float64]) -> Shape:
    return Shape(
        torch.from_numpy(places).float(),
        torch.from_numpy(model.faces).int(),
        torch.from_numpy(model.grey).float(),
    )


def _listed(place: Path) -> list[tuple[str, list[Listed]]]:
    """Return the stamp and the models of each pack in a place, and of the OBJ files below it."""
    found = []
    for pack in sorted(place.glob("*.sh3f")):
        with open_files(pack) as files:
            found.append((files.stamp, listed_in_pack(files)))
    if place.is_dir() and place != INSTALLED:
        with open_files(place) as files:
            found.append((files.stamp, _loose(place, files.sizes)))
    return found


def _loose(place: Path, names: Iterable[str]) -> list[Listed]:
    return [
        Listed(
            place=place,
            file=name,
            name=printable(name.rpartition(".")[0]),
            pack=place.name,
            creator="unknown",
            licence="terms of the data: check",
        )
        for name in names
        if name.lower().endswith(".obj")
    ]


def _allowed(models: list[Listed], licence: Licence) -> list[Listed]:
    return [model for model in models if licence == "any" or _CC0.match(model.licence)]
