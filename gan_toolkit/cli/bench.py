"""`gantk bench`: what a step of a recipe takes, beside others that take turns with it."""

from __future__ import annotations

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from gan_toolkit.bench.contest import contest
from gan_toolkit.bench.contestant import Settings, Verb, serve
from gan_toolkit.bench.machine import busy_cores
from gan_toolkit.bench.process import Entry
from gan_toolkit.cli import completing
from gan_toolkit.cli.bench_page import document, show
from gan_toolkit.cli.display import display_for
from gan_toolkit.cli.options import overrides_from, recipe_changes
from gan_toolkit.cli.run import choose
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.streams import results
from gan_toolkit.cli.text import put_json
from gan_toolkit.errors import DataError, MissingFilesError, UsageError

Kind = Literal["training", "floor"]
WATCHING = ("panels", "measures", "trackers")
"""Tables that are left out: what they take is for the recipe to choose."""
FLOOR = "floor: products alone"
_SHAPE = re.compile(r"[1-9]\d{0,4}(x[1-9]\d{0,4}x[1-9]\d{0,4})?")


class Shape(click.ParamType):  # type: ignore[type-arg]
    """The shape of random samples."""

    name = "shape"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read `1x28x28`, or `2` for points."""
        if not _SHAPE.fullmatch(str(value)):
            self.fail(f"{value} is no shape; 1x28x28 for images, 2 for points", param, ctx)
        return tuple(map(int, str(value).split("x")))


@dataclass(frozen=True)
class Subject:
    """A recipe that takes part, and every option that it is started with."""

    recipe: str
    variants: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    device: str | None = None
    threads: int | None = None
    shape: tuple[int, ...] | None = None
    switches: tuple[str, ...] = ()

    def changes(self) -> list[str]:
        """Return the options that change the recipe."""
        given = {"--variant": self.variants, "--set": self.settings, "--unset": self.removals}
        return [word for name, values in given.items() for v in values for word in (name, v)]

    def command(self, kind: Kind) -> list[str]:
        """Return what starts it as a contestant."""
        words = [sys.executable, "-m", "gan_toolkit"]
        words += [word for switch in self.switches for word in ("-P", switch)]
        words += ["bench", self.recipe, "--contestant", kind, *self.changes()]
        shape = None if self.shape is None else "x".join(map(str, self.shape))
        fixed = {"--device": self.device, "--threads": self.threads, "--random": shape}
        return words + [
            word
            for name, value in fixed.items()
            if value is not None
            for word in (name, str(value))
        ]


@click.command(short_help="Measure the speed of a recipe, beside others.")
@click.argument("recipe", shell_complete=completing.recipes)
@click.option(
    "--against",
    multiple=True,
    metavar="RIVAL",
    help="A recipe, or a script of the protocol with its arguments: '[PYTHON] FILE.py …'.",
)
@click.option(
    "--against-variant", multiple=True, metavar="NAME", help="Variant of the recipes against it."
)
@click.option(
    "--against-set", multiple=True, metavar="KEY=VALUE", help="--set of the recipes against it."
)
@click.option(
    "--against-unset", multiple=True, metavar="KEY", help="--unset of the recipes against it."
)
@click.option(
    "--random", "shape", type=Shape(), metavar="SHAPE", help="Random samples, such as 1x28x28."
)
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--threads", type=click.IntRange(1), help="Threads of every contestant.")
@click.option(
    "--rounds", type=click.IntRange(3), default=9, show_default=True, help="Turns of each."
)
@click.option(
    "--steps", type=click.IntRange(1), help="Steps of a turn; about a second's worth otherwise."
)
@click.option("--no-floor", is_flag=True, help="Leave out the products alone.")
@recipe_changes
@click.option("--markdown", is_flag=True, help="The table as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--contestant", type=click.Choice(["training", "floor"]), hidden=True)
@shared
@pass_session
def bench(
    session: Session,
    recipe: str,
    against: tuple[str, ...],
    against_variant: tuple[str, ...],
    against_set: tuple[str, ...],
    against_unset: tuple[str, ...],
    shape: tuple[int, ...] | None,
    device: str | None,
    threads: int | None,
    rounds: int,
    steps: int | None,
    variants: tuple[str, ...],
    settings: tuple[str, ...],
    removals: tuple[str, ...],
    contestant: Kind | None,
    *,
    no_floor: bool,
    markdown: bool,
    as_json: bool,
) -> None:
    """Measure what a step of RECIPE takes, and how that compares with others.

    Every contestant is a process of its own; they take turns, and figures are ratios within a
    turn. --against-set, --against-unset and --against-variant alone pit RECIPE against itself,
    changed. A rival that can't run is a row that says why.
    """
    subject = Subject(
        recipe, variants, settings, removals, device, threads, shape, tuple(session.switches)
    )
    if contestant is not None:
        take_part(session, subject, contestant)
        return
    if recipe == "-":
        raise UsageError("bench starts several processes: save the recipe, and give its path")
    changes = Subject("", against_variant, against_set, against_unset)
    entries = [_entry(subject, "training"), *rivals(subject, against, changes)]
    if not no_floor:
        entries.append(replace(_entry(subject, "floor"), label=FLOOR))
    busy = busy_cores()
    result = contest(entries, rounds=rounds, steps=steps, say=session.say)
    if as_json:
        put_json(document(result, busy))
    else:
        show(result, busy, changes=subject.changes(), markdown=markdown)


def rivals(subject: Subject, against: Sequence[str], changes: Subject) -> Iterator[Entry]:
    """Return who takes part beside `subject`: scripts as they are, recipes with `changes`."""
    recipes = []
    for text in against:
        words = shlex.split(text)
        script = next((i for i, word in enumerate(words) if word.endswith(".py")), None)
        if script is not None:
            before = words[:script] or [sys.executable]
            label = " ".join([Path(words[script]).name, *words[script + 1 :]])
            yield Entry(label, [*before, *words[script:]])
        elif len(words) == 1:
            recipes.append(replace(subject, recipe=words[0], variants=(), settings=(), removals=()))
        else:
            raise UsageError(f"--against {text}: a recipe, or '[PYTHON] FILE.py ARGUMENTS'")
    if changes.changes() and not recipes:
        recipes.append(subject)
    for rival in recipes:
        yield _entry(
            replace(
                rival,
                variants=rival.variants + changes.variants,
                settings=rival.settings + changes.settings,
                removals=rival.removals + changes.removals,
            ),
            "training",
            shown=changes.changes(),
        )


def _entry(subject: Subject, kind: Kind, *, shown: Sequence[str] = ()) -> Entry:
    name = Path(subject.recipe).name.removesuffix(".toml")
    return Entry(" ".join([name, *shown]), subject.command(kind))


def take_part(session: Session, subject: Subject, kind: Kind) -> None:
    """Be a contestant: answer what `contest` asks, until it has no more questions."""
    with _folder() as folder:
        # All of it is the setting up: what is wrong with the recipe is an answer too.
        serve(partial(_set_up, session, subject, kind, folder), answers=results())


def _set_up(
    session: Session, subject: Subject, kind: Kind, folder: Path, settings: Settings
) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
    from gan_toolkit.recipe import Override

    # Not asked for first: a panel may speak of a term that --unset takes away.
    overrides = [Override(key, unset=True, given_to="bench", if_there=True) for key in WATCHING]
    fixed = {"run.device": subject.device, "run.threads": subject.threads}
    overrides += overrides_from(subject.settings, subject.removals, fixed)
    recipe, device = choose(session, subject.recipe, subject.variants, overrides)
    from gan_toolkit.bench.own import products, random_data, training

    data = None if subject.shape is None else random_data(subject.shape)
    if kind == "floor":
        return products(recipe, session.host, device=device, data=data)(settings)
    tell = display_for(session, json=False).tell
    own = training(recipe, session.host, device=device, folder=folder, tell=tell, data=data)
    try:
        return own(settings)
    except MissingFilesError as error:
        more = f"get it (gantk data info {recipe.data.component.name}), or --random 1x28x28"
        raise DataError(f"{error.what}; {more}, the shape of its samples") from error


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gantk-bench-") as folder:
        yield Path(folder)
