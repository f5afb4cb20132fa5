"""`${env:NAME}` and `${env:NAME:-default}` in the texts of a recipe.

One more dollar in front makes it plain text: `$${env:NAME}` reads `${env:NAME}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gan_toolkit.recipe.options import EnvironmentText

# The look behind keeps a long row of dollars from being tried at each of them.
_REFERENCE = re.compile(r"(?<!\$)(\$+)\{env:([^{}]*)\}?")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_OPENING = re.compile(r"(?<!\$)\$+(?=\{env:)")


class Unset(ValueError):
    """A reference can't be replaced; the text says why and what would work."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """Return `text` with its references replaced; Unset when a variable is missing."""
    replaced = False

    def replace(match: re.Match[str]) -> str:
        nonlocal replaced
        dollars, inside = match.groups()
        if len(dollars) > 1:
            return match.group()[1:]
        replaced = True
        return _value(match.group(), inside, environ)

    expanded = _REFERENCE.sub(replace, text)
    return EnvironmentText(expanded, text) if replaced else expanded


def escape(text: str) -> str:
    """Return what `expand` reads as `text`."""
    return _OPENING.sub(lambda match: "$" + match.group(), text)


def _value(reference: str, inside: str, environ: Mapping[str, str]) -> str:
    match = _INSIDE.fullmatch(inside)
    if match is None or not reference.endswith("}"):
        raise Unset(f"{reference} is no reference; ${{env:NAME}} or ${{env:NAME:-default}}")
    name, default = match.groups()
    value = environ.get(name, default)
    if value is None:
        raise Unset(
            f"environment variable {name} is not set; set it, or write ${{env:{name}:-default}}"
        )
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Unset(f"environment variable {name} is not UTF-8; set it to a text")
    return value
