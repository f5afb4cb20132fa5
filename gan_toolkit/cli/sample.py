"""`gantk sample` and `gantk traverse`: pictures, or points, from a model file or a run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.options import SEED, toml_value
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, count_of, put
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.latents import LatentSpace
    from gan_toolkit.model import Model

MODEL = "model.safetensors"
MOST_SAMPLES = 100_000
PICTURE, NUMBERS = ".png", ".npy"


@click.command(short_help="Draw samples, with codes set by hand if you like.")
@click.argument("source", metavar="MODEL_OR_RUN", shell_complete=completing.runs)
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, MOST_SAMPLES),
    default=64,
    show_default=True,
    help="How many samples.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same samples.")
@click.option(
    "--code",
    "codes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Hold a code: an index, a number, a list; the rest is drawn.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("samples.png"),
    show_default=True,
    help="A .png sheet, or .npy for the numbers; a folder with --each.",
)
@click.option("--each", is_flag=True, help="One picture a sample, into the folder OUTPUT.")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@shared
@pass_session
def sample(
    session: Session,
    source: str,
    count: int,
    seed: int,
    codes: Sequence[str],
    output: Path,
    *,
    each: bool,
    force: bool,
) -> None:
    """Draw samples from MODEL_OR_RUN, a model file, a run's folder, or the beginning of its name.

    The file that was written is the last line of standard output.
    """
    settings = list(map(code_setting, codes))
    path = model_of(source)
    check_output(output, force=force, each=each)
    from gan_toolkit.cli import pictures

    model = open_model(session, path)
    try:
        samples = model.sample(count, seed, codes=_once(settings, model.latents))
    except ValueError as error:
        raise UsageError(f"--code: {error}") from None
    if each:
        pictures.save_each(samples, output)
    elif is_named(NUMBERS, output):
        pictures.save_numbers(samples, output)
    else:
        pictures.save(pictures.sheet(samples), output)
    session.say(f"{count_of(count, 'sample')} of {path}, seed {seed}")
    put(str(output))


@click.command(short_help="Vary one code and hold all else.")
@click.argument("source", metavar="MODEL_OR_RUN", shell_complete=completing.runs)
@click.argument("code")
@click.option(
    "--rows",
    type=click.IntRange(1, 1000),
    default=8,
    show_default=True,
    help="Rows, each with latents of its own.",
)
@click.option(
    "--columns",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Values of CODE; a code with fewer shows all it has.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same rows.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .png sheet, or .npy for the numbers, rows x columns x …; CODE.png otherwise.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@shared
@pass_session
def traverse(
    session: Session,
    source: str,
    code: str,
    rows: int,
    columns: int,
    seed: int,
    output: Path | None,
    *,
    force: bool,
) -> None:
    """Draw a sheet in which only CODE changes along each row.

    A value in grey lies outside the range that was trained.
    """
    path = model_of(source)
    output = output or Path(f"{code.replace('.', '-')}.png")
    check_output(output, force=force)
    from gan_toolkit.cli import pictures

    model = open_model(session, path)
    try:
        samples, grid = model.traverse(code, rows, columns, seed)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if is_named(NUMBERS, output):
        pictures.save_numbers(samples, output)
    else:
        pictures.save(pictures.traversal(samples, grid, f"{model_title(path)} · {code}"), output)
    values = count_of(len(grid.labels), "value")
    session.say(f"{values} of {code}, {count_of(rows, 'row')}, seed {seed}")
    put(str(output))


def model_of(source: str) -> Path:
    """Return the model file that is meant: itself, or that of a run."""
    if os.path.isfile(source):  # noqa: PTH113 - any text is a question, a long one too
        return Path(source)
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    folder = find_run(source, RUNS).folder
    model = folder / MODEL
    if not model.is_file():
        raise UsageError(
            f"{folder} has no {MODEL} yet: it is written when the run ends; "
            f"to end it: {command('resume', folder)}"
        )
    return model


def open_model(session: Session, path: Path) -> Model:
    """Load a model with the session's plugins, and say what was left out."""
    from gan_toolkit.model import load

    model = load(path, session.host)
    if model.skipped and session.verbosity:
        session.say(f"left out, no plugin offers it: {', '.join(model.skipped)}")
    return model


def model_title(path: Path) -> str:
    """Return what stands over a picture: the recipe, the steps, and the data that was used."""
    from gan_toolkit.tensorfile import describe

    about = describe(path)
    facts = about["facts"]
    data = facts.get("data") or {}
    steps = f"step {facts['steps']:,}" if isinstance(facts.get("steps"), int) else ""
    parts = (
        about["recipe"].get("name") or path.stem,
        steps,
        data.get("name") and f"data: {data['name']}",
    )
    return " · ".join(str(part) for part in parts if part)


def code_setting(text: str) -> tuple[str, Any]:
    """Read NAME=VALUE, VALUE in TOML."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--code {text}: write NAME=VALUE, such as --code {name or 'shape'}=3")
    return name.strip(), toml_value(value, f"--code {text}")


def _once(settings: Sequence[tuple[str, Any]], latents: LatentSpace) -> dict[str, Any]:
    """Return codes by name; UsageError when one is set twice, by itself or with its group."""
    members = [member for name, _ in settings for member in latents.group(name)]
    twice = next((member for member in members if members.count(member) > 1), None)
    if twice is not None:
        raise UsageError(f"--code: {twice} is set twice; set each code once")
    return dict(settings)


def check_output(output: Path, *, force: bool, each: bool = False) -> None:
    """Refuse what can't be written to, before anything is loaded or drawn."""
    named = is_named(PICTURE, output) or is_named(NUMBERS, output)
    if each and named:
        raise UsageError(
            f"--each writes a folder, and {output} ends in {output.suffix}; "
            f"another -o, such as {output.with_suffix('')}"
        )
    if not each and not named:
        raise UsageError(f"{output}: a picture is written as {PICTURE}; numbers as {NUMBERS}")
    if os.path.lexists(output) and not (force or (each and output.is_dir())):
        raise UsageError(f"{output} exists; choose another -o, or --force to replace it")


def is_named(suffix: str, output: Path) -> bool:
    """Return whether a file is to be of this kind."""
    return output.suffix.lower() == suffix
