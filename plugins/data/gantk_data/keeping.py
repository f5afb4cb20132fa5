"""Prepared data for people's own sets: a cache that can't be written must not end a small run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from gan_toolkit import Prepared, StorageError, prepared

_MOST_IN_MEMORY = 1 << 29
_log = logging.getLogger("gantk")


def kept(
    kind: str,
    key: Mapping[str, Any],
    make: Callable[[Path], Mapping[str, Any]],
    size: Callable[[], int],
) -> Prepared:
    """Return what `gan_toolkit.prepared` does; when that can't be stored, hold it in memory.

    Only up to 512 MB, by what `size` says; it is then made in a temporary folder, for this run.
    Raises StorageError when neither works.
    """
    try:
        return prepared(kind, key, make)
    except StorageError as error:
        if size() > _MOST_IN_MEMORY:
            raise
        _log.info("%s; for now %s is prepared into memory, for this run only", error, kind)
        try:
            return _in_memory(kind, key, make)
        except (StorageError, OSError):
            raise error from None


def _in_memory(
    kind: str, key: Mapping[str, Any], make: Callable[[Path], Mapping[str, Any]]
) -> Prepared:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ready = prepared(kind, key, make, cache=Path(folder))
        arrays = {name: np.array(array) for name, array in ready.arrays.items()}
        return replace(ready, arrays=arrays)
