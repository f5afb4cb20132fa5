"""What differs between two resolved recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gan_toolkit.recipe.paths import dotted

FREE = (
    "run.steps",
    "run.device",
    "run.threads",
    "run.log_every",
    "run.checkpoint_every",
    "run.keep_checkpoints",
    "run.evaluate_every",
    "panels.",
    "measures.",
    "trackers.",
    "name",
    "summary",
)
"""What a resumed run may change: none of it enters a training step."""


def is_free(path: str) -> bool:
    """Return whether a key, or a whole section of them, enters no training step."""
    return f"{path}.".startswith(tuple(f"{key.removesuffix('.')}." for key in FREE))


class Change(NamedTuple):
    """A key whose value differs; None stands for a key that is not there."""

    path: str
    old: Any
    new: Any


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the changes from `a` to `b`, in the order of `a`, then of what is new in `b`."""
    return _difference(a, b, ())


def _difference(a: Mapping[str, Any], b: Mapping[str, Any], path: tuple[str, ...]) -> list[Change]:
    changes = []
    for key in [*a, *(key for key in b if key not in a)]:
        old, new = a.get(key), b.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes += _difference(old, new, (*path, key))
        elif not _same(old, new):
            changes.append(Change(dotted((*path, key)), old, new))
    return changes


def _same(old: Any, new: Any) -> bool:
    """Return whether two values are equal; 1, 1.0 and true are not the same answer."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and bool(old == new)
