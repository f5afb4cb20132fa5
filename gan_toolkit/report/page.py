"""The page: one file that opens anywhere, asks for nothing and runs nothing but its own script.

Whatever is inserted is escaped by the template engine and cut free of places of the machine on its
way in, in one spot. The page's policy allows the one style sheet and the one script that are in
it, by their hashes, pictures that are in it, and nothing else: no address is ever asked.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from gan_toolkit import __version__
from gan_toolkit.report.album import Album
from gan_toolkit.report.curves import HEIGHT, WIDTH, Chart
from gan_toolkit.report.gather import Gathered
from gan_toolkit.report.images import DataUri
from gan_toolkit.report.pictures import Figure
from gan_toolkit.report.places import without_places

_TEMPLATES = "templates"
_LONGEST = 20_000
"""Letters of one text; the longest of ours is the path of a curve."""


def page(
    gathered: Gathered,
    charts: list[Chart],
    figures: list[Figure],
    album: Album | None,
    no_album: str,
    now: datetime | None = None,
) -> str:
    """Return the page; `no_album` says why there is no album, if there is none."""
    style, script = _part("report.css"), _part("report.js")
    return _template().render(
        run=gathered,
        charts=charts,
        chart_size=(WIDTH, HEIGHT),
        figures=figures,
        album=album,
        no_album=no_album,
        policy=_policy(style, script),
        # our own files, the only text that is inserted as it is
        style=Markup(style),
        script=Markup(script),
        version=__version__,
        written=f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@cache
def _part(name: str) -> str:
    return (resources.files(__package__) / _TEMPLATES / name).read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        finalize=_inserted,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_part("report.html.j2"))


def _inserted(value: Any) -> Any:
    """Clean every text that a template inserts; it is escaped afterwards."""
    if isinstance(value, Markup | DataUri) or not isinstance(value, str):
        return value
    return without_places(value[:_LONGEST])
