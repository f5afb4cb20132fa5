"""JSON that says exactly what was meant: no NaN, no key twice, no object that comes back changed.

Python writes the shortest text that reads back as the same float, so numbers survive bit for bit.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 64
"""Levels of nesting we write or read."""


def fault(value: Any, place: str = "", *, tuples: bool = False, depth: int = 0) -> str:
    """Return what in `value` would not come back from JSON as it is, with its place; or nothing.

    A tuple would come back as a list; `tuples` lets that pass.
    """
    if depth > DEEPEST:
        return f"{place}: nested deeper than {DEEPEST} levels"
    if value is None or isinstance(value, bool | int | str):
        return ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{place or 'the value'}: {value} is not finite"
    if isinstance(value, dict):
        return _fault_in_mapping(value, place, tuples, depth)
    if isinstance(value, list) or (tuples and isinstance(value, tuple)):
        inner = (
            fault(v, f"{place}[{i}]", tuples=tuples, depth=depth + 1) for i, v in enumerate(value)
        )
        return next(filter(None, inner), "")
    return f"{place or 'the value'}: a {type(value).__name__} is not JSON"


def dump(value: Any, *, indent: int | None = None) -> str:
    """Write ASCII JSON; ValueError names the place of anything that JSON can't hold."""
    if found := fault(value, tuples=True):
        raise ValueError(found)
    return json.dumps(value, indent=indent, allow_nan=False)


def parse(text: str | bytes) -> Any:
    """Read JSON; ValueError is the only error, whatever the text is."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_float)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object; ValueError when it is anything else."""
    value = parse(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, found a {type(value).__name__}")
    return value


def _fault_in_mapping(value: dict[Any, Any], place: str, tuples: bool, depth: int) -> str:
    for key, inner in value.items():
        if not isinstance(key, str):
            return f"{place or 'the value'}: the key {key!r} is not text"
        where = f"{place}.{key}" if place else key
        if found := fault(inner, where, tuples=tuples, depth=depth + 1):
            return found
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {max(keys, key=keys.count)!r} stands twice")
    return read


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text:.40} is too large for a number")
    return value


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
