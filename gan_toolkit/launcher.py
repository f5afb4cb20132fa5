"""Which of how many processes this is, and the cores it may use; no torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gan_toolkit.errors import UsageError

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@dataclass(frozen=True)
class Place:
    """Which of the processes of a run this is: in all, and on this machine."""

    index: int = 0
    count: int = 1
    local_index: int = 0
    local_count: int = 1


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def place_of(environ: Mapping[str, str] = os.environ) -> Place:
    """Return the place that the launcher gave; alone when there was none, or it started one.

    Raises UsageError for variables that no launcher would set.
    """
    if "RANK" not in environ or environ.get("WORLD_SIZE", "1") == "1":
        return Place()
    numbers = [environ.get(name, default) for name, default in zip(VARIABLES, "0101", strict=True)]
    if not all(text.isdecimal() for text in numbers):
        raise UsageError(_odd(numbers))
    place = Place(*map(int, numbers))
    if place.index >= place.count or place.local_index >= place.local_count:
        raise UsageError(_odd(numbers))
    return place


def _odd(numbers: list[str]) -> str:
    found = ", ".join(f"{name}={text!r}" for name, text in zip(VARIABLES, numbers, strict=True))
    return f"environment: {found} is no place among processes; start them with torchrun"
