"""pydantic's complaints in our words: what was found; what would work; did you mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gan_toolkit.errors import did_you_mean, nearest
from gan_toolkit.recipe.expectation import Place, expectation, found, is_options, not_what
from gan_toolkit.recipe.options import Options
from gan_toolkit.recipe.paths import AnyPath

_SIZES = {
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "less_than": "is too big",
    "less_than_equal": "is too big",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "does not fit",
    "multiple_of": "does not fit",
}


def complaints(
    error: ValidationError, model: type[Options], raw: dict[str, Any]
) -> Iterator[tuple[AnyPath, str]]:
    """Yield path and text of each fault.

    Errors of a union carry the names of its members in their paths and come once for each: all of
    them get the path of the union, and the same text.
    """
    for details in error.errors(include_url=False):
        path, place = _resolve(model, details["loc"])
        yield path, _text(details, place, path, raw)


def unknown_key(key: str, known: Collection[str]) -> str:
    """Return the text for a key nobody reads: the nearest one, or else all there are."""
    if near := nearest(key, known):
        return f"unknown key; did you mean {near!r}?"
    return f"unknown key; known: {', '.join(sorted(known))}"


def keys_in(model: type[Options]) -> set[str]:
    """Return the keys that a table of `model` may have."""
    return {field.alias or name for name, field in model.model_fields.items()}


def missing(place: Place) -> str:
    """Return the text for a required key that is not there."""
    return f"missing; {expectation(place)}"


def _resolve(model: type[Options], location: AnyPath) -> tuple[AnyPath, Place]:
    """Return how far `location` is a path in the recipe, and the type there."""
    place = Place.of(model)
    for end, step in enumerate(location):
        if len(place.members) > 1:
            return location[:end], place
        inner = place.inner(step)
        if inner is None:
            # An unknown key, or pydantic's mark on the key of a dict.
            return location[: end + 1], place
        place = inner
    return location, place


def _text(details: ErrorDetails, place: Place, path: AnyPath, raw: dict[str, Any]) -> str:
    kind = details["type"]
    if kind == "extra_forbidden":
        return unknown_key(str(path[-1]), keys_in(place.annotation))
    if kind == "missing":
        return missing(place)
    value = _at(raw, path)
    if len(place.members) > 1 or kind == "literal_error":
        return f"{found(value)} does not fit; {expectation(place)}{_near_literal(value, place)}"
    if kind == "finite_number":
        return f"{found(value)} is not finite; {expectation(place, finite=True)}"
    if kind in _SIZES:
        return f"{found(value)} {_SIZES[kind]}; {_limit(details, place) or expectation(place)}"
    if kind.endswith(("_type", "_from_float", "_parsing", "_too_large")):
        return _wrong_type(value, place)
    return details["msg"].removeprefix("Value error, ").partition("\n")[0]


def _wrong_type(value: Any, place: Place) -> str:
    wanted = expectation(place)
    if place.schedulable:
        wanted += ", or a schedule table"
    what = "an integer" if isinstance(value, float) and place.annotation is int else not_what(place)
    return f"{found(value)} is not {what}; {wanted}"


def _limit(details: ErrorDetails, place: Place) -> str:
    """Return what would work, where the type and its bounds don't say."""
    if details["type"] == "string_pattern_mismatch" and not place.examples:
        return f"a text that matches {details['ctx']['pattern']}"
    if details["type"] in ("string_too_short", "string_too_long"):
        limit = details["ctx"].get("min_length", details["ctx"].get("max_length"))
        least = "least" if details["type"] == "string_too_short" else "most"
        return f"a text of at {least} {limit} character{'s' if limit != 1 else ''}"
    return ""


def _near_literal(value: Any, place: Place) -> str:
    words = [word for member in place.members for word in _words(member.annotation)]
    return did_you_mean(value, words) if isinstance(value, str) else ""


def _words(annotation: Any) -> list[str]:
    if get_origin(annotation) is None or is_options(annotation):
        return []
    return [word for word in get_args(annotation) if isinstance(word, str)]


def _at(raw: Any, path: AnyPath) -> Any:
    for step in path:
        try:
            raw = raw[step]
        except (LookupError, TypeError):
            return raw
    return raw
