"""What arrays beside the samples mean: labels (N,) and factors (N, K)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gan_toolkit import DataError, Factor
from gantk_data.archives.trees import shown
from gantk_data.formats.stored import Place, Stored, opened, whole
from gantk_data.meanings import MOST_VALUES, Meaning


class Rows(NamedTuple):
    """How many samples there are, and how many of them are used: the first."""

    there: int
    used: int


def with_labels(meaning: Meaning, place: Place, classes: list[str] | None, rows: Rows) -> Meaning:
    """Return `meaning` with labels; their own values name the classes unless `classes` do."""
    with opened(place) as stored:
        if len(stored.shape) != 1 or stored.dtype.kind not in "uibU":
            found = f"{stored.dtype} {stored.shape}"
            raise DataError(f"{place} is {found}; labels are whole numbers or texts, (N,)")
        _check_length(place, stored, rows)
        values, labels = np.unique(whole(place, stored, rows.used), return_inverse=True)
    if classes is None:
        if len(values) > MOST_VALUES:
            raise DataError(
                f"{place} has {len(values):,} different labels; at most {MOST_VALUES:,}"
            )
        names = [shown(str(value)) for value in values]
        return meaning._replace(labels=labels.astype(np.int64), classes=tuple(names))
    if values.dtype.kind == "U" or values.min() < 0 or values.max() >= len(classes):
        found = f"from {values.min()} to {values.max()}"
        raise DataError(
            f"{place}: labels go {found}, but data.classes names {len(classes)} classes"
        )
    own = values.astype(np.int64)[labels]
    return meaning._replace(labels=own, classes=tuple(classes))


def with_factors(meaning: Meaning, place: Place, names: list[str] | None, rows: Rows) -> Meaning:
    """Return `meaning` with factors, called by their number unless `names` says how."""
    with opened(place) as stored:
        if len(stored.shape) not in (1, 2) or stored.dtype.kind not in "uifb":
            found = f"{stored.dtype} {stored.shape}"
            raise DataError(f"{place} is {found}; factors are numbers, (N, K)")
        _check_length(place, stored, rows)
        table = whole(place, stored, rows.used).reshape(rows.used, -1)
    names = names or [f"factor {number}" for number in range(1, table.shape[1] + 1)]
    if len(names) != table.shape[1]:
        raise DataError(
            f"{place} has {table.shape[1]} columns, but data.factor_names names {len(names)}"
        )
    made = [_factor(place, column, name) for column, name in zip(table.T, names, strict=True)]
    values = np.stack([column for column, _ in made], axis=1)
    return meaning._replace(factors=values, descriptions=tuple(factor for _, factor in made))


def _factor(place: Place, column: NDArray[Any], name: str) -> tuple[NDArray[np.float32], Factor]:
    """Return a column and what it is: whole numbers are discrete, others continuous."""
    if column.dtype.kind == "f":
        with np.errstate(over="ignore"):
            column = column.astype(np.float32)
        if not np.isfinite(column).all():
            raise DataError(f"{place}: {name} holds a value that is not finite")
        low, high = float(column.min()), float(column.max())
        return column, Factor(name, "continuous", low=low, high=high)
    values, indices = np.unique(column, return_inverse=True)
    if len(values) > MOST_VALUES:
        raise DataError(
            f"{place}: {name} has {len(values):,} different whole numbers, a discrete factor at "
            f"most {MOST_VALUES:,}; save it as floats"
        )
    return indices.astype(np.float32), Factor(name, "discrete", tuple(map(str, values)))


def _check_length(place: Place, stored: Stored, rows: Rows) -> None:
    if stored.shape[0] != rows.there:
        raise DataError(f"{place} has {stored.shape[0]:,} rows, there are {rows.there:,} samples")
