"""A comparison of runs in words: sections of tables, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_toolkit.cli.fields import toml_of
from gan_toolkit.cli.scores import figure
from gan_toolkit.comparison import differences, families, score_tables

if TYPE_CHECKING:
    from gan_toolkit.comparison import Difference, Family, Row, Side, Spread, Table

MARK = "*"
"""Stands at a line whose values were not found alike."""
LONGEST = 40


class Grid(NamedTuple):
    """A table; `right` names the columns of numbers."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()


@dataclass(frozen=True)
class Section:
    """Tables under a title, and what must be known of them."""

    title: str
    grids: Sequence[Grid]
    warnings: Sequence[str] = field(default_factory=list)


def sections(sides: Sequence[Side]) -> Iterator[Section]:
    """Yield the runs, the differences of their recipes, their scores, and families of seeds."""
    yield _runs(sides)
    yield _recipes(sides, differences(sides))
    yield from map(_scores, score_tables(sides))
    yield from map(_seeds, families(sides))


def _runs(sides: Sequence[Side]) -> Section:
    header = ("run", "recipe", "status", "seed", "scored at", "device")
    return Section("Runs", [Grid(header, list(map(_facts, sides)), (3, 4))])


def _facts(side: Side) -> tuple[str, ...]:
    facts = side.run.run_json
    variants = ", ".join(facts.get("variants") or ())
    recipe = str(facts.get("recipe", "")) + (f", variant {variants}" if variants else "")
    scored = f"step {side.step:,}" if side.scores else "never"
    status = str(facts.get("status", "?"))
    return (side.label, recipe, status, str(side.seed), scored, str(facts.get("device", "")))


def _recipes(sides: Sequence[Side], found: Sequence[Difference]) -> Section:
    labels = [side.label for side in sides]
    grids = [
        Grid(
            (group, *labels),
            [(d.key, *map(_shown, d.values)) for d in found if d.group == group],
        )
        for group in dict.fromkeys(one.group for one in found)
    ]
    return Section("Recipes" if found else "Recipes: the same", grids)


def _shown(value: Any) -> str:
    """Return a value of a recipe in a few words: of a table, what it chooses."""
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        chosen = [str(inner["use"]) for inner in (value, *value.values()) if _chooses(inner)]
        return ", ".join(chosen) or f"{len(value)} keys"
    text = toml_of(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _chooses(value: Any) -> bool:
    return isinstance(value, Mapping) and "use" in value


# --- scores ----------------------------------------------------------------------------------


def _scores(one: Table) -> Section:
    name, source, fingerprint = one.data
    labels = [side.label for side in one.sides]
    rows = [(_marked(row), row.name, *map(_value, row.records), _unit(row)) for row in one.rows]
    grid = Grid(("measure", "of", *labels, "unit"), rows, range(2, 2 + len(labels)))
    title = f"Scores on {name} ({source}, {fingerprint})"
    return Section(title, [grid], list(_warnings(one.rows, labels)))


def _seeds(family: Family) -> Section:
    labels = [side.label for side in family.sides]
    seeds = [f"seed {side.seed}" for side in family.sides]
    header = ("measure", "of", *seeds, "median", "quartiles", "n")
    rows = [
        (
            _marked(one),
            one.name,
            *map(_number, one.values),
            _number(one.median),
            "-" if one.low is None else f"{_number(one.low)} to {_number(one.high)}",
            str(one.count),
        )
        for one in family.spreads
    ]
    title = f"Seeds: {', '.join(labels)} differ by nothing else"
    grid = Grid(header, rows, range(2, 5 + len(seeds)))
    return Section(title, [grid], list(_warnings(family.spreads, [])))


def _marked(row: Row | Spread) -> str:
    return row.measure + (f" {MARK}" if row.differs else "")


def _warnings(rows: Sequence[Row | Spread], labels: Sequence[str]) -> Iterator[str]:
    """Yield what was not found alike; without labels only that it was not."""
    for row in rows:
        for key, values in row.differs.items():
            each = zip(labels, values, strict=False)
            told = ", ".join(f"{label}: {_said(value)}" for label, value in each)
            yield f"{MARK} {row.measure} {row.name}: {key} differs ({told or 'see above'})"


def _said(value: Any) -> str:
    return "-" if value is None else str(value) or "none"


def _value(record: Mapping[str, Any] | None) -> str:
    if record is None:
        return "-"
    if record.get("void") or record.get("value") is None:
        return "void"
    return figure(record["value"])


def _unit(row: Row) -> str:
    return next((str(r["unit"]) for r in row.records if r is not None and r.get("unit")), "")


def _number(value: float | None) -> str:
    return "-" if value is None else figure(value)
