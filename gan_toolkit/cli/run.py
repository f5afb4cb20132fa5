"""`gantk run` and `gantk resume`: a recipe becomes a run, a run goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.display import display_for
from gan_toolkit.cli.options import (
    NO_VARIANT,
    SEED,
    overrides_from,
    recipe_changes,
    recipe_source,
    value_changes,
    without_base,
)
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, put_json, table, waiting
from gan_toolkit.errors import Interrupted, Preempted, UsageError
from gan_toolkit.launcher import Place, place_of
from gan_toolkit.signals import Leaving, Stop

if TYPE_CHECKING:
    from gan_toolkit.device import Device
    from gan_toolkit.distributed import Ranks
    from gan_toolkit.recipe import Override, Recipe

CPU_VARIANT = "cpu"
RUNS = Path("runs")


class Told(click.Command):
    """A command that tells its events as JSON if asked to: how it ended too, whatever it was."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Look for `--json` before anything is read that may be wrong."""
        if parent is not None and "--json" in args:
            parent.ensure_object(Session).events = True
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=Told, short_help="Train what a recipe says, in a fresh folder.")
@click.argument("recipe", type=recipe_source, shell_complete=completing.recipes)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--name", help="Name of the run's folder; a time and an id otherwise.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--seed", type=SEED, help="Seed of everything random.")
@click.option("--steps", type=click.IntRange(1), help="Steps to train.")
@recipe_changes
@click.option("--no-report", is_flag=True, help="Leave no report.html.")
@click.option("--dry-run", is_flag=True, help="Build everything, train nothing, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event on stdout.")
@shared
@pass_session
def run(
    session: Session,
    recipe: str,
    out: Path,
    name: str | None,
    device: str | None,
    seed: int | None,
    steps: int | None,
    variants: tuple[str, ...],
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    no_report: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train what RECIPE says: the path of a file, or a name from `gantk recipe list`.

    The last line of standard output is the run's folder. Ctrl-C finishes the step, saves, and
    says how to go on.
    """
    fixed = {"run.device": device, "run.seed": seed, "run.steps": steps}
    overrides = overrides_from(settings, removals, fixed)
    with leaving_in_order(session), together(session) as ranks:
        chosen, where = choose(session, recipe, variants, overrides)
        from gan_toolkit.launch import follow, launch

        if dry_run:
            show_plan(session, chosen, where, as_json=as_json)
            return
        if ranks is not None and not ranks.is_first:
            follow(chosen, session.host, device=where, ranks=ranks)
            return
        with display_for(session, json=as_json) as display:
            display.peak_memory = where.peak_memory
            made = launch(
                chosen,
                session.host,
                device=where,
                out=out,
                name=name,
                tell=display.tell,
                argv=sys.argv,
                report=not no_report,
                ranks=ranks,
            )
            display.close(made.folder)


@click.command(cls=Told, short_help="Go on with a run that stopped.")
@click.argument("run", shell_complete=completing.runs)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where runs are looked for by name.",
)
@click.option("--steps", type=click.IntRange(1), help="Train to this step instead of the recipe's.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@value_changes
@click.option(
    "--allow-change",
    is_flag=True,
    help="Let --set and --unset change training steps; run and journal say so.",
)
@click.option("--no-report", is_flag=True, help="Leave no report.html.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event on stdout.")
@shared
@pass_session
def resume(
    session: Session,
    run: str,
    out: Path,
    steps: int | None,
    device: str | None,
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    allow_change: bool,
    no_report: bool,
    as_json: bool,
) -> None:
    """Go on with RUN from its newest whole checkpoint, as if it had never stopped.

    RUN is a folder, or the beginning of a run's name or id. --set and --unset change what enters
    no training step, such as panels, measures and trackers, and with --allow-change all else.
    """
    overrides = overrides_from(settings, removals, {"run.steps": steps})
    with leaving_in_order(session), together(session) as ranks:
        from gan_toolkit.runs import find_run

        refuse_file(run)
        folder = find_run(run, out).folder
        host = session.host
        with waiting("loading torch"):
            from gan_toolkit.device import Device
            from gan_toolkit.launch import follow_resumed
            from gan_toolkit.launch import resume as go_on

        if ranks is not None and not ranks.is_first:
            follow_resumed(folder, host, ranks=ranks, overrides=overrides, device=device)
            return
        with display_for(session, json=as_json) as display:
            display.peak_memory = Device().peak_memory
            go_on(
                folder,
                host,
                tell=display.tell,
                overrides=overrides,
                allow_change=allow_change,
                device=device,
                argv=sys.argv,
                report=not no_report,
                ranks=ranks,
            )
            display.close(folder)


def refuse_file(text: str) -> None:
    """Refuse the file of a model, or any other, in place of a run."""
    if not os.path.isfile(text):  # noqa: PTH113 - any text is a question, a long one too
        return
    from gan_toolkit.runs import RUN

    path = Path(text)
    what = "a model file" if path.suffix == ".safetensors" else "a file"
    of_run = (path.parent / RUN).exists()
    near = f": {command('resume', path.parent)}" if of_run else ""
    raise UsageError(f"{path} is {what}; resume takes a run's folder{near}")


def choose(
    session: Session, recipe: str, variants: tuple[str, ...], overrides: Sequence[Override]
) -> tuple[Recipe, Device]:
    """Read the recipe and choose the device; without an accelerator take its variant for that."""
    from gan_toolkit.recipe import load_recipe

    place = None if session.ranks is None else session.ranks.place
    wanted = without_base(variants)
    loaded = load_recipe(recipe, session.host, variants=wanted, overrides=overrides)
    device = device_of(loaded, place)
    if not variants and CPU_VARIANT in loaded.variants and device.torch_device.type == "cpu":
        session.say(
            f"no accelerator: using variant '{CPU_VARIANT}' (choose another with --variant; "
            f"--variant {NO_VARIANT} for none)"
        )
        wanted = (CPU_VARIANT,)
        loaded = load_recipe(recipe, session.host, variants=wanted, overrides=overrides)
        device = device_of(loaded, place)
    for note in loaded.notes:
        session.say(note)
    return loaded, device


def device_of(recipe: Recipe, place: Place | None = None) -> Device:
    """Return the device the recipe asks for, of several processes the one for this `place`."""
    with waiting("loading torch"):
        from gan_toolkit import device

    return device.device_of(recipe.run, place=place)


def show_plan(session: Session, recipe: Recipe, device: Device, *, as_json: bool) -> None:
    """Show what a run would do."""
    from gan_toolkit.launch import plan

    applied = ", ".join(recipe.applied)
    rows = [("recipe", recipe.name + (f", variant {applied}" if applied else ""))]
    rows += plan(recipe, session.host, device, session.ranks)
    if session.ranks is not None and not session.ranks.is_first:
        return
    if as_json:
        put_json({"plan": dict(rows)})
    else:
        table(rows)


@contextmanager
def together(session: Session) -> Iterator[Ranks | None]:
    """Meet the other processes of the run, if a launcher started several: only the first speaks."""
    place = place_of()
    if place.count == 1:
        yield None
        return
    from gan_toolkit.device import accelerator_available
    from gan_toolkit.distributed import joined

    with joined(place, accelerated=accelerator_available()) as ranks:
        session.ranks = ranks
        if not ranks.is_first:
            session.say = _nobody
        yield ranks


def _nobody(_text: str) -> None:
    """Say nothing: another process says it."""


@contextmanager
def leaving_in_order(session: Session) -> Iterator[None]:
    """Outside the training loop too, let a request of the system to stop end with its exit code."""
    with Leaving(for_good=session.owns_process) as leaving:
        session.settle = leaving.settle
        yield


@contextmanager
def going_on_later(session: Session) -> Iterator[None]:
    """Like `leaving_in_order`, for work that the same command takes up where it stopped."""
    later = "the same command goes on where it was"
    try:
        with leaving_in_order(session):
            yield
    except Stop as stop:
        raise Preempted(f"stopped by {stop}; {later}") from stop
    except KeyboardInterrupt as error:
        raise Interrupted(f"stopped; {later}") from error
