"""What would work for an option, in words, read from its type and bounds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types as bounds

from gan_toolkit.recipe.options import (
    Choice,
    EnvironmentText,
    MaySchedule,
    Options,
    Secret,
    flat_metadata,
    members_of,
)


@dataclass(frozen=True)
class Place:
    """The type of a value, with the bounds and marks on it."""

    annotation: Any
    metadata: tuple[Any, ...] = ()
    examples: tuple[Any, ...] = ()

    @classmethod
    def of(cls, annotation: Any, metadata: Iterable[Any] = (), examples: Any = ()) -> Place:
        """Return the place with the annotation laid bare: no Annotated, no `| None` around it."""
        marks = tuple(flat_metadata(metadata))
        members = tuple(m for m in members_of(annotation) if m is not Choice)
        if len(members) == 1 and get_origin(members[0]) is Annotated:
            inner, *more = get_args(members[0])
            return cls.of(inner, (*marks, *more), examples)
        bare = members[0] if len(members) == 1 else annotation
        return cls(bare, marks, tuple(examples or ()))

    @property
    def members(self) -> tuple[Place, ...]:
        """The places of a union's members; of anything else, itself."""
        found = members_of(self.annotation)
        return (self,) if len(found) == 1 else tuple(Place.of(member) for member in found)

    @property
    def schedulable(self) -> bool:
        """Whether a schedule table would do as well."""
        return any(isinstance(mark, MaySchedule) for mark in self.metadata)

    def inner(self, step: str | int) -> Place | None:
        """Return the place of an entry, an item or a field; None when there is none."""
        if is_options(self.annotation):
            for name, field in self.annotation.model_fields.items():
                if (field.alias or name) == step:
                    return Place.of(field.annotation, field.metadata, field.examples)
        arguments = get_args(self.annotation)
        if get_origin(self.annotation) is list and isinstance(step, int):
            return Place.of(arguments[0])
        if get_origin(self.annotation) is dict:
            return Place.of(arguments[1])
        return None


def is_options(annotation: Any) -> bool:
    """Return whether a type is an options model."""
    return isinstance(annotation, type) and issubclass(annotation, Options)


def expectation(place: Place, *, finite: bool = False) -> str:
    """Return what would work, such as "an integer of at least 1"."""
    if len(place.members) > 1:
        return _either([expectation(member) for member in place.members])
    if get_origin(place.annotation) is Literal:
        return _either([found(value) for value in get_args(place.annotation)])
    if place.annotation is str and place.examples:
        return "a text such as " + _either([found(example) for example in place.examples])
    nouns = {int: "an integer", float: "a finite number" if finite else "a number"}
    if place.annotation in nouns:
        return " ".join(filter(None, (nouns[place.annotation], _bounds(place.metadata))))
    if get_origin(place.annotation) is list:
        return f"an array of {_items(place)}{_lengths(place.metadata)}"
    return _noun(place.annotation)


def not_what(place: Place) -> str:
    """Return what a value of the wrong type is not, such as "a number"."""
    if get_origin(place.annotation) is list:
        return "an array"
    if place.annotation in (int, float):
        return "a number"
    return _noun(place.annotation)


def found(value: Any) -> str:
    """Return a value as a message shows it: short, in one line, as TOML writes it."""
    if isinstance(value, EnvironmentText):
        value = value.written  # what the environment holds may not be for all eyes
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= 40 else value[:37] + "..."
        return json.dumps("".join(c if c.isprintable() else "?" for c in text), ensure_ascii=False)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and abs(value) >= 10**40:
        return "an integer of more than 40 digits"
    return str(value)


def _noun(annotation: Any) -> str:
    origin = get_origin(annotation) or annotation
    if origin is dict or is_options(annotation):
        return "a table"
    if annotation is Secret:
        return "a reference such as ${env:NAME}"
    return {str: "a text", bool: "true or false"}.get(origin, "another value")


def _items(place: Place) -> str:
    (item,) = get_args(place.annotation) or (Any,)
    inner = expectation(Place.of(item))
    for one, many in (
        ("an integer", "integers"),
        ("a number", "numbers"),
        ("a text", "texts"),
        ("a table", "tables"),
    ):
        if inner.startswith(one):
            return many + inner.removeprefix(one)
    return inner


def _bounds(metadata: tuple[Any, ...]) -> str:
    low = high = multiple = ""
    for mark in metadata:
        if isinstance(mark, bounds.Gt):
            low = f"above {mark.gt}"
        elif isinstance(mark, bounds.Ge):
            low = f"of at least {mark.ge}"
        elif isinstance(mark, bounds.Lt):
            high = f"below {mark.lt}"
        elif isinstance(mark, bounds.Le):
            high = f"at most {mark.le}" if low else f"of at most {mark.le}"
        elif isinstance(mark, bounds.MultipleOf):
            multiple = f"a multiple of {mark.multiple_of}"
    return " and ".join(filter(None, (low, high, multiple)))


def _lengths(metadata: tuple[Any, ...]) -> str:
    low = next((mark.min_length for mark in metadata if isinstance(mark, bounds.MinLen)), 0)
    high = next((mark.max_length for mark in metadata if isinstance(mark, bounds.MaxLen)), None)
    if high is None:
        return f", at least {low} of them" if low else ""
    return f", {low} of them" if low == high else f", {low} to {high} of them"


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
