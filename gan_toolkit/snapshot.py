"""Everything that must survive a stop: tensors in named groups, and facts that JSON can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gan_toolkit import strict_json
from gan_toolkit.tensorfile import safe_name


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The whole state of an engine at one step; compare two with `difference`.

    Raises ValueError or TypeError for whatever would not come back exactly as it is: a number that
    is not finite, a tuple, an object of a plugin's own class.
    """

    tensors: dict[str, dict[str, Tensor]]
    """By group; each group becomes a file of its name."""
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for group, tensors in self.tensors.items():
            if not re.fullmatch(r"[a-z_]+", group) or not safe_name(group):
                raise ValueError(f"a tensor group can't be named {group!r}; use letters a-z and _")
            for name, tensor in tensors.items():
                if not isinstance(tensor, Tensor):
                    kind = type(tensor).__name__
                    raise TypeError(f"{group}: {name}: expected a tensor, found a {kind}")
        if not isinstance(self.facts, dict):
            raise TypeError(f"facts: expected a dict, found a {type(self.facts).__name__}")
        if found := strict_json.fault(self.facts):
            raise ValueError(f"facts: {found}")

    @property
    def bytes(self) -> int:
        """Return how much its tensors hold."""
        return sum(t.nbytes for tensors in self.tensors.values() for t in tensors.values())


def unsound(snapshot: Snapshot) -> dict[str, float]:
    """Return the tensors with values that are not finite, by `group.name`, and the first of each.

    These are weights, buffers, averages and the moments of optimisers.
    """
    return {
        f"{group}.{name}": tensor[~tensor.isfinite()][0].item()
        for group, tensors in snapshot.tensors.items()
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not tensor.isfinite().all()
    }


def difference(one: Snapshot, other: Snapshot) -> list[str]:
    """Return a line for each tensor or fact in which two snapshots differ by a single bit."""
    groups = _names("group", one.tensors, other.tensors)
    for group in one.tensors.keys() & other.tensors.keys():
        mine, yours = one.tensors[group], other.tensors[group]
        groups += _names(f"{group}", mine, yours)
        for name in mine.keys() & yours.keys():
            if found := _tensor_difference(mine[name], yours[name]):
                groups.append(f"{group}: {name}: {found}")
    return sorted(groups) + sorted(_fact_differences("facts", one.facts, other.facts))


def _names(place: str, one: Iterable[str], other: Iterable[str]) -> list[str]:
    only_one, only_other = set(one) - set(other), set(other) - set(one)
    return [f"{place}: {name}: only in the first" for name in only_one] + [
        f"{place}: {name}: only in the second" for name in only_other
    ]


def _tensor_difference(one: Tensor, other: Tensor) -> str:
    if one.dtype != other.dtype:
        return f"{one.dtype} and {other.dtype}"
    if one.shape != other.shape:
        return f"shapes {tuple(one.shape)} and {tuple(other.shape)}"
    unequal = (_bytes(one) != _bytes(other)).any(dim=1)
    return f"{int(unequal.sum())} of {one.numel()} values differ" if unequal.any() else ""


def _bytes(tensor: Tensor) -> Tensor:
    """Return the bits of each value as a row of bytes: NaN equals itself, -0.0 is not 0.0."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).reshape(-1, flat.element_size())


def _fact_differences(place: str, one: Any, other: Any) -> list[str]:
    if type(one) is not type(other):
        return [f"{place}: {one!r:.60} and {other!r:.60}"]
    if isinstance(one, Mapping):
        shared = (key for key in one if key in other)
        inner = (_fact_differences(f"{place}.{key}", one[key], other[key]) for key in shared)
        return _names(place, one, other) + [line for lines in inner for line in lines]
    if isinstance(one, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        lists = (_fact_differences(f"{place}[{i}]", mine, yours) for i, (mine, yours) in pairs)
        return [line for lines in lists for line in lines]
    if isinstance(one, float) and math.copysign(1.0, one) != math.copysign(1.0, other):
        return [f"{place}: {one!r} and {other!r}"]
    return [] if one == other else [f"{place}: {one!r:.60} and {other!r:.60}"]
