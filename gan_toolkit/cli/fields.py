"""An options model as a person reads it: for each option its type, range, default and meaning."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gan_toolkit.recipe.options import Choice, EnvironmentText, Secret, flat_metadata

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    Secret: "secret, from the environment only",
    EnvironmentText: "text",
    Choice: "schedule",
    Any: "anything",
    None: "nothing",
}

_LIMITS: dict[Any, tuple[str, str]] = {
    annotated_types.Ge: ("at least {}", "ge"),
    annotated_types.Gt: ("above {}", "gt"),
    annotated_types.Le: ("at most {}", "le"),
    annotated_types.Lt: ("below {}", "lt"),
    annotated_types.MultipleOf: ("a multiple of {}", "multiple_of"),
    annotated_types.MinLen: ("at least {} long", "min_length"),
    annotated_types.MaxLen: ("at most {} long", "max_length"),
}


@dataclass(frozen=True)
class Option:
    """One option of a component."""

    name: str
    type: str
    range: str
    default: str
    required: bool
    help: str


def options_of(model: type[BaseModel]) -> list[Option]:
    """Return the options of a model, in the order they were written."""
    return [_option(place.alias or name, place) for name, place in model.model_fields.items()]


def _option(name: str, place: FieldInfo) -> Option:
    required = place.is_required()
    default = None if required else place.get_default(call_default_factory=True)
    return Option(
        name=name,
        type=wordsfor(place.annotation),
        range=_range(list(flat_metadata(place.metadata))),
        default="" if required else toml_of(default),
        required=required,
        help=" ".join((place.description or "").split()),
    )


def wordsfor(annotation: Any) -> str:
    """Return a type in the words of TOML."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Annotated:
        limits = _range(list(flat_metadata(inner[1:])))
        return wordsfor(inner[0]) + (f" {limits}" if limits else "")
    if origin is Literal:
        return " | ".join(toml_of(value) for value in inner)
    if origin in (Union, types.UnionType):
        members = [wordsfor(member) for member in inner if member is not type(None)]
        return " or ".join(dict.fromkeys(members))
    if origin is list:
        return f"list of {wordsfor(inner[0])}"
    if origin is dict:
        return f"table of {wordsfor(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table of " + ", ".join(annotation.model_fields)
    return getattr(annotation, "__name__", str(annotation))


def toml_of(value: Any) -> str:
    """Return a value as one would write it in a recipe."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_of, value))}]"
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml_of(own)}" for key, own in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return str(value)


def _range(marks: list[Any]) -> str:
    """Return the limits among the marks of a field, such as `at least 1, below 10`."""
    found = [
        words.format(_limit(getattr(mark, attribute)))
        for mark in marks
        for kind, (words, attribute) in _LIMITS.items()
        if isinstance(mark, kind)
    ]
    return ", ".join(found)


def _limit(value: Any) -> str:
    return f"{value:,}".replace(",", "_") if isinstance(value, int) else f"{value:g}"
