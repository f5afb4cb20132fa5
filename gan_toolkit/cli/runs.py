"""`gantk runs`: the runs there are, one in full, and making room."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.info import run_rows
from gan_toolkit.cli.run import RUNS
from gan_toolkit.cli.scores import describe_scores, show_scores
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.streams import is_terminal
from gan_toolkit.cli.text import count_of, heading, put, put_json, size, table
from gan_toolkit.errors import GantkError, StorageError, UsageError

if TYPE_CHECKING:
    from gan_toolkit.pruning import Found, Removal
    from gan_toolkit.runs import RunFolder

HOUR, DAY = 3600, 86_400

out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="The folder of runs.",
)


@click.group(cls=Group, short_help="The runs there are, and making room.")
def runs() -> None:
    """The runs there are, one in full, and making room."""


@runs.command("list", short_help="All runs, the latest last.")
@out_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_runs(session: Session, out: Path, *, as_json: bool) -> None:
    """List all runs: what became of each, what it scored, and what it takes."""
    from gan_toolkit.pruning import all_runs

    found = [facts_of(one, out) for one in all_runs(out)]
    if as_json:
        put_json(found)
        return
    if not found:
        session.say(f"there are none in {out}")
        return
    table(
        map(_row, found),
        ("run", "status", "steps", "data", "size", "age", "first score"),
        right=[2, 4, 5],
    )
    for one in found:
        if one["fault"]:
            session.say(str(one["fault"]))


def facts_of(found: Found, out: Path) -> dict[str, Any]:
    """Return what a list says of a run, as JSON."""
    from gan_toolkit.pruning import size_of

    facts = found.facts
    run = found.run
    step, of = (0, None) if run is None else _steps(run)
    score: Mapping[str, Any] | None = None
    with suppress(StorageError):
        score = next(iter([] if run is None else run.scores()[1]), None)
    return {
        "run": found.folder.relative_to(out).as_posix(),
        "recipe": facts.get("recipe", ""),
        "name": facts.get("name", ""),
        "id": facts.get("id", ""),
        "status": found.status,
        "step": step,
        "steps": of,
        "data": (facts.get("data") or {}).get("name", ""),
        "score": score,
        "bytes": size_of(found.folder),
        "changed": found.changed().isoformat(timespec="seconds"),
        "fault": found.fault,
    }


def _steps(run: RunFolder) -> tuple[int, int | None]:
    """Return the steps of which there is a record or a checkpoint, and those that are wanted."""
    step, of = run.saved_step(), None
    with suppress(StorageError):
        step = max(step, int((run.metrics.last() or {}).get("step") or 0))
        of = run.tables().get("run", {}).get("steps")
    return step, of


def _row(facts: Mapping[str, Any]) -> tuple[str, ...]:
    of = "" if facts["steps"] in (None, facts["step"]) else f"/{facts['steps']:,}"
    return (
        facts["run"],
        facts["status"],
        f"{facts['step']:,}{of}",
        str(facts["data"]),
        size(facts["bytes"]),
        age(datetime.fromisoformat(facts["changed"])),
        describe_scores([facts["score"]]) if facts["score"] else "-",
    )


def age(when: datetime) -> str:
    """Return how long ago something was, in the largest unit that fits."""
    seconds = max(0, (datetime.now(UTC) - when).total_seconds())
    for unit, name in ((DAY, "d"), (HOUR, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{seconds:.0f} s"


@runs.command(short_help="One run in full.")
@click.argument("run", shell_complete=completing.runs)
@out_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def show(session: Session, run: str, out: Path, *, as_json: bool) -> None:
    """Show RUN: what became of it, what is in its folder, and what it scored."""
    del session
    from gan_toolkit.pruning import size_of
    from gan_toolkit.runs import find_run

    found = find_run(run, out)
    inside = {path.name: size_of(path) for path in sorted(found.folder.iterdir())}
    step, scores = found.scores()
    if as_json:
        put_json({"run": found.run_json, "bytes": inside, "step": step, "scores": scores})
        return
    heading(str(found.folder))
    table(run_rows(found.run_json, found))
    put()
    heading(f"Files, {size(sum(inside.values()))}")
    table([(name, size(count)) for name, count in inside.items()], right=[1], indent="  ")
    if scores:
        put()
        show_scores(scores, f"Measured at step {step:,}", err=False)


@runs.command(short_help="Make room: remove checkpoints, or whole runs.")
@out_option
@click.option("--keep", type=click.IntRange(0), default=0, help="Spare the newest of each recipe.")
@click.option("--older", type=click.FloatRange(0), metavar="DAYS", help="Only what ended before.")
@click.option("--whole", is_flag=True, help="Whole runs, whatever became of them.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--json", "as_json", is_flag=True, help="What goes, as one JSON array on stdout.")
@shared
@pass_session
def prune(
    session: Session,
    out: Path,
    keep: int,
    older: float | None,
    *,
    whole: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove the checkpoints of finished runs: models, metrics and pictures stay.

    A finished run without checkpoints samples and is evaluated as before, and can't be resumed.
    Pinned checkpoints stay, and so does a run that another process holds.
    """
    from gan_toolkit.pruning import all_runs, choose

    if whole and not keep and older is None:
        raise UsageError("--whole would remove every run; say which: --older DAYS, or --keep N")
    removals = choose(all_runs(out), keep=keep, older=older, whole=whole)
    if not removals:
        session.say(f"there is nothing to remove in {out}")
    if not as_json:
        table([(r.run.folder, _what(r), size(r.bytes)) for r in removals], right=[2])
    if dry_run or not removals:
        gone = removals
    else:
        _ask(removals, yes=yes)
        gone = _remove(session, removals)
    if as_json:
        put_json([_as_json(removal, removed=not dry_run) for removal in gone])


def _ask(removals: Sequence[Removal], *, yes: bool) -> None:
    total = size(sum(removal.bytes for removal in removals))
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise UsageError(f"{total} would go; to agree: --yes, to look only: --dry-run")
    click.confirm(f"Remove {total}?", abort=True, err=True)


def _remove(session: Session, removals: Sequence[Removal]) -> list[Removal]:
    """Remove, and return what is gone; what can't be removed is said."""
    from gan_toolkit.pruning import remove

    gone = []
    for removal in removals:
        try:
            remove(removal)
        except GantkError as error:
            session.say(f"left alone: {error}")
        else:
            gone.append(removal)
    session.say(f"{size(sum(removal.bytes for removal in gone))} removed")
    return gone


def _what(removal: Removal) -> str:
    whole = removal.paths == (removal.run.folder,)
    return "the whole run" if whole else count_of(len(removal.paths), "checkpoint")


def _as_json(removal: Removal, *, removed: bool) -> dict[str, Any]:
    return {
        "run": str(removal.run.folder),
        "paths": [str(path) for path in removal.paths],
        "bytes": removal.bytes,
        "removed": removed,
    }
