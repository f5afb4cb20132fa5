"""A JSON Schema (draft-07) of recipes, for editors: what the installed plugins offer.

It is a help; `gantk recipe validate` is the judge. A schema can't say which names a reference may
use, and a recipe that extends another is partial, so that nothing but `use` is required.

Two forms were tried and left: `oneOf` with a discriminator, and an `enum` in `anyOf`. Editors mark
the fault of neither at its key. Conditions on whole tables they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from gan_toolkit import __version__
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.expectation import is_options
from gan_toolkit.recipe.keys import (
    FORMAT,
    KIND_OF_SECTION,
    KIND_OF_TABLE,
    PLAYERS,
    Around,
    Choosing,
    Head,
    RunOptions,
    keys_of,
)
from gan_toolkit.recipe.options import MaySchedule, Options, marks_of
from gan_toolkit.registry import KINDS, Component

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLE = "Recipe of gan-toolkit"
NAMES = {"pattern": "^[a-z][a-z0-9_]*$"}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}
"""Every condition says so: what it does not name would be marked where editors are strict."""


def recipe_schema(host: PluginHost) -> Schema:
    """Return the schema of a recipe composed of what `host` has loaded."""
    definitions = {kind: _union(kind, host) for kind in KINDS}
    for component in host.registry.all():
        definitions |= _definitions_of(component)
    definitions |= {"run": _model(RunOptions, "run", {})}
    head = _model(Head, "head", definitions)["properties"]
    extends = _model(Around, "around", definitions)["properties"]["extends"]
    tables = {"run": _ref("run"), **_tables()}
    in_variant = {key: head[key] for key in ("name", "summary")}
    variant = _closed({**in_variant, **tables})
    definitions |= {"variant": variant | {"description": "Changes, in the shape of a recipe."}}
    return {
        "$schema": DRAFT,
        "title": TITLE,
        "$comment": made_of(host),
        **_closed({**head, "extends": extends, **tables, "variants": _named("variant")}),
        "if": ANYTHING | {"required": ["extends"]},
        "else": ANYTHING | {"properties": _with_use()},
        "definitions": definitions,
    }


def made_of(host: PluginHost) -> str:
    """Return what a schema depends on: format, toolkit, and each plugin with its version."""
    loaded = sorted((r.name, r.version) for r in host.records if r.status == "loaded")
    plugins = ", ".join(" ".join(filter(None, plugin)) for plugin in loaded)
    return f"format {FORMAT}; gan-toolkit {__version__}; plugins: {plugins or 'none'}"


# --- tables ----------------------------------------------------------------------------------


def _tables() -> Schema:
    """Return every table and section that chooses components."""
    tables: Schema = {key: _ref(kind) for key, kind in KIND_OF_TABLE.items()}
    tables |= {key: _named(kind) for key, kind in KIND_OF_SECTION.items()}
    return tables | {"optimisers": _closed({player: _ref("optimiser") for player in PLAYERS})}


def _with_use() -> Schema:
    """Return what holds where nothing is extended: each table that is there says `use`."""
    needed = ANYTHING | {"required": ["use"]}
    named = {"type": "object", "additionalProperties": needed}
    return dict.fromkeys(KIND_OF_TABLE, needed) | dict.fromkeys(KIND_OF_SECTION, named)


def _union(kind: str, host: PluginHost) -> Schema:
    """Return the table of any component of a kind."""
    offered = host.registry.all(kind)
    use = _model(Choosing, "choosing", {})["properties"]["use"]
    names = [name for component in offered for name in (component.name, *component.aliases)]
    return ANYTHING | {
        "properties": {"use": {**use, "examples": names}},
        "allOf": [
            {
                "if": _use({"pattern": "[:@]"}),
                "then": _use({"pattern": _written(names)}),
                "else": ANYTHING | {"properties": {"use": {"enum": names}}},
            },
            *(
                {
                    "if": _use({"pattern": _written([c.name, *c.aliases])}),
                    "then": _ref(f"{kind}.{c.name}"),
                }
                for c in offered
            ),
        ],
    }


def _use(schema: Schema) -> Schema:
    return ANYTHING | {"properties": {"use": schema}, "required": ["use"]}


def _written(names: Iterable[str]) -> str:
    """Return the pattern of all ways to write these names."""
    return f"^(?:[A-Za-z0-9_.-]+:)?(?:{'|'.join(map(re.escape, names))})(?:@[0-9]+)?$"


def _definitions_of(component: Component) -> Schema:
    """Return the table of one component, and what it refers to."""
    name = f"{component.kind}.{component.name}"
    found: Schema = {}
    own = _model(component.options, name, found)["properties"]
    keys = _model(keys_of(component.kind), f"{component.kind}.", found)["properties"]
    table = _closed({"use": {"type": "string"}, **keys, **own})
    about = f"{component.summary or component.name} (plugin {component.plugin})"
    return found | {name: table | {"description": about}}


# --- options ---------------------------------------------------------------------------------


def _model(model: type[Options], name: str, definitions: Schema) -> Schema:
    """Return the closed table of an options model; models inside it go to `definitions`."""
    template = f"#/definitions/{name}.{{model}}"
    made = model.model_json_schema(ref_template=template)
    inner = {m.__name__: m for m in _models_in(model)}
    for short, schema in made.pop("$defs", {}).items():
        definitions[f"{name}.{short}"] = _tidy_model(inner[short], schema)
    return _tidy_model(model, made)


def _tidy_model(model: type[Options], schema: Schema) -> Schema:
    """Return a model's schema without titles, nulls, and what it requires."""
    properties = schema.get("properties", {})
    for name, place in model.model_fields.items():
        key = place.alias or name
        properties[key] = _tidy(properties[key])
        if any(isinstance(mark, MaySchedule) for mark in marks_of(place)):
            properties[key] = _or_schedule(properties[key])
    return _closed(properties)


def _tidy(schema: Schema) -> Schema:
    tidy = {key: value for key, value in schema.items() if key != "title"}
    if "anyOf" in tidy:
        members = [member for member in tidy.pop("anyOf") if member.get("type") != "null"]
        tidy |= members[0] if len(members) == 1 else {"anyOf": members}
    if tidy.get("default", ...) is None:
        del tidy["default"]
    if "description" in tidy:
        tidy["description"] = " ".join(tidy["description"].split())
    return tidy


def _or_schedule(number: Schema) -> Schema:
    about: Schema = {k: number.pop(k) for k in ("description", "default") if k in number}
    return {**about, "anyOf": [number, _ref("schedule")]}


def _models_in(annotation: Any) -> Iterator[type[Options]]:
    """Yield the options models a type is made of, those inside them included."""
    if is_options(annotation):
        yield annotation
        for place in annotation.model_fields.values():
            yield from _models_in(place.annotation)
    for argument in get_args(annotation):
        yield from _models_in(argument)


# --- pieces ----------------------------------------------------------------------------------


def _closed(properties: Mapping[str, Any]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _named(definition: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": NAMES,
        "additionalProperties": _ref(definition),
    }


def _ref(definition: str) -> Schema:
    return {"$ref": f"#/definitions/{definition}"}
