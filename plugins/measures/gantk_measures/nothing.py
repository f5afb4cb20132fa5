"""What a measure returns when it gives up: a void score that says why."""

from __future__ import annotations

from gan_toolkit import Score


def nothing(name: str, reason: str, count: int = 0) -> Score:
    """Return a score without a value; `count` samples were looked at, if any."""
    return Score(name, float("nan"), count, "", void=reason)
