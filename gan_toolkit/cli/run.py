"""`gantk run` and `gantk resume`: a recipe becomes a run, a run goes on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from gan_toolkit.cli.display import Display, JsonDisplay, display_for
from gan_toolkit.cli.failures import Stop, known
from gan_toolkit.cli.options import NO_VARIANT, overrides_from, recipe_changes, without_base
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import put_json, table, waiting
from gan_toolkit.errors import Preempted

if TYPE_CHECKING:
    from gan_toolkit.device import Device
    from gan_toolkit.recipe import Override, Recipe
    from gan_toolkit.runs import RunFolder

CPU_VARIANT = "cpu"
RUNS = Path("runs")


@click.command(short_help="Train what a recipe says, in a fresh folder.")
@click.argument("recipe")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where the run's folder is made.",
)
@click.option("--name", help="Name of the run's folder; a time and an id otherwise.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--seed", type=click.IntRange(0), help="Seed of everything random.")
@click.option("--steps", type=click.IntRange(1), help="Steps to train.")
@recipe_changes
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
    dry_run: bool,
    as_json: bool,
) -> None:
    """Train what RECIPE says: the path of a file, or a name from `gantk recipe list`.

    The last line of standard output is the run's folder. Ctrl-C finishes the step, saves, and
    says how to go on.
    """
    fixed = {"run.device": device, "run.seed": seed, "run.steps": steps}
    overrides = overrides_from(settings, removals, fixed)
    with leaving_in_order():
        chosen, where = choose(session, recipe, variants, overrides)
        if dry_run:
            show_plan(session, chosen, where, as_json=as_json)
            return
        from gan_toolkit.launch import launch

        with display_for(session, json=as_json) as display:
            display.peak_memory = where.peak_memory
            watched(
                display,
                lambda: launch(
                    chosen,
                    session.host,
                    device=where,
                    out=out,
                    name=name,
                    tell=display.tell,
                    argv=sys.argv,
                ),
            )


@click.command(short_help="Go on with a run that stopped.")
@click.argument("run")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where runs are looked for by name.",
)
@click.option("--steps", type=click.IntRange(1), help="Train to this step instead of the recipe's.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an event on stdout.")
@shared
@pass_session
def resume(
    session: Session, run: str, out: Path, steps: int | None, device: str | None, *, as_json: bool
) -> None:
    """Go on with RUN from its newest whole checkpoint, as if it had never stopped.

    RUN is a folder, or the beginning of a run's name or id.
    """
    with leaving_in_order():
        from gan_toolkit.runs import find_run

        folder = find_run(run, out).folder
        host = session.host
        with waiting("loading torch"):
            from gan_toolkit.device import Device
            from gan_toolkit.launch import resume as go_on

        with display_for(session, json=as_json) as display:
            display.peak_memory = Device().peak_memory
            watched(
                display,
                lambda: go_on(
                    folder, host, tell=display.tell, steps=steps, device=device, argv=sys.argv
                ),
            )


def watched(display: Display, work: Callable[[], RunFolder]) -> None:
    """Do the work of a run under a display, and close it with what came of it."""
    try:
        folder = work().folder
    except BaseException as error:
        if isinstance(display, JsonDisplay):
            found = known(error)
            text = str(found or f"{type(error).__name__}: {error}")
            display.failed(int(found.exit_code) if found else 1, text)
        raise
    display.close(folder)


def choose(
    session: Session, recipe: str, variants: tuple[str, ...], overrides: Sequence[Override]
) -> tuple[Recipe, Device]:
    """Read the recipe and choose the device; without an accelerator take its variant for that."""
    from gan_toolkit.recipe import load_recipe

    wanted = without_base(variants)
    loaded = load_recipe(recipe, session.host, variants=wanted, overrides=overrides)
    device = device_of(loaded)
    if not variants and CPU_VARIANT in loaded.variants and device.torch_device.type == "cpu":
        session.say(
            f"no accelerator: using variant '{CPU_VARIANT}' (choose another with --variant; "
            f"--variant {NO_VARIANT} for none)"
        )
        wanted = (CPU_VARIANT,)
        loaded = load_recipe(recipe, session.host, variants=wanted, overrides=overrides)
        device = device_of(loaded)
    for note in loaded.notes:
        session.say(note)
    return loaded, device


def device_of(recipe: Recipe) -> Device:
    """Return the device the recipe asks for."""
    with waiting("loading torch"):
        from gan_toolkit.device import choose_device

    keys = recipe.run
    return choose_device(
        keys.device, keys.precision, deterministic=keys.deterministic, threads=keys.threads
    )


def show_plan(session: Session, recipe: Recipe, device: Device, *, as_json: bool) -> None:
    """Show what a run would do."""
    from gan_toolkit.launch import plan

    applied = ", ".join(recipe.applied)
    rows = [("recipe", recipe.name + (f", variant {applied}" if applied else ""))]
    rows += plan(recipe, session.host, device)
    if as_json:
        put_json({"plan": dict(rows)})
    else:
        table(rows)


@contextmanager
def leaving_in_order() -> Iterator[None]:
    """Outside the training loop too, let a request of the system to stop end with its exit code."""
    former = {}

    def leave(number: int, _frame: FrameType | None) -> None:
        raise Stop(signal.Signals(number).name)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    try:
        former = {number: signal.signal(number, leave) for number in numbers}
    except ValueError:  # not the main thread: whoever owns it decides
        former = {}
    try:
        yield
    except Stop as stop:
        raise Preempted(f"stopped by {stop}") from stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
