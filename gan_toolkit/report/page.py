"""The page: one file that opens anywhere, asks for nothing and runs nothing but its own script.

Whatever is inserted is escaped by the template engine and cut free of places of the machine on its
way in, in one spot. The page's policy allows the one style sheet and the one script that are in
it, by their hashes, pictures that are in it, and nothing else: no address is ever asked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Template
from markupsafe import Markup

from gan_toolkit import __version__
from gan_toolkit.charts import Chart
from gan_toolkit.pages import allowed, environment, part
from gan_toolkit.report.album import Album
from gan_toolkit.report.gather import Gathered
from gan_toolkit.report.images import DataUri
from gan_toolkit.report.pictures import Figure
from gan_toolkit.report.places import without_places

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
    style, script = part("report.css"), part("report.js")
    return _template().render(
        run=gathered,
        charts=charts,
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
            f"style-src {allowed(style)}",
            f"script-src {allowed(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


@cache
def _template() -> Template:
    return environment(_inserted).get_template("report.html.j2")


def _inserted(value: Any) -> Any:
    """Clean every text that a template inserts; it is escaped afterwards."""
    if isinstance(value, Markup | DataUri) or not isinstance(value, str):
        return value
    return without_places(value[:_LONGEST])
