"""Which measures an examination runs, and by which published protocol."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

from pydantic import ValidationError

from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.recipe import Chosen
from gan_toolkit.recipe.keys import MeasureKeys
from gan_toolkit.registry import Registry

OPTION = "protocol"
"""The option of a measure that says which published way to take."""


def unnamed(registry: Registry, named: Mapping[str, Chosen]) -> dict[str, Chosen]:
    """Return every measure that needs no option, as a recipe would choose it, but those named."""
    taken = {*named, *(one.component.name for one in named.values())}
    chosen = {}
    for component in registry.all("measure"):
        if component.name in taken:
            continue
        try:
            options = component.options()
        except ValidationError:
            continue  # nobody said what to measure
        table, name = f"measures.{component.name}", component.name
        chosen[name] = Chosen("measure", table, name, component, options, MeasureKeys())
    return chosen


def follow(
    protocol: str, chosen: Mapping[str, Chosen], asked: Mapping[str, str]
) -> tuple[dict[str, Chosen], list[str]]:
    """Return the measures, those that have a protocol of that name taking it, and who has not.

    Options in `asked`, TOML by name, come first: a measure whose protocol they say keeps it. Raises
    UsageError when no measure has it.
    """
    own = {name for name, text in asked.items() if OPTION in _options_in(text)}
    known = {name: _protocols(one) for name, one in chosen.items() if name not in own}
    following = {name for name, protocols in known.items() if protocol in protocols}
    if not following:
        choices = sorted({each for protocols in known.values() for each in protocols})
        raise UsageError(
            f"--protocol {protocol}: no measure here has it; known: "
            f"{', '.join(choices) or 'none'}{did_you_mean(protocol, choices)}"
        )
    taken = {
        name: _with_protocol(one, protocol) if name in following else one
        for name, one in chosen.items()
    }
    return taken, [name for name in known if name not in following]


def _options_in(text: str) -> Mapping[str, Any]:
    """Return the options of a --measure, which were found to be TOML."""
    options: Mapping[str, Any] = tomllib.loads(f"options = {{{text}}}")["options"]
    return options


def _protocols(chosen: Chosen) -> tuple[str, ...]:
    """Return the protocols a measure may be told to follow; none where it has but one."""
    field = type(chosen.options).model_fields.get(OPTION)
    return () if field is None else tuple(map(str, get_args(field.annotation)))


def _with_protocol(chosen: Chosen, protocol: str) -> Chosen:
    given = {name: getattr(chosen.options, name) for name in chosen.options.model_fields_set}
    try:
        options = type(chosen.options)(**{**given, OPTION: protocol})
    except ValidationError as error:
        cause = str(error.errors()[0]["msg"])
        raise UsageError(f"--protocol {protocol}: {chosen.table}: {cause}") from None
    return replace(chosen, options=options)
