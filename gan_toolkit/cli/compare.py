"""`gantk compare`: runs side by side, nothing put on one line that was not found alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import heading, put, put_json, table
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.comparison import Side
    from gan_toolkit.runs import RunFolder


@click.command(short_help="Runs side by side: recipes, scores, seeds.")
@click.argument("sources", metavar="RUN…", nargs=-1, required=True)
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
    session: Session, sources: Sequence[str], page: Path | None, *, as_json: bool, force: bool
) -> None:
    """Compare runs: what differs in their recipes, what they scored, and what seeds make of it.

    A line marked with * holds values that were not found alike; what differs is said below it.
    Scores on different data are in different tables. Runs that differ by seed only are a family:
    every value is shown, with the median and the quartiles.
    """
    from gan_toolkit.comparison import read_sides

    if page is not None and os.path.lexists(page) and not force:
        raise UsageError(f"{page} exists; choose another --html, or --force to replace it")
    sides = read_sides(_runs(sources))
    if page is not None:
        _write_page(page, sides)
        session.say(f"written: {page}")
    if as_json:
        put_json(_as_json(sides))
    else:
        _show(sides)


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


def _show(sides: Sequence[Side]) -> None:
    from gan_toolkit.cli.side_by_side import sections

    for number, section in enumerate(sections(sides)):
        if number:
            put()
        heading(section.title)
        for grid in section.grids:
            table(grid.rows, grid.header, right=grid.right, indent="  ")
        for warning in section.warnings:
            put(f"  {warning}")


def _write_page(path: Path, sides: Sequence[Side]) -> None:
    from gan_toolkit import files
    from gan_toolkit.cli.compare_page import Page
    from gan_toolkit.cli.side_by_side import sections

    page = Page(", ".join(side.label for side in sides))
    for section in sections(sides):
        page.heading(section.title)
        for grid in section.grids:
            page.table(grid.rows, grid.header, grid.right)
        for warning in section.warnings:
            page.line(warning)
    page.heading("Over the steps")
    page.curves(sides)
    files.make_folders(path.absolute().parent)
    files.write_atomic(path, page.html())


def _as_json(sides: Sequence[Side]) -> dict[str, Any]:
    from gan_toolkit.comparison import differences, families, score_tables

    return {
        "runs": [
            {"label": s.label, "folder": str(s.run.folder), "step": s.step, **s.run.run_json}
            for s in sides
        ],
        "differences": [one._asdict() for one in differences(sides)],
        "tables": [
            {
                "data": dict(zip(("name", "source", "fingerprint"), one.data, strict=True)),
                "runs": [side.label for side in one.sides],
                "rows": [vars(row) for row in one.rows],
            }
            for one in score_tables(sides)
        ],
        "families": [
            {
                "runs": [side.label for side in family.sides],
                "seeds": [side.seed for side in family.sides],
                "scores": [vars(one) for one in family.spreads],
            }
            for family in families(sides)
        ],
    }
