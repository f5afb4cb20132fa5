"""Runs side by side as one HTML file: the tables of `gantk compare`, every seed, and curves.

Nothing is loaded from anywhere and no script runs; every text is escaped: names come from files of
anybody. Light: no torch here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gan_toolkit.charts import MOST_SERIES, Chart, Mark, Values, chart
from gan_toolkit.cli.side_by_side import sections
from gan_toolkit.cli.strips import WIDTH, strips
from gan_toolkit.errors import GantkError
from gan_toolkit.files import printable
from gan_toolkit.pages import allowed, environment, part
from gan_toolkit.scores import name_of
from gan_toolkit.tensorfile import describe

if TYPE_CHECKING:
    from gan_toolkit.comparison import Side

_ENTROPY = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Drawing:
    """Curves of one name, of all runs that have it."""

    chart: Chart
    missing: list[str]
    """Runs whose journal does not hold it."""


def page(sides: Sequence[Side], selected: Sequence[Side]) -> str:
    """Return the file; `selected` are the same runs with what they score by each other."""
    style = part("report.css") + part("compare.css")
    drawings = list(_drawings(sides))
    return (
        environment(_cleaned)
        .get_template("compare.html.j2")
        .render(
            title=", ".join(side.label for side in sides),
            sections=[
                (section, strips(section.family) if section.family else [])
                for section in sections(sides, selected)
            ],
            strip_width=WIDTH,
            information=[one for one in drawings if one.chart.levels],
            others=[one for one in drawings if not one.chart.levels],
            style=Markup(style),  # our own, the only text that is inserted as it is
            policy=f"default-src 'none'; style-src {allowed(style)}; base-uri 'none'",
        )
    )


def _cleaned(value: Any) -> Any:
    """Take control characters out of text."""
    return printable(value) if type(value) is str else value


# --- curves ----------------------------------------------------------------------------------


def _drawings(sides: Sequence[Side]) -> Iterator[Drawing]:
    """Yield everything that at least one run logged twice, so many runs in one drawing."""
    curves = dict(zip(_legends(sides), map(_curves, sides), strict=True))
    marks = _entropies(sides)
    names = dict.fromkeys(name for some in curves.values() for name in some)
    for name in names:
        there = {label: some[name] for label, some in curves.items() if name in some}
        if all(len(values) < 2 for values in there.values()):
            continue
        missing = [label for label in curves if label not in there]
        term, _, code = name.partition("/")
        is_term = any(term in (side.recipe.get("regularisers") or {}) for side in sides)
        wanted = [marks[code]] if is_term and code in marks else []
        for styles in _styles(list(curves)):
            some = {label: there[label] for label in styles if label in there}
            if some:
                yield Drawing(chart(name, some, wanted, styles=styles), missing)


def _styles(labels: Sequence[str]) -> Iterator[dict[str, int]]:
    """Yield the runs of one drawing after another: a run looks the same in all of its kind."""
    for start in range(0, len(labels), MOST_SERIES):
        yield {label: i for i, label in enumerate(labels[start : start + MOST_SERIES])}


def _legends(sides: Sequence[Side]) -> list[str]:
    """Return the labels of runs, with their variants where these are not all the same."""
    variants = [", ".join(map(str, side.run.run_json.get("variants") or ())) for side in sides]
    told = [f" (variant {names})" if names else "" for names in variants]
    alike = len(set(variants)) == 1
    return [side.label + ("" if alike else more) for side, more in zip(sides, told, strict=True)]


def _entropies(sides: Sequence[Side]) -> dict[str, Mark]:
    """Return H(c) of each code as the model files say it, which need not be there."""
    found: dict[str, Mark] = {}
    for side in sides:
        codes: Any = None
        with suppress(GantkError):
            codes = describe(side.run.model)["facts"].get("codes")
        for code, facts in codes.items() if isinstance(codes, Mapping) else ():
            number = _ENTROPY.match(str(facts.get("H"))) if isinstance(facts, Mapping) else None
            if number:  # whether it is a ceiling, the file does not say
                found.setdefault(code, Mark(float(number[0]), code, None))
    return found


def _curves(side: Side) -> dict[str, Values]:
    """Return what a run logged and scored over its steps, by name."""
    found: dict[str, Values] = {}
    for record in side.run.metrics.read():
        step = record.get("step")
        if isinstance(step, int):
            for name, value in _values(record):
                found.setdefault(name, []).append((step, value))
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
