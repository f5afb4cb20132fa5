"""Who else computes here: cores that this process may use, and how busy they are."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)
"""The columns of a processor's line that count idle time: idle, and waiting for disks."""
_GUESTS = 8
"""The columns after these are counted in others already."""
LOOK = 0.5
"""Seconds: the counters of the system tick a hundred times a second."""


def busy_seconds(stat: Path = _STAT) -> float | None:
    """Return the seconds that our cores have computed, for whomever, since the machine began.

    None where the system does not tell.
    """
    if not stat.exists() or not _ours():
        return None
    names = {f"cpu{number}" for number in _ours()}
    ticks = 0
    for line in stat.read_text().splitlines():
        name, *columns = line.split()
        if name in names:
            counts = [int(column) for column in columns[:_GUESTS]]
            ticks += sum(counts) - sum(counts[_IDLE])
    return ticks / os.sysconf("SC_CLK_TCK")


def busy_cores(seconds: float = LOOK) -> float | None:
    """Return how many of our cores are busy, looking for so many seconds; None if unknown."""
    begun, before = time.monotonic(), busy_seconds()
    time.sleep(seconds)
    after = busy_seconds()
    if before is None or after is None:
        return None
    return max(0.0, after - before) / (time.monotonic() - begun)


def _ours() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
