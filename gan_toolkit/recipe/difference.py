"""What differs between two resolved recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gan_toolkit.recipe.paths import KeyPath, dotted

FREE = (
    "run.steps",
    "run.device",
    "run.threads",
    "run.log_every",
    "run.checkpoint_every",
    "run.keep_checkpoints",
    "run.evaluate_every",
    "run.on_divergence",
    "run.max_skips",
    "run.max_rollbacks",
    "run.rollback_rate",
    "run.on_alarm",
    "panels.",
    "measures.",
    "trackers.",
    "name",
    "summary",
)
"""What a resumed run may change: none of it enters a training step that is well."""


def is_free(path: str) -> bool:
    """Return whether a key, or a whole section of them, enters no training step."""
    return f"{path}.".startswith(tuple(f"{key.removesuffix('.')}." for key in FREE))


SEED = "run.seed"
GROUPS = ("seeds", "training", "enters no training step")
"""How changes are told apart."""


def group_of(path: str) -> str:
    """Return the group of a key; more steps are free to a resumed run, and yet more training."""
    if path == SEED:
        return GROUPS[0]
    return GROUPS[2] if is_free(path) and path != "run.steps" else GROUPS[1]


class Change(NamedTuple):
    """A key whose value differs; None stands for a key that is not there."""

    path: str
    old: Any
    new: Any


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the changes from `a` to `b`, in the order of `a`, then of what is new in `b`."""
    return _difference(a, b, ())


def every_difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the same down to single values, and the order of the latents, group by group.

    That order is the order of the columns of the generator's input.
    """
    changes = [single for change in difference(a, b) for single in _singles(change)]
    old, new = list(a.get("latents", ())), list(b.get("latents", ()))
    if old != new and sorted(old) == sorted(new):
        changes.append(Change("latents", old, new))
    return sorted(changes, key=lambda change: GROUPS.index(group_of(change.path)))


def leaves(table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield each value that is no table, or an empty one, with its path."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _singles(change: Change) -> Iterator[Change]:
    """Yield a table that only one side has as its values."""
    path, old, new = change
    if old is None and isinstance(new, Mapping) and new:
        yield from (Change(f"{path}.{dotted(p)}", None, value) for p, value in leaves(new))
    elif new is None and isinstance(old, Mapping) and old:
        yield from (Change(f"{path}.{dotted(p)}", value, None) for p, value in leaves(old))
    else:
        yield change


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
