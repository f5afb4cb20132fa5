"""A comparison of runs in words: sections of tables, for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gan_toolkit.cli.fields import toml_of
from gan_toolkit.cli.scores import figure, value_of
from gan_toolkit.comparison import differences, families, leaders, score_tables

if TYPE_CHECKING:
    from gan_toolkit.comparison import Difference, Family, Leader, Row, Side, Spread, Table

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
    family: Family | None = None
    """Runs whose values a page draws beside the table."""


def sections(sides: Sequence[Side], selected: Sequence[Side] = ()) -> Iterator[Section]:
    """Yield the runs, the differences of their recipes, their scores, and families of seeds.

    Then what they score by each other: `selected` are the same runs with these scores.
    """
    yield _runs(sides)
    yield _recipes(sides, differences(sides))
    related = families(sides)
    alone = {side.label for side in sides} - {s.label for one in related for s in one.sides}
    yield from (_scores(table, alone) for table in score_tables(sides))
    yield from map(_seeds, related)
    yield from map(_selected, score_tables(selected))


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


def _scores(one: Table, alone: Collection[str]) -> Section:
    """Return the scores on one data set; runs `alone` have no other that differs by seed only."""
    name, source, fingerprint = one.data
    labels = [side.label for side in one.sides]
    rows = [(_marked(row), row.name, *map(_value, row.records), _unit(row)) for row in one.rows]
    grid = Grid(("measure", "of", *labels, "unit"), rows, range(2, 2 + len(labels)))
    title = f"Scores on {name} ({source}, {fingerprint})"
    single = [label for label in labels if label in alone]
    note = [f"one seed: no spread is known ({', '.join(single)})"] if single else []
    return Section(title, [grid], [*_warnings(one.rows, labels), *note])


def _selected(one: Table) -> Section:
    labels = [side.label for side in one.sides]
    rows = [
        (row.measure, row.name, *map(_with_interval, row.records), _chance(row)) for row in one.rows
    ]
    grid = Grid(("by", "of", *labels, "chance"), rows, range(2, 3 + len(labels)))
    told = [*map(_best, leaders(one)), *_void(one.rows, labels)]
    return Section("The runs by each other, without labels", [grid], [*told, *_SELECTED])


_SELECTED = ("Runs may share a mistake, and agree on it. Nothing was chosen, nothing written.",)


def _chance(row: Row) -> str:
    """Return the highest of the chances, which hardly differ from run to run."""
    known = [float(r["chance"]) for r in row.records if r is not None and "chance" in r]
    return _number(max(known, default=None))


def _best(leader: Leader) -> str:
    told = f"{leader.measure}: the best is {leader.label}, {figure(leader.value)}"
    if leader.close:
        told += f"; not told apart from {', '.join(leader.close)}"
    return told


def _void(rows: Sequence[Row], labels: Sequence[str]) -> Iterator[str]:
    """Yield why values are void, each reason once for each comparison."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        for label, record in zip(labels, row.records, strict=True):
            if record is not None and record.get("void"):
                reasons.setdefault((row.measure, str(record["void"])), {})[label] = None
    for (measure, reason), whose in reasons.items():
        yield f"{measure} void: {reason} ({', '.join(whose)})"


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
    single = [
        f"one seed: no spread is known ({one.measure} {one.name})"
        for one in family.spreads
        if one.count == 1
    ]
    return Section(title, [grid], [*_warnings(family.spreads, []), *single], family)


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
    """Return a value alone: of runs side by side, intervals would hide the values."""
    return _with_interval(None if record is None else {**record, "low": None})


def _with_interval(record: Mapping[str, Any] | None) -> str:
    return "-" if record is None else value_of(record)


def _unit(row: Row) -> str:
    return next((str(r["unit"]) for r in row.records if r is not None and r.get("unit")), "")


def _number(value: float | None) -> str:
    return "-" if value is None else figure(value)
