"""Runs side by side: what their recipes ask, what they scored, and what seeds make of it.

Only what was found alike stands on one line unmarked: scores on different data are in different
tables, and those found by different protocols are marked. Light: no torch here.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gan_toolkit.recipe.difference import GROUPS, difference, group_of
from gan_toolkit.recipe.paths import dotted
from gan_toolkit.runs import RunFolder
from gan_toolkit.scores import Record, data_of, name_of, protocol_of

ROUNDING = 0.001
"""What does not show in three digits."""


@dataclass(frozen=True)
class Side:
    """One of the runs: its resolved recipe and its last scores."""

    label: str
    run: RunFolder
    recipe: Mapping[str, Any]
    step: int
    scores: Sequence[Record]

    @property
    def seed(self) -> Any:
        """The seed of its training."""
        return self.recipe.get("run", {}).get("seed")


class Difference(NamedTuple):
    """A key of the recipe that is not the same everywhere; None where it is not there."""

    group: str
    key: str
    values: list[Any]


@dataclass(frozen=True)
class Row:
    """One score of several runs; None where a run has none."""

    measure: str
    name: str
    records: list[Record | None]
    differs: dict[str, list[Any]] = field(default_factory=dict)
    """What of the protocol is not the same, with its values; empty: they may be compared."""

    @property
    def values(self) -> list[float | None]:
        """The values that may be used."""
        return [usable(record) for record in self.records]


@dataclass(frozen=True)
class Table:
    """The scores of runs on one data set."""

    data: tuple[str, str, str]
    """Name, source and fingerprint."""
    sides: list[Side]
    rows: list[Row]


@dataclass(frozen=True)
class Spread:
    """What seeds make of one score."""

    measure: str
    name: str
    values: list[float | None]
    median: float | None
    low: float | None
    """The first quartile."""
    high: float | None
    """The third."""
    count: int
    differs: dict[str, list[Any]]
    unit: str = ""
    chance: float | None = None
    ceiling: float | None = None
    """As all runs have them; None where they differ, or are not known."""


class Leader(NamedTuple):
    """The run that the first score of a comparison speaks for."""

    measure: str
    name: str
    label: str
    value: float
    close: list[str]
    """Others that are not told apart from it: their values reach into its interval, or lie within
    `ROUNDING` where there is none."""


@dataclass(frozen=True)
class Family:
    """Runs that differ in nothing that enters training but the seed."""

    sides: list[Side]
    spreads: list[Spread]


def read_sides(runs: Sequence[RunFolder]) -> list[Side]:
    """Read what is compared, each run once; StorageError when a file of a run is damaged."""
    return [
        Side(label, run, run.tables(), *run.scores())
        for label, run in zip(_labels(runs), runs, strict=True)
    ]


def differences(sides: Sequence[Side]) -> list[Difference]:
    """Return the keys that are not the same in all recipes, group by group."""
    first, *others = (side.recipe for side in sides)
    paths = dict.fromkeys(change.path for other in others for change in difference(first, other))
    values = [dict(_addressed(side.recipe)) for side in sides]
    found = [
        Difference(group_of(path), path, [each.get(path) for each in values]) for path in paths
    ]
    return sorted(found, key=lambda one: GROUPS.index(one.group))


def score_tables(sides: Sequence[Side]) -> list[Table]:
    """Return a table for each data set on which something was scored."""
    data = dict.fromkeys(_data_of(side, record) for side in sides for record in side.scores)
    tables = []
    for one in data:
        here = [s for s in sides if any(_data_of(s, record) == one for record in s.scores)]
        tables.append(Table(one, here, _rows(here, one)))
    return tables


def families(sides: Sequence[Side]) -> list[Family]:
    """Return the runs that differ by seed only, at least two in each family."""
    found: list[list[Side]] = []
    for side in sides:
        for family in found:
            if _differ_by_seed_only(family[0], side):
                family.append(side)
                break
        else:
            found.append([side])
    return [_family(family) for family in found if len({str(s.seed) for s in family}) > 1]


def leaders(table: Table) -> list[Leader]:
    """Return the largest of the first scores that each comparison of several runs gave."""
    firsts: dict[str, Row] = {}
    for row in table.rows:
        firsts.setdefault(row.measure, row)
    return [leader for row in firsts.values() if (leader := _leader(row, table.sides))]


def _leader(row: Row, sides: Sequence[Side]) -> Leader | None:
    known = [
        (value, side.label, record)
        for value, side, record in zip(row.values, sides, row.records, strict=True)
        if value is not None and record is not None
    ]
    if not known:
        return None
    value, label, record = max(known, key=lambda one: one[0])
    low = record.get("low")
    reach = min(value, value - ROUNDING if low is None else float(low))
    close = [other for found, other, _ in known if found >= reach and other != label]
    return Leader(row.measure, row.name, label, value, close)


def usable(record: Record | None) -> float | None:
    """Return the value of a score, None when it is void."""
    if record is None or record.get("void") or record.get("value") is None:
        return None
    return float(record["value"])


# --- recipes ---------------------------------------------------------------------------------


def _addressed(table: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the address of every key in a recipe, those of tables too, and its value."""
    for key, value in table.items():
        yield dotted((*above, key)), value
        if isinstance(value, Mapping):
            yield from _addressed(value, (*above, key))


def _differ_by_seed_only(a: Side, b: Side) -> bool:
    changes = [change.path for change in difference(a.recipe, b.recipe)]
    alike = all(group_of(path) != "training" for path in changes)
    return alike and a.step == b.step and _trained_on(a) == _trained_on(b)


def _trained_on(side: Side) -> Any:
    return (side.run.run_json.get("data") or {}).get("fingerprint")


# --- scores ----------------------------------------------------------------------------------


def _data_of(side: Side, record: Record) -> tuple[str, str, str]:
    """Return the data of a score; a record of old says nothing, and means that of the run."""
    known = data_of(record)
    return known if any(known) else data_of({"data": side.run.run_json.get("data")})


def _rows(sides: Sequence[Side], data: tuple[str, str, str]) -> list[Row]:
    scored = [[r for r in side.scores if _data_of(side, r) == data] for side in sides]
    names = dict.fromkeys(name_of(record) for records in scored for record in records)
    return [
        _row(name, [[r for r in some if name_of(r) == name] for some in scored]) for name in names
    ]


def _row(name: tuple[str, str], candidates: Sequence[Sequence[Record]]) -> Row:
    """Choose a record of each run: of a protocol that all share, the newest otherwise."""
    there = [some for some in candidates if some]
    shared = [
        protocol
        for protocol in map(protocol_of, reversed(there[0]))
        if all(protocol in map(protocol_of, some) for some in there)
    ]
    records = [_chosen(some, shared[0] if shared else None) for some in candidates]
    return Row(*name, records, {} if shared else _differing(records))


def _chosen(records: Sequence[Record], protocol: Mapping[str, Any] | None) -> Record | None:
    fitting = [r for r in records if protocol is None or protocol_of(r) == protocol]
    return fitting[-1] if fitting else None


def _differing(records: Sequence[Record | None]) -> dict[str, list[Any]]:
    protocols = [None if record is None else protocol_of(record) for record in records]
    known = [protocol for protocol in protocols if protocol is not None]
    return {
        key: [None if protocol is None else protocol[key] for protocol in protocols]
        for key in known[0]
        if len({str(protocol[key]) for protocol in known}) > 1
    }


# --- seeds -----------------------------------------------------------------------------------


def _family(sides: list[Side]) -> Family:
    spreads = [
        _spread(row, table, sides)
        for table in score_tables(sides)
        for row in table.rows
        if sum(record is not None for record in row.records) > 1
    ]
    return Family(sides, spreads)


def _spread(row: Row, table: Table, sides: Sequence[Side]) -> Spread:
    """Return median and quartiles, between neighbours by straight lines; void values are left out.

    Quartiles of fewer than three values would say more than is known.
    """
    value_of = {side.label: v for side, v in zip(table.sides, row.values, strict=True)}
    values = [value for value in row.values if value is not None]
    quartiles = statistics.quantiles(values, method="inclusive") if len(values) > 2 else [None] * 3
    return Spread(
        row.measure,
        row.name,
        [value_of.get(side.label) for side in sides],
        statistics.median(values) if values else None,
        quartiles[0],
        quartiles[2],
        len(values),
        row.differs,
        str(_common(row, "unit") or ""),
        _common(row, "chance"),
        _common(row, "ceiling"),
    )


def _common(row: Row, key: str) -> Any:
    """Return what all records say of `key`, None when they do not agree."""
    said = {record.get(key) for record in row.records if record is not None}
    return said.pop() if len(said) == 1 else None


# --- names -----------------------------------------------------------------------------------


def _labels(runs: Sequence[RunFolder]) -> list[str]:
    """Return the shortest names that tell the runs apart: folder, recipe and folder, or path."""
    places = [run.folder.absolute().parts for run in runs]
    lengths = range(1, max(map(len, places)) + 1)
    named = (["/".join(parts[-length:]) for parts in places] for length in lengths)
    return next(labels for labels in named if len(set(labels)) == len(runs))
