"""Options that mean more than their type: references, paths and schedules, found by their marks.

They are treated before validation, on the raw table, so that one mistake doesn't hide another.
"""

from __future__ import annotations

from typing import Annotated, Any, Protocol, get_args, get_origin

from gan_toolkit.recipe.expectation import is_options
from gan_toolkit.recipe.options import (
    MaySchedule,
    Options,
    Reference,
    Relative,
    Secret,
    flat_metadata,
    members_of,
)
from gan_toolkit.recipe.paths import AnyPath


class Reader(Protocol):
    """Who knows the rest of the recipe."""

    def refer(self, section: str, name: str, path: AnyPath) -> None:
        """Complain unless `section` has a table `name`."""

    def complete(self, text: str, path: AnyPath) -> str:
        """Return a path completed with the folder of the file it stands in."""

    def schedule(self, table: dict[str, Any], path: AnyPath) -> Any:
        """Return the schedule a table chooses."""


def prepare(
    model: type[Options], raw: dict[str, Any], path: AnyPath, reader: Reader
) -> dict[str, Any]:
    """Return the raw table of `model` with paths completed, schedules read, references checked."""
    prepared = dict(raw)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in raw:
            place = (*path, key)
            prepared[key] = _value(field.annotation, field.metadata, raw[key], place, reader)
        elif not field.is_required():
            default = field.get_default(call_default_factory=True, validated_data={})
            read = _value(field.annotation, field.metadata, default, (*path, key), reader)
            if read != default:
                prepared[key] = read
    return prepared


def _value(annotation: Any, metadata: Any, value: Any, path: AnyPath, reader: Reader) -> Any:
    for mark in flat_metadata(metadata):
        if isinstance(mark, Reference):
            for name in _names(value):
                place = (*path, name) if isinstance(value, dict) else path
                reader.refer(mark.section, name, place)
        elif isinstance(mark, Relative) and isinstance(value, str):
            value = reader.complete(value, path)
        elif isinstance(mark, MaySchedule) and isinstance(value, dict):
            return reader.schedule(value, path)
    return _inside(annotation, value, path, reader)


def _inside(annotation: Any, value: Any, path: AnyPath, reader: Reader) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    members = members_of(annotation)
    if members != (annotation,):
        for member in members:
            value = _value(member, (), value, path, reader)
    elif origin is Annotated:
        value = _value(arguments[0], arguments[1:], value, path, reader)
    elif origin is list and isinstance(value, list):
        value = [_value(arguments[0], (), item, (*path, i), reader) for i, item in enumerate(value)]
    elif origin is dict and isinstance(value, dict):
        for key in value:
            _value(arguments[0], (), key, (*path, key), reader)
        value = {
            key: _value(arguments[1], (), inner, (*path, key), reader)
            for key, inner in value.items()
        }
    elif is_options(annotation) and isinstance(value, dict):
        value = prepare(annotation, value, path, reader)
    return value


def local_keys(model: type[Options]) -> set[str]:
    """Return the keys whose values mean nothing on another machine: paths and secrets."""
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if any(map(_is_local, (field.annotation, *flat_metadata(field.metadata))))
    }


def _is_local(annotation: Any) -> bool:
    if isinstance(annotation, Relative) or annotation is Secret:
        return True
    if is_options(annotation):
        return bool(local_keys(annotation))
    return any(map(_is_local, get_args(annotation)))


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | dict):
        return [name for name in value if isinstance(name, str)]
    return []
