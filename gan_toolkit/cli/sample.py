"""`gantk sample` and `gantk traverse`: pictures, or points, from a model file or a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.options import toml_value
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import count_of, put
from gan_toolkit.errors import UsageError

if TYPE_CHECKING:
    from gan_toolkit.model import Model

MODEL = "model.safetensors"
MOST_SAMPLES = 100_000


@click.command(short_help="Draw samples, with codes set by hand if you like.")
@click.argument("source", metavar="MODEL_OR_RUN")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, MOST_SAMPLES),
    default=64,
    show_default=True,
    help="How many samples.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same samples.")
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
    settings = dict(map(code_setting, codes))
    path = model_of(source)
    _refuse_existing(output, force=force)
    from gan_toolkit.cli import pictures

    model = open_model(session, path)
    try:
        samples = model.sample(count, seed, codes=settings)
    except ValueError as error:
        raise UsageError(f"--code: {error}") from None
    if each:
        pictures.save_each(samples, output)
    elif output.suffix == ".npy":
        pictures.save_numbers(samples, output)
    else:
        pictures.sheet(samples).save(_png(output))
    session.say(f"{count_of(count, 'sample')} of {path}, seed {seed}")
    put(str(output))


@click.command(short_help="Vary one code and hold all else.")
@click.argument("source", metavar="MODEL_OR_RUN")
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
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same rows.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The .png to write; CODE.png otherwise.",
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
    _refuse_existing(output, force=force)
    from gan_toolkit.cli import pictures

    model = open_model(session, path)
    try:
        samples, grid = model.traverse(code, rows, columns, seed)
    except ValueError as error:
        raise UsageError(str(error)) from None
    pictures.traversal(samples, grid, f"{model_title(path)} · {code}").save(_png(output))
    values = count_of(len(grid.labels), "value")
    session.say(f"{values} of {code}, {count_of(rows, 'row')}, seed {seed}")
    put(str(output))


def model_of(source: str) -> Path:
    """Return the model file that is meant: itself, or that of a run."""
    path = Path(source)
    if path.is_file():
        return path
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    folder = find_run(source, RUNS).folder
    model = folder / MODEL
    if not model.is_file():
        raise UsageError(
            f"{folder} has no {MODEL} yet: it is written when the run ends; "
            f"to end it: gantk resume {folder}"
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


def _refuse_existing(output: Path, *, force: bool) -> None:
    if output.exists() and not output.is_dir() and not force:
        raise UsageError(f"{output} exists; choose another -o, or --force to replace it")


def _png(output: Path) -> Path:
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: a picture is written as .png; numbers as .npy")
    output.parent.mkdir(parents=True, exist_ok=True)
    return output
