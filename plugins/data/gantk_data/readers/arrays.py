"""Images or points that somebody has as an array: a `.npy` file, or a member of an `.npz`.

A `.npy` file of uint8 images is mapped as it is. What must be changed, because channels come
last or values are floats, is streamed once into prepared rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, RowWriter
from gantk_data.archives.trees import file_stamp, shown
from gantk_data.array_meanings import Rows, with_factors, with_labels
from gantk_data.formats.stored import Mapped, Place, Stored, beside, opened, place_of, whole
from gantk_data.keeping import kept
from gantk_data.limits import first
from gantk_data.meanings import Meaning
from gantk_data.options import Layout
from gantk_data.sources import SOURCES
from gantk_data.streams import copy_rows

_VERSION = 1  # of this reader: raise it when the same files give other arrays
_AXES = {"NHW": (0, 1, 2), "NHWC": (0, 3, 1, 2), "NCHW": (0, 1, 2, 3)}
"""Where N, (C,) H and W stand."""
_CHANNELS = (1, 3)
_VALUES_AT_ONCE = 1 << 21


class _Pixels(NamedTuple):
    """How values become pixels."""

    axes: tuple[int, ...]
    span: tuple[float, float] | None
    """What becomes 0 and what becomes 255; None: uint8 already."""
    where: str

    def images(self, rows: NDArray[Any]) -> NDArray[np.uint8]:
        """Return rows as (n, C, H, W); DataError if a value lies outside the span."""
        rows = rows.transpose(self.axes)
        rows = rows[:, None] if rows.ndim == 3 else rows
        if self.span is None:
            return rows
        step = max(1, _VALUES_AT_ONCE // max(1, prod(rows.shape[1:])))
        parts = [self._levels(rows[start : start + step]) for start in range(0, len(rows), step)]
        return np.concatenate(parts) if parts else np.empty(rows.shape, np.uint8)

    def _levels(self, rows: NDArray[Any]) -> NDArray[np.uint8]:
        assert self.span is not None, "uint8 stays as it is"
        low, high = self.span
        values = (rows.astype(np.float64) - low) * (255 / (high - low))
        # Rounding may leave the span by less than half a step; a NaN is nowhere.
        good = (values > -0.5) & (values < 255.5)
        if not good.all():
            span = f"[{low:g}, {high:g}]"
            raise DataError(
                f"{self.where}: it has a value {rows[~good][0]}, outside data.range {span}"
            )
        return np.rint(values).astype(np.uint8)


def arrays(
    file: str | Path,
    images: str | None,
    layout: Layout,
    range: list[float] | None,
    labels: str | None,
    classes: list[str] | None,
    factors: str | None,
    factor_names: list[str] | None,
    limit: int | None,
) -> ArrayDataset:
    """Return the images (N, C, H, W), or the points (N, D), of an array."""
    if (labels is None and classes) or (factors is None and factor_names):
        raise DataError(
            "data.classes names data.labels, and data.factor_names names data.factors; set these"
        )
    place = place_of(Path(file), images)
    with opened(place) as stored:
        count = first(limit, stored.shape[0], str(place))
        rows = Rows(stored.shape[0], count)
        samples, fingerprint = _samples(place, stored, layout, range, count)
    meaning = Meaning()
    if labels is not None:
        meaning = with_labels(meaning, beside(place, labels), classes, rows)
    if factors is not None:
        meaning = with_factors(meaning, beside(place, factors), factor_names, rows)
    return ArrayDataset(
        shown(place.path.name),
        "real",
        samples,
        meaning.labels,
        meaning.factors,
        classes=meaning.classes,
        descriptions=meaning.descriptions,
        notice=SOURCES["arrays"].licence,
        fingerprint=fingerprint and meaning.fingerprint(fingerprint),
    )


def layout_of(shape: Sequence[int], layout: Layout, where: str) -> Layout:
    """Return the layout of an array of images; DataError unless it is certain."""
    if layout == "auto" and len(shape) == 3:
        layout = "NHW"
    if layout == "auto" and len(shape) == 4:
        last, second = shape[3] in _CHANNELS, shape[1] in _CHANNELS
        if last == second:
            which = "both could be channels" if last else "neither is 1 or 3 channels"
            raise DataError(
                f"{where} is {tuple(shape)}: of its axes 2 and 4 {which}; "
                'set data.layout = "NHWC" or "NCHW"'
            )
        layout = "NHWC" if last else "NCHW"
    if len(shape) != len(layout):
        raise DataError(
            f"{where} is {tuple(shape)}, no images as data.layout = {layout!r} says; images are "
            "(N, H, W), (N, H, W, C) or (N, C, H, W), points (N, D) of floats"
        )
    channels = 1 if layout == "NHW" else shape[layout.index("C")]
    if channels not in _CHANNELS:
        raise DataError(f"{where} is {tuple(shape)}: {channels} channels; expected 1 or 3")
    return layout


def _samples(
    place: Place, stored: Stored, layout: Layout, span: list[float] | None, count: int
) -> tuple[NDArray[Any], str]:
    """Return images or points, and their fingerprint if it is known."""
    if stored.dtype.kind == "f" and len(stored.shape) == 2:
        return _points(place, stored, count), ""
    if stored.dtype.kind not in "uifb":
        raise DataError(f"{place} holds {stored.dtype}; expected numbers")
    axes = _AXES[layout_of(stored.shape, layout, str(place))]
    if stored.dtype == bool:
        span = span or [0, 1]
    if span is not None and not span[0] < span[1]:
        raise DataError(f"data.range = {span}: its first number must be the smaller one")
    if span is None and stored.dtype != np.uint8:
        raise DataError(
            f"{place} holds {stored.dtype}; set data.range = [low, high], the values of black and "
            "white, such as [0, 1] or [-1, 1]"
        )
    pixels = _Pixels(axes, None if span is None else (span[0], span[1]), str(place))
    if isinstance(stored, Mapped) and span is None and axes != _AXES["NHWC"]:
        return pixels.images(stored.array[:count]), ""
    key = {
        "version": _VERSION,
        "path": str(place.path.resolve()),
        "stamp": file_stamp(place.path),
        "member": place.member,
        "axes": axes,
        "span": span,
        "count": count,
    }
    ready = kept(
        "arrays", key, partial(_prepare, stored, pixels, count), lambda: prod(stored.shape)
    )
    return ready.arrays["images"], ready.fingerprint


def _prepare(stored: Stored, pixels: _Pixels, count: int, target: Path) -> Mapping[str, Any]:
    nothing = np.empty((0, *stored.shape[1:]), dtype=np.uint8)
    shape = (count, *pixels.images(nothing).shape[1:])
    with RowWriter(target / "images.npy", shape, pixels.where) as images:
        copy_rows(stored, np.arange(count), images, pixels.images)
    return {}


def _points(place: Place, stored: Stored, count: int) -> NDArray[np.float32]:
    if isinstance(stored, Mapped) and stored.dtype == np.float32:
        points = stored.array[:count]
    else:
        with np.errstate(over="ignore"):  # told of below
            points = whole(place, stored, count).astype(np.float32)
    step = max(1, (1 << 22) // max(1, points.shape[1]))
    for start in range(0, count, step):
        bad = ~np.isfinite(points[start : start + step]).all(axis=1)
        if bad.any():
            raise DataError(f"{place}: point {start + int(bad.argmax())} is not finite")
    return points
