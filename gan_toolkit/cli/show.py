"""`gantk data show`: what a data set looks like, on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan_toolkit.cli.data_sets import component_of, opened
from gan_toolkit.cli.options import SEED
from gan_toolkit.cli.run import going_on_later
from gan_toolkit.cli.sample import MOST_SAMPLES, NUMBERS, check_output, is_named
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import count_of, number, put
from gan_toolkit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from gan_toolkit.interfaces import Batch, Dataset, Factor, Grid

IMAGES, POINTS = 64, 2000
"""Samples shown unless told otherwise."""
COLUMNS = 10
"""Values of a factor on a row; one that is discrete shows all it has."""


@click.command(short_help="Draw a sheet of samples.")
@click.argument("name")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One of its options.")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, MOST_SAMPLES),
    help=f"How many samples; {IMAGES} images or {POINTS:,} points otherwise.",
)
@click.option("--factor", metavar="NAME", help="Vary this factor along each row, or sort by it.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Same seed, same samples.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A .png sheet, or .npy for the numbers; NAME.png otherwise.",
)
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@shared
@pass_session
def show(
    session: Session,
    name: str,
    settings: Sequence[str],
    count: int | None,
    factor: str | None,
    seed: int,
    output: Path | None,
    *,
    force: bool,
) -> None:
    """Draw samples of the data set NAME, each over its class if it has one.

    With --factor, a set that can render what one asks for varies that factor along each row and
    holds all else; any other shows its samples in the order of the factor. The file that was
    written is the last line of standard output.
    """
    component = component_of(session, name)
    output = output or Path(f"{name}.png")
    check_output(output, force=force)
    with going_on_later(session):
        dataset = opened(session, component, settings)
        if not is_named(NUMBERS, output):
            _require_pictures(dataset)
        column = None if factor is None else _column(dataset, factor)
        count = min(count or (IMAGES if len(dataset.sample_shape) == 3 else POINTS), len(dataset))
        title = _draw(dataset, count, column, seed, output)
    session.say(title)
    put(str(output))


def _require_pictures(dataset: Dataset) -> None:
    shape = dataset.sample_shape
    if len(shape) == 3 and shape[0] not in (1, 3):
        raise UsageError(
            f"samples of {dataset.name} have {shape[0]} channels, a picture has 1 or 3; "
            f"use -o {dataset.name}.npy"
        )


def _draw(dataset: Dataset, count: int, column: int | None, seed: int, output: Path) -> str:
    """Write the sheet; return its title."""
    from gan_toolkit.batches import normalise, order
    from gan_toolkit.cli import pictures

    batch = dataset.batch(order(seed, 0, len(dataset))[:count])
    images = batch.samples.ndim == 4
    if column is not None and dataset.can_render and images:
        samples, grid = _swept(dataset, batch, column)
        title = _title(dataset, len(samples), column, seed)
        if is_named(NUMBERS, output):
            pictures.save_numbers(normalise(samples), output)
        else:
            pictures.save(pictures.traversal(normalise(samples), grid, title), output)
        return title
    title = _title(dataset, count, column, seed)
    if column is not None:
        batch = _sorted(batch, column)
    if is_named(NUMBERS, output):
        pictures.save_numbers(normalise(batch.samples), output)
    elif images:
        captions = _captions(dataset, batch, column)
        sheet = pictures.contact_sheet(normalise(batch.samples), title, captions)
        pictures.save(sheet, output)
    else:
        pictures.save(_points(dataset, batch, column, title), output)
    return title


def _title(dataset: Dataset, count: int, column: int | None, seed: int) -> str:
    factor = "" if column is None else f" · {dataset.factors[column].name}"
    of = f"{count:,} of {count_of(len(dataset), 'sample')}"
    return f"{dataset.name} ({dataset.source}){factor} · {of}, seed {seed}"


def _column(dataset: Dataset, name: str) -> int:
    """Return which column of the factors is meant; UsageError when none is."""
    names = [factor.name for factor in dataset.factors]
    if name in names:
        return names.index(name)
    known = f"known: {', '.join(names)}" if names else "it has none"
    raise UsageError(
        f"--factor {name}: {dataset.name} has no such factor; {known}{did_you_mean(name, names)}"
    )


def _swept(dataset: Dataset, batch: Batch, column: int) -> tuple[Tensor, Grid]:
    """Return samples (rows, columns, …): a row holds all factors but one."""
    grid = _grid(dataset.factors[column])
    columns = len(grid.labels)
    rows = max(1, len(batch.samples) // columns)
    assert batch.factors is not None, "it has this factor"
    table = batch.factors[:rows].repeat_interleave(columns, dim=0)
    table[:, column] = grid.values[:, 0].repeat(len(table) // columns)
    try:
        samples = dataset.render(table)
    except ValueError as error:
        raise UsageError(f"--factor {dataset.factors[column].name}: {error}") from error
    return samples.unflatten(0, (-1, columns)), grid


def _grid(factor: Factor) -> Grid:
    """Return the values of a factor from its lowest to its highest; a circle's ends are one."""
    import torch

    from gan_toolkit.interfaces import Grid

    if factor.values:
        labels = list(factor.values)
        values = torch.arange(len(labels), dtype=torch.float32)
    elif factor.kind == "circular":
        values = torch.linspace(factor.low, factor.high, COLUMNS + 1)[:-1]
        labels = [number(float(value)) for value in values]
    else:
        values = torch.linspace(factor.low, factor.high, COLUMNS)
        labels = [number(float(value)) for value in values]
    return Grid(values[:, None], labels, [True] * len(labels))


def _sorted(batch: Batch, column: int) -> Batch:
    assert batch.factors is not None, "it has this factor"
    rows = batch.factors[:, column].argsort(stable=True)
    labels = None if batch.labels is None else batch.labels[rows]
    return batch._replace(samples=batch.samples[rows], labels=labels, factors=batch.factors[rows])


def _captions(dataset: Dataset, batch: Batch, column: int | None) -> list[str]:
    """Return what stands under each picture: the factor's value, or its class, or nothing."""
    if column is not None and batch.factors is not None:
        return [_value(dataset.factors[column], float(v)) for v in batch.factors[:, column]]
    if batch.labels is not None and dataset.classes:
        return [dataset.classes[int(label)] for label in batch.labels]
    return []


def _value(factor: Factor, value: float) -> str:
    if factor.values:
        return factor.values[round(value)]
    return number(value) if math.isfinite(value) else str(value)


def _points(dataset: Dataset, batch: Batch, column: int | None, title: str) -> Image:
    """Return a scatter plot, coloured by the factor or else by the class."""
    from gan_toolkit.cli.pictures import point_sheet

    names: Sequence[str] = dataset.classes
    numbers = batch.labels
    if column is not None and batch.factors is not None:
        names, numbers = dataset.factors[column].values, batch.factors[:, column].round()
        if not names:
            return point_sheet([batch.samples], title, values=batch.factors[:, column])
    if numbers is None or not names:
        return point_sheet([batch.samples], title)
    groups = [batch.samples[numbers == index] for index in range(len(names))]
    return point_sheet(groups, title, names)
