"""What our pages share: their templates, their look, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from gan_toolkit.charts import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH

_FOLDER = "report/templates"
"""Found from the package above: what is in `report` loads torch, and not every page needs it."""


@cache
def part(name: str) -> str:
    """Return a template, style sheet or script of ours by its file name."""
    return (resources.files("gan_toolkit") / _FOLDER / name).read_text("utf-8")


def allowed(text: str) -> str:
    """Return how a page's policy names a style sheet or script that stands in it."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def environment(clean: Callable[[Any], Any]) -> Environment:
    """Return what finds our templates; what they insert goes through `clean`, and is escaped."""
    made = Environment(
        autoescape=True,
        finalize=clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(part),
    )
    made.globals["plot"] = {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "bottom": HEIGHT - BOTTOM,
    }
    return made
