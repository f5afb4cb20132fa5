"""`gantk sweep`: a recipe over seeds, or over a search space, by any number of workers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.options import NO_VARIANT, overrides_from, recipe_changes, recipe_source
from gan_toolkit.cli.run import RUNS, Told, choose, going_on_later
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.sweep_display import SweepDisplay, sweep_display_for
from gan_toolkit.cli.text import count_of, waiting
from gan_toolkit.errors import UsageError
from gan_toolkit.launcher import cores

if TYPE_CHECKING:
    from gan_toolkit.recipe import Override, Recipe
    from gan_toolkit.sweep.entries import Entry
    from gan_toolkit.sweep.plan import Plan, Slot
    from gan_toolkit.sweep.space import Search
    from gan_toolkit.sweep.trial import Calls

MOST_SEEDS = 10_000
DEFAULT_NAME = "seeds"
DATABASE = "sweep.db"


@click.command(cls=Told, short_help="Train a recipe over seeds, or over a search space.")
@click.argument("recipe", type=recipe_source, shell_complete=completing.recipes)
@click.option("--seeds", metavar="N|A,B,…", help="So many seeds from 0 on, or these.")
@click.option(
    "--search",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file that says what varies, and what is wanted.",
)
@click.option("--trials", type=click.IntRange(1, 100_000), help="Points of a search to try.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Runs at a time, which share the cores.",
)
@click.option(
    "--storage",
    metavar="URL",
    help="Database that all workers share; sqlite in the sweep's folder otherwise.",
)
@click.option("--name", help="Name of the sweep, which starts those of its runs.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where the folders are made.",
)
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--steps", type=click.IntRange(1), help="Steps to train.")
@recipe_changes
@click.option("--no-report", is_flag=True, help="Leave no report.html in the runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event on stdout.")
@shared
@pass_session
def sweep(
    session: Session,
    recipe: str,
    seeds: str | None,
    search: Path | None,
    trials: int | None,
    jobs: int,
    storage: str | None,
    name: str | None,
    out: Path,
    device: str | None,
    steps: int | None,
    variants: tuple[str, ...],
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    no_report: bool,
    as_json: bool,
) -> None:
    """Train what RECIPE says many times: over --seeds, over --search, or both.

    Every trial is an ordinary run. The same command joins a sweep that others work at, on this
    machine or any that reaches --storage, and goes on with one that was stopped. With both, each
    point of the search is run with every seed, and its value is the median.
    """
    if search is None and seeds is None:
        raise UsageError("nothing varies; say --seeds, --search, or both")
    if search is None and trials is not None:
        raise UsageError("--trials is for --search; so many seeds: --seeds N")
    if recipe == "-":
        raise UsageError("each run reads the recipe anew: it must be a file, or a name")
    fixed = {"run.device": device, "run.steps": steps}
    overrides = overrides_from(settings, removals, fixed)
    with going_on_later(session):
        read, slots = _slots(search, trials, _seeds(seeds))
        chosen, _ = choose(session, recipe, variants, overrides)
        if read is not None:
            _check(session, read, recipe, chosen, overrides, varies_seed=seeds is not None)
        label = name or (DEFAULT_NAME if search is None else search.stem)
        plan = _plan(label, chosen, slots, read)
        changes = _words("--set", settings) + _words("--unset", removals)
        changes += _words("--set", [f"{k}={json.dumps(v)}" for k, v in fixed.items() if v])
        changes += ["--no-report"] * no_report
        calls = _calls(session, recipe, chosen, changes, out, label, jobs)
        with sweep_display_for(session, json=as_json) as display:
            same = partial(_refuse_changes, session, recipe, chosen, overrides)
            entries = _work(plan, calls, storage, jobs, same, display)
            display.close(entries, plan, calls)
    _raise_if_all_failed(entries)


# --- what is asked for -----------------------------------------------------------------------


def _seeds(text: str | None) -> tuple[int, ...]:
    """Read `5`, so many from 0 on, or `3,7,11`; one seed alone ends with a comma."""
    if text is None:
        return ()
    words = [word.strip() for word in text.removesuffix(",").split(",")]
    if not all(word.isdecimal() and word.isascii() and len(word) < 20 for word in words):
        raise UsageError(f"--seeds {text}: a number of seeds such as 5, or seeds such as 3,7,11")
    numbers = tuple(int(word) for word in words)
    seeds = numbers if "," in text else tuple(range(min(numbers[0], MOST_SEEDS + 1)))
    if not 0 < len(seeds) <= MOST_SEEDS:
        raise UsageError(f"--seeds {text}: 1 to {MOST_SEEDS:,} of them")
    if len(set(seeds)) < len(seeds):
        raise UsageError(f"--seeds {text}: each seed once")
    return seeds


def _slots(
    path: Path | None, trials: int | None, seeds: Sequence[int]
) -> tuple[Search | None, list[Slot]]:
    from gan_toolkit.sweep.plan import slots_of_search, slots_of_seeds
    from gan_toolkit.sweep.space import read_search

    if path is None:
        return None, slots_of_seeds(seeds)
    search = read_search(path)
    return search, slots_of_search(search.space, trials, seeds)


def _check(
    session: Session,
    search: Search,
    recipe: str,
    chosen: Recipe,
    overrides: Sequence[Override],
    *,
    varies_seed: bool,
) -> None:
    from gan_toolkit.sweep.space import SEED, check_search

    if varies_seed and SEED in search.space.search:
        raise UsageError(f"{SEED} varies in {search.document.shown} and by --seeds; one of them")
    check_search(search, recipe, session.host, variants=chosen.applied, overrides=overrides)


def _plan(name: str, chosen: Recipe, slots: Sequence[Slot], search: Search | None) -> Plan:
    from gan_toolkit.runs import folder_name
    from gan_toolkit.sweep.plan import Plan

    space = None if search is None else search.space
    return Plan(folder_name(name, "sweep"), chosen.shareable(), slots, space)


def _words(switch: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (switch, value)]


def _calls(
    session: Session,
    recipe: str,
    chosen: Recipe,
    changes: Sequence[str],
    out: Path,
    name: str,
    jobs: int,
) -> Calls:
    """Return how the runs are called: with the variant that was chosen here, whatever it was."""
    from gan_toolkit.sweep.process import threads_for
    from gan_toolkit.sweep.trial import Calls

    if jobs > cores():
        session.say(f"{jobs} jobs share {count_of(cores(), 'core')}: one thread each")
    shelf = out / chosen.name
    variant = _words("--variant", chosen.applied or [NO_VARIANT])
    without_report = [word for word in changes if word == "--no-report"]
    return Calls(
        run=["run", recipe, *variant, *changes, "--out", str(out)],
        resume=["resume", *without_report],
        shelf=shelf,
        logs=shelf / f"sweep-{name}" / "logs",
        sweep=name,
        environment=threads_for(jobs, os.environ),
        switches=_words("-P", session.switches),
    )


def _refuse_changes(
    session: Session, recipe: str, chosen: Recipe, overrides: Sequence[Override]
) -> None:
    """Refuse to go on when somebody has changed the recipe: trials would differ unseen."""
    from gan_toolkit.recipe import load_recipe
    from gan_toolkit.sweep.plan import changes

    now = load_recipe(recipe, session.host, variants=chosen.applied, overrides=overrides)
    if found := changes(chosen.shareable(), now.shareable()):
        raise UsageError(f"{recipe} changed while the sweep was at work: {'; '.join(found[:5])}")


def _raise_if_all_failed(entries: Sequence[Entry]) -> None:
    from gan_toolkit.sweep.work import failure

    error = failure(entries)
    if error is not None:
        raise error


# --- the work --------------------------------------------------------------------------------


def _work(
    plan: Plan,
    calls: Calls,
    storage: str | None,
    jobs: int,
    check: Callable[[], None],
    display: SweepDisplay,
) -> list[Entry]:
    from gan_toolkit import files
    from gan_toolkit.sweep.ledger import Ledger
    from gan_toolkit.sweep.process import starter
    from gan_toolkit.sweep.storage import url_of
    from gan_toolkit.sweep.work import Worker

    folder = calls.logs.parent
    files.make_folders(folder)
    with waiting("loading optuna"):
        ledger = Ledger(storage or url_of(folder / DATABASE), plan)
    try:
        if not ledger.joined:
            _refuse_strangers(plan, calls)
        display.tell(
            {
                "event": "sweep",
                "sweep": plan.name,
                "folder": str(folder),
                "storage": ledger.shown,
                "trials": len(plan.slots),
                "steps": plan.recipe["run"]["steps"],
                "jobs": jobs,
                "joined": ledger.joined,
            }
        )
        start = starter("gan_toolkit.cli.tethered")
        return Worker(ledger, calls, start, display.tell, jobs=jobs, check=check).work()
    finally:
        ledger.close()


def _refuse_strangers(plan: Plan, calls: Calls) -> None:
    """Refuse names that runs of others have: they would pass for ours."""
    for slot in plan.slots:
        for name, _ in slot.run_names(plan.name):
            if os.path.lexists(calls.shelf / name):
                raise UsageError(
                    f"{calls.shelf / name} is no run of this sweep; take another --name"
                )
