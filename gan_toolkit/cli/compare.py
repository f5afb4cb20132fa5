"""`gantk compare`: runs side by side, nothing put on one line that was not found alike."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.options import SEED, effort_options, named_components
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table, waiting
from gan_toolkit.errors import PluginError, UsageError

if TYPE_CHECKING:
    from gan_toolkit.cli.side_by_side import Section
    from gan_toolkit.comparison import Side, Table
    from gan_toolkit.interfaces import Effort
    from gan_toolkit.runs import RunFolder


@click.command(short_help="Runs side by side: recipes, scores, seeds.")
@click.argument("sources", metavar="RUN…", nargs=-1, required=True, shell_complete=completing.runs)
@click.option(
    "--select",
    "comparisons",
    multiple=True,
    metavar="NAME[:KEY=VALUE,…]",
    help="Score the runs by each other, without labels; VALUE is TOML.",
)
@effort_options
@click.option("--seed", type=SEED, help="Seed of every draw of --select; 0 otherwise.")
@click.option("--device", metavar="DEVICE", help="For --select: auto, cpu, cuda or cuda:1.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with curves beside the tables to this file.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@shared
@pass_session
def compare(
    session: Session,
    sources: Sequence[str],
    comparisons: Sequence[str],
    effort: Effort | None,
    seed: int | None,
    device: str | None,
    page: Path | None,
    *,
    as_json: bool,
    force: bool,
) -> None:
    """Compare runs: what differs in their recipes, what they scored, and what seeds make of it.

    A line marked with * holds values that were not found alike; what differs is said below it.
    Scores on different data are in different tables. Runs that differ by seed only are a family:
    every value is shown, with the median and the quartiles.

    --select loads the models and scores them by each other; `gantk components list comparison`
    names the ways. What it finds is shown and written to no run.
    """
    from gan_toolkit.comparison import read_sides

    if page is not None and os.path.lexists(page) and not force:
        raise UsageError(f"{page} exists; choose another --html, or --force to replace it")
    named = named_components(comparisons, "--select")
    _refuse_idle(named, effort=effort, seed=seed, device=device)
    sides = read_sides(_runs(sources))
    selected, failures = _selected(session, sides, named, effort, seed, device)
    if page is not None:
        _write_page(page, sides, selected)
        session.say(f"written: {page}")
    if as_json:
        put_json(_as_json(sides, selected))
    else:
        from gan_toolkit.cli.side_by_side import sections

        show_sections(sections(sides, selected))
    if failures:
        raise PluginError(f"{len(failures)} failed: {'; '.join(failures)}")


def _refuse_idle(named: Mapping[str, str], **given: object) -> None:
    """Refuse what would have no effect without a comparison."""
    for key, value in given.items():
        if value is not None and not named:
            switch = f"--{value if key == 'effort' else key}"
            raise UsageError(f"{switch} is for --select, which is not there; name a comparison")


def _runs(sources: Sequence[str]) -> list[RunFolder]:
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


def _selected(
    session: Session,
    sides: Sequence[Side],
    named: Mapping[str, str],
    effort: Effort | None,
    seed: int | None,
    device: str | None,
) -> tuple[list[Side], tuple[str, ...]]:
    """Return the runs with what they score by each other, and what failed; nothing unasked."""
    if not named:
        return [], ()
    with waiting("loading torch"):
        from gan_toolkit.selection import Request, select

    def tell(event: Mapping[str, Any]) -> None:
        if event["event"] == "note":
            session.say(str(event["text"]))
        elif session.verbosity:
            session.say(f"comparing by {event['name']}")

    request = Request(named, effort or "default", seed or 0, device)
    found = select(sides, session.host, request, tell)
    scored = zip(sides, found.scores, strict=True)
    return [replace(side, scores=scores) for side, scores in scored], found.failures


def show_sections(sections: Iterable[Section]) -> None:
    """Write sections to stdout, a blank line between them."""
    for number, section in enumerate(sections):
        if number:
            put()
        heading(section.title)
        for grid in section.grids:
            table(grid.rows, grid.header, right=grid.right, indent="  ")
        for warning in section.warnings:
            put(f"  {warning}")


def _write_page(path: Path, sides: Sequence[Side], selected: Sequence[Side]) -> None:
    from gan_toolkit import files
    from gan_toolkit.cli.compare_page import page

    files.make_folders(path.absolute().parent)
    files.write_atomic(path, page(sides, selected))


def _as_json(sides: Sequence[Side], selected: Sequence[Side]) -> dict[str, Any]:
    from gan_toolkit.comparison import differences, families, leaders, score_tables

    of_each_other = score_tables(selected)
    return {
        "runs": [
            {"label": s.label, "folder": str(s.run.folder), "step": s.step, **s.run.run_json}
            for s in sides
        ],
        "differences": [one._asdict() for one in differences(sides)],
        "tables": _tables(score_tables(sides)),
        "families": [
            {
                "runs": [side.label for side in family.sides],
                "seeds": [side.seed for side in family.sides],
                "scores": [vars(one) for one in family.spreads],
            }
            for family in families(sides)
        ],
        "selection": {
            "tables": _tables(of_each_other),
            "best": [best._asdict() for one in of_each_other for best in leaders(one)],
        },
    }


def _tables(tables: Sequence[Table]) -> list[dict[str, Any]]:
    return [
        {
            "data": dict(zip(("name", "source", "fingerprint"), one.data, strict=True)),
            "runs": [side.label for side in one.sides],
            "rows": [vars(row) for row in one.rows],
        }
        for one in tables
    ]
