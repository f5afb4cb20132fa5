"""Runs side by side as one HTML file: the tables of `gantk compare`, and curves over steps.

Nothing is loaded from anywhere; every text is escaped: names come from files of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from gan_toolkit.cli.text import number
from gan_toolkit.scores import name_of

if TYPE_CHECKING:
    from gan_toolkit.comparison import Side

Points = list[tuple[float, float]]

# Okabe and Ito's colours, which can be told apart by everybody; then the same with dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
WIDTH, HEIGHT, LEFT, EDGE = 420, 200, 64, 20
MOST_POINTS = 400
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1rem }
th, td { text-align: left; padding: .15rem .8rem .15rem 0; border-bottom: 1px solid #ddd }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
figure { display: inline-block; margin: 0 1rem 1rem 0 } figcaption { font-weight: 600 }
svg text { font: 11px system-ui, sans-serif; fill: #555 }
"""


class Page:
    """Takes what is shown, in order, and gives the whole file."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts: list[str] = []

    def heading(self, text: str) -> None:
        """Add a heading."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def line(self, text: str) -> None:
        """Add a line of prose."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def table(
        self, rows: Iterable[Sequence[object]], header: Sequence[str], right: Iterable[int] = ()
    ) -> None:
        """Add a table; `right` names the columns of numbers."""
        numbers = set(right)
        lines = [_row("th", header, numbers), *(_row("td", row, numbers) for row in rows)]
        self._parts.append(f"<table>{''.join(lines)}</table>")

    def curves(self, sides: Sequence[Side]) -> None:
        """Add a figure for everything that at least one run logged twice."""
        curves = {side.label: _curves(side) for side in sides}
        names = dict.fromkeys(name for some in curves.values() for name in some)
        style = {label: _stroke(place) for place, label in enumerate(curves)}
        self._parts.append(f"<p>{_legend(style)}</p>")
        for name in names:
            drawn = {label: some[name] for label, some in curves.items() if name in some}
            if any(len(points) > 1 for points in drawn.values()):
                self._parts.append(_figure(name, drawn, style))

    def html(self) -> str:
        """Return the file."""
        head = f"<meta charset='utf-8'><title>{escape(self._title)}</title><style>{STYLE}</style>"
        body = "\n".join([f"<h1>{escape(self._title)}</h1>", *self._parts])
        return f"<!doctype html><html lang='en'><head>{head}</head><body>{body}</body></html>\n"


def _row(tag: str, cells: Sequence[object], numbers: set[int]) -> str:
    kinds = (" class='n'" if place in numbers else "" for place in range(len(cells)))
    inner = (
        f"<{tag}{kind}>{escape(str(cell))}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
    )
    return f"<tr>{''.join(inner)}</tr>"


# --- curves ----------------------------------------------------------------------------------


def _curves(side: Side) -> dict[str, Points]:
    """Return what a run logged and scored over its steps, by name."""
    found: dict[str, Points] = {}
    for record in side.run.metrics.read():
        step = record.get("step")
        if isinstance(step, int):
            for name, value in _values(record):
                found.setdefault(name, []).append((float(step), value))
    return found


def _values(record: Mapping[str, Any]) -> Iterable[tuple[str, float]]:
    if record.get("event") == "log":
        for name, value in record.items():
            if isinstance(value, int | float) and name not in ("step", "samples_per_second"):
                yield name, float(value)
    elif record.get("event") == "evaluation":
        for score in record.get("scores", ()):
            if score.get("value") is not None and not score.get("void"):
                yield f"score: {' '.join(name_of(score))}", float(score["value"])


def _figure(name: str, drawn: Mapping[str, Points], style: Mapping[str, str]) -> str:
    everything = [point for points in drawn.values() for point in points]
    (left, right), (low, high) = (_ends(axis) for axis in zip(*everything, strict=True))
    lines = []
    for label, points in drawn.items():
        thinned = [*points[: -1 : -(-len(points) // MOST_POINTS)], points[-1]]
        places = (
            f"{LEFT + (x - left) / (right - left) * (WIDTH - LEFT):.1f},"
            f"{EDGE / 2 + (high - y) / (high - low) * (HEIGHT - 2 * EDGE):.1f}"
            for x, y in thinned
        )
        lines.append(f"<polyline fill='none' {style[label]} points='{' '.join(places)}'/>")
    below = HEIGHT - EDGE
    texts = [
        (0, EDGE / 2 + 4, "start", number(high)),
        (0, below - EDGE / 2, "start", number(low)),
        (LEFT, below + 12, "start", f"{left:,.0f}"),
        (WIDTH, below + 12, "end", f"step {right:,.0f}"),
    ]
    words = "".join(
        f"<text x='{x:g}' y='{y:g}' text-anchor='{anchor}'>{escape(text)}</text>"
        for x, y, anchor, text in texts
    )
    box = f"<svg viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' height='{HEIGHT}' role='img'>"
    caption = f"<figcaption>{escape(name)}</figcaption>"
    return f"<figure>{caption}{box}{words}{''.join(lines)}</svg></figure>"


def _ends(axis: Sequence[float]) -> tuple[float, float]:
    low, high = min(axis), max(axis)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _stroke(place: int) -> str:
    dashes = " stroke-dasharray='6 3'" if place // len(COLOURS) % 2 else ""
    return f"stroke='{COLOURS[place % len(COLOURS)]}' stroke-width='1.5'{dashes}"


def _legend(style: Mapping[str, str]) -> str:
    return " &nbsp; ".join(
        f"<svg width='24' height='8'><line x1='0' y1='4' x2='24' y2='4' {stroke}/></svg> "
        f"{escape(label)}"
        for label, stroke in style.items()
    )
