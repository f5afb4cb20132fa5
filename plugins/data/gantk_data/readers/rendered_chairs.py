"""The real 3D Chairs renders: from the authors' tar or its folder to grey squares, once.

File names say everything: `<chair>/renders/image_III_pEEE_tAAA_rRRR.png` has elevation p and
azimuth t in whole degrees. The running number III has gaps and means nothing.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from math import tau
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Factor, RowWriter, data_folder, prepared
from gantk_data.archives import Tree, open_tree
from gantk_data.ingest import ingest
from gantk_data.limits import first
from gantk_data.options import Crop
from gantk_data.pictures import BadPictureError, decode
from gantk_data.sources import SOURCES

TURNS = 31
"""Azimuths of a full turn; file names round them down to degrees."""
ELEVATIONS = (20, 30)
_SIDE = 600
_BOX = (100, 100, 500, 500)
_VERSION = 1  # of this reader: raise it when the same files give other arrays
_SHOWN = 20
_VIEW = re.compile(
    r"(?:.*/)?(?P<chair>[^/]+)/renders/image_\d+_p(?P<p>\d{3})_t(?P<t>\d{3})_r\d+\.png"
)
_log = logging.getLogger("gantk")


class View(NamedTuple):
    """One render; views sort by chair, elevation, azimuth."""

    chair: str
    elevation: int
    """Degrees."""
    turn: int
    """Class of the azimuth, 0 … 30."""
    file: str


def rendered_chairs(
    root: str | Path | None, size: int, crop: Crop, limit: int | None
) -> ArrayDataset:
    """Return the chairs as grey (1, size, size), white behind, with their three factors."""
    source = SOURCES["rendered_chairs"]
    place = _locate(data_folder() if root is None else Path(root))
    with open_tree(place) as tree:
        key = {
            "version": _VERSION,
            "path": str(place.resolve()),
            "stamp": tree.stamp(),
            "size": size,
            "crop": crop,
            "limit": limit,
        }
        make = partial(_prepare, tree, size, crop, limit)
        ready = prepared("rendered_chairs", key, make)
    return ArrayDataset(
        source.title,
        "real",
        ready.arrays["images"],
        factors=ready.arrays["factors"],
        descriptions=(
            # A nuisance: no code of a useful size could tell so many models apart.
            Factor("model", "discrete", tuple(ready.facts["chairs"]), scored=False),
            Factor("azimuth", "circular", low=0.0, high=tau, unit="rad"),
            Factor("elevation", "discrete", tuple(str(degrees) for degrees in ELEVATIONS)),
        ),
        notice=source.notice,
        fingerprint=ready.fingerprint,
    )


def parse(files: Sequence[str], place: Path) -> list[View]:
    """Return the renders among `files`, sorted; all else (lists of names, notes) is left out."""
    views: dict[tuple[str, int, int], View] = {}
    for file in files:
        match = _VIEW.fullmatch(file)
        if match is None:
            continue
        turn = round(int(match["t"]) * TURNS / 360) % TURNS
        view = View(match["chair"], int(match["p"]), turn, file)
        if view.elevation not in ELEVATIONS:
            raise DataError(f"{place}: {file}: elevation {view.elevation} is none of {ELEVATIONS}")
        twin = views.setdefault(view[:3], view)
        if twin is not view:
            raise DataError(f"{place}: {file} shows the same view as {twin.file}")
    if not views:
        saw = f"saw {len(files):,} other files" + (f", the first is {files[0]}" if files else "")
        renders = "<id>/renders/image_III_pEEE_tAAA_rRRR.png"
        raise SOURCES["rendered_chairs"].missing([renders], [place], saw)
    return sorted(views.values())


def _locate(root: Path) -> Path:
    tar, folder = root / "rendered_chairs.tar", root / "rendered_chairs"
    if tar.is_file():
        return tar
    if folder.is_dir():
        return folder
    if next(root.glob("*/renders"), None):
        return root
    lacking = ["rendered_chairs.tar", "rendered_chairs/", "<id>/renders/"]
    raise SOURCES["rendered_chairs"].missing(lacking, [root])


def _prepare(
    tree: Tree, size: int, crop: Crop, limit: int | None, target: Path
) -> Mapping[str, Any]:
    names = tree.names()
    views = parse(names, tree.path)
    _report_odd(views)
    title = SOURCES["rendered_chairs"].title
    views = views[: first(limit, len(views), title)]
    _log.info("preparing %s pictures of %s, once; it takes minutes", f"{len(views):,}", tree.path)
    rows = {view.file: row for row, view in enumerate(views)}
    wanted = [name for name in names if name in rows]
    work = partial(_grey, place=tree.path, size=size, crop=crop)
    with RowWriter(target / "images.npy", (len(views), 1, size, size), title) as images:
        ingest(tree, wanted, work, images, rows)
    chairs = sorted({view.chair for view in views})
    np.save(target / "factors.npy", _factors(views, chairs))
    return {"chairs": chairs}


def _report_odd(views: list[View]) -> None:
    """Say in one line which chairs have other views than most."""
    seen: dict[str, set[tuple[int, int]]] = {}
    for view in views:
        seen.setdefault(view.chair, set()).add((view.elevation, view.turn))
    usual, _ = Counter(map(frozenset, seen.values())).most_common(1)[0]
    odd = [chair for chair, own in seen.items() if own != usual]
    if odd:
        more = f" and {len(odd) - _SHOWN:,} more" if len(odd) > _SHOWN else ""
        _log.warning(
            "3D Chairs: %s of %s chairs have other views than the %s of the rest: %s%s",
            f"{len(odd):,}",
            f"{len(seen):,}",
            len(usual),
            ", ".join(odd[:_SHOWN]),
            more,
        )


def _grey(name: str, data: bytes, place: Path, size: int, crop: Crop) -> NDArray[np.uint8]:
    """Return the picture as (1, size, size); DataError naming its file."""
    try:
        image = decode(io.BytesIO(data), only=(_SIDE, _SIDE))
    except BadPictureError as error:
        raise DataError(f"{place}: {name}: {error}") from error
    scaled = (
        image.resize((size, size), Image.Resampling.BILINEAR)
        if crop == "none"
        else image.resize((size, size), Image.Resampling.LANCZOS, box=_BOX)
    )
    colours = np.asarray(scaled.convert("RGB"), dtype=np.uint16)
    # The authors' grey is the plain mean; adding 1 first rounds to the nearest.
    return ((colours.sum(axis=2) + 1) // 3).astype(np.uint8)[None]


def _factors(views: list[View], chairs: list[str]) -> NDArray[np.float32]:
    index = {chair: number for number, chair in enumerate(chairs)}
    rows = [
        (index[view.chair], view.turn * tau / TURNS, ELEVATIONS.index(view.elevation))
        for view in views
    ]
    return np.array(rows, dtype=np.float32)
