"""`gantk compare`: runs side by side, nothing put on one line that was not found alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.scores import figure
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.comparison import Difference, Family, Row, Side, Spread, Table

MARK = "*"
"""Stands at a line whose values were not found alike."""
LONGEST = 40


@click.command(short_help="Runs side by side: recipes, scores, seeds.")
@click.argument("sources", metavar="RUN…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def compare(session: Session, sources: Sequence[str], *, as_json: bool) -> None:
    """Compare runs: what differs in their recipes, what they scored, and what seeds make of it.

    A line marked with * holds values that were not found alike; what differs is said below it.
    Scores on different data are in different tables. Runs that differ by seed only are a family:
    every value is shown, with the median and the quartiles.
    """
    del session
    from gan_toolkit.comparison import differences, families, read_sides, score_tables

    sides = read_sides(_runs(sources))
    found = differences(sides), score_tables(sides), families(sides)
    if as_json:
        put_json(_as_json(sides, *found))
        return
    _show_sides(sides)
    _show_differences(sides, found[0])
    for one in found[1]:
        _show_table(one)
    for family in found[2]:
        _show_family(family)


def _runs(sources: Sequence[str]) -> list[Any]:
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    if len(sources) < 2:
        raise UsageError(f"one run can't be compared; name another beside {sources[0]}")
    runs = [find_run(source, RUNS) for source in sources]
    places = [run.folder.resolve() for run in runs]
    for source, place in zip(sources, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"{source} is named twice; a run can't be compared with itself")
    return runs


# --- what is the same, and what is not -------------------------------------------------------


def _show_sides(sides: Sequence[Side]) -> None:
    heading("Runs")
    table(
        [_facts(side) for side in sides],
        ("run", "recipe", "status", "seed", "scored at", "device"),
        right=[3, 4],
        indent="  ",
    )


def _facts(side: Side) -> tuple[str, ...]:
    facts = side.run.run_json
    variants = ", ".join(facts.get("variants") or ())
    recipe = str(facts.get("recipe", "")) + (f", variant {variants}" if variants else "")
    scored = f"step {side.step:,}" if side.scores else "never"
    status = str(facts.get("status", "?"))
    return (side.label, recipe, status, str(side.seed), scored, str(facts.get("device", "")))


def _show_differences(sides: Sequence[Side], found: Sequence[Difference]) -> None:
    put()
    heading("Recipes" if found else "Recipes: the same")
    labels = [side.label for side in sides]
    for group in dict.fromkeys(one.group for one in found):
        rows = [(d.key, *map(_shown, d.values)) for d in found if d.group == group]
        table(rows, (group, *labels), indent="  ")


def _shown(value: Any) -> str:
    """Return a value of a recipe in a few words: of a table, what it chooses."""
    from gan_toolkit.cli.fields import toml_of

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


def _show_table(one: Table) -> None:
    name, source, fingerprint = one.data
    put()
    heading(f"Scores on {name} ({source}, {fingerprint})")
    labels = [side.label for side in one.sides]
    table(
        [(_marked(row), row.name, *map(_value, row.records), _unit(row)) for row in one.rows],
        ("measure", "of", *labels, "unit"),
        right=range(2, 2 + len(labels)),
        indent="  ",
    )
    _warn(one.rows, labels)


def _show_family(family: Family) -> None:
    put()
    seeds = [f"seed {side.seed}" for side in family.sides]
    heading(f"Seeds: {', '.join(side.label for side in family.sides)} differ by nothing else")
    table(
        [
            (
                _marked(one),
                one.name,
                *map(_number, one.values),
                _number(one.median),
                f"{_number(one.low)} to {_number(one.high)}" if one.low is not None else "-",
                str(one.count),
            )
            for one in family.spreads
        ],
        ("measure", "of", *seeds, "median", "quartiles", "n"),
        right=range(2, 5 + len(seeds)),
        indent="  ",
    )
    _warn(family.spreads, [])


def _marked(row: Row | Spread) -> str:
    return row.measure + (f" {MARK}" if row.differs else "")


def _warn(rows: Sequence[Row | Spread], labels: Sequence[str]) -> None:
    """Say what was not found alike, on a line each."""
    for row in rows:
        for key, values in row.differs.items():
            told = ", ".join(
                f"{label}: {'-' if value is None else value or 'none'}"
                for label, value in zip(labels or [""] * len(values), values, strict=True)
            )
            known = told if labels else "see above"
            put(f"  {MARK} {row.measure} {row.name}: {key} differs ({known})")


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


# --- JSON ------------------------------------------------------------------------------------


def _as_json(
    sides: Sequence[Side],
    found: Sequence[Difference],
    tables: Sequence[Table],
    kin: Sequence[Family],
) -> dict[str, Any]:
    return {
        "runs": [
            {"label": s.label, "folder": str(s.run.folder), "step": s.step, **s.run.run_json}
            for s in sides
        ],
        "differences": [one._asdict() for one in found],
        "tables": [
            {
                "data": dict(zip(("name", "source", "fingerprint"), one.data, strict=True)),
                "runs": [side.label for side in one.sides],
                "rows": [vars(row) for row in one.rows],
            }
            for one in tables
        ],
        "families": [
            {
                "runs": [side.label for side in family.sides],
                "seeds": [side.seed for side in family.sides],
                "scores": [vars(one) for one in family.spreads],
            }
            for family in kin
        ],
    }
