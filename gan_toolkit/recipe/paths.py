"""Paths of keys: `regularisers.shape.weights` is ("regularisers", "shape", "weights")."""

from __future__ import annotations

import json
import re

KeyPath = tuple[str, ...]
AnyPath = tuple[str | int, ...]
"""A path that may lead into arrays."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: AnyPath) -> str:
    """Return a path as it is typed: `a.b`, `a."odd key"`, `a.list[0]`."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            shown += f".{name}" if shown else name
    return shown
