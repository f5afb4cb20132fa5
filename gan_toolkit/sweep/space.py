"""A search space: a TOML file that says which keys of a recipe vary, and what is wanted.

It is read as strictly as a recipe, and checked against one before anything runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from gan_toolkit.errors import Problem, RecipeError, UsageError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Override, Recipe, load_recipe
from gan_toolkit.recipe.explaining import explain
from gan_toolkit.recipe.messages import complaints
from gan_toolkit.recipe.options import Options
from gan_toolkit.recipe.overrides import BadOverride, read_key
from gan_toolkit.recipe.paths import AnyPath, dotted
from gan_toolkit.recipe.reading import Document, read_file
from gan_toolkit.recipe.writing import in_line

Direction = Literal["maximise", "minimise"]
Sampler = Literal["tpe", "random", "grid"]
Number = int | float
SEED = "run.seed"
MOST_VALUES = 1_000


class Dimension(Options):
    """One key of the recipe that varies: between bounds, or over values."""

    low: Number | None = None
    """The least value; with `high`, and integers if both are."""
    high: Number | None = None
    """The largest value."""
    log: bool = False
    """Whether it varies by ratios instead of differences."""
    step: Number | None = None
    """The difference from one value to the next; absent: any value between the bounds."""
    values: Annotated[list[Any], Field(min_length=1, max_length=MOST_VALUES)] | None = None
    """The values themselves, of any type the key takes."""

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if self.values is not None:
            if bounds or self.step is not None or self.log:
                raise ValueError("values stand alone; without low, high, step and log")
            written = [in_line(value) for value in self.values]
            if again := next((text for text in written if written.count(text) > 1), ""):
                raise ValueError(f"{again} stands twice in values; each once")
        elif len(bounds) < 2:
            raise ValueError("says no values; low and high, or values = […]")
        else:
            self._check_bounds(bounds[0], bounds[1])
        return self

    def _check_bounds(self, low: Number, high: Number) -> None:
        if low >= high:
            raise ValueError(f"low = {low} is not below high = {high}")
        if self.log and low <= 0:
            raise ValueError(f"low = {low} has no ratios; above 0 with log = true")
        if self.step is None:
            return
        if self.log:
            raise ValueError("step and log exclude each other; one of them")
        if self.step <= 0:
            raise ValueError(f"step = {self.step} leads nowhere; above 0")
        # In decimals, as they are written: 0.1 is no sum of halves.
        steps = (Decimal(str(high)) - Decimal(str(low))) / Decimal(str(self.step))
        if steps != steps.to_integral_value():
            last = Decimal(str(low)) + math.floor(steps) * Decimal(str(self.step))
            raise ValueError(f"steps of {self.step} from {low} miss high = {high}; high = {last}")

    @property
    def is_whole(self) -> bool:
        """Whether it varies over integers."""
        given = [self.low, self.high, *([] if self.step is None else [self.step])]
        return all(isinstance(bound, int) for bound in given)

    def choices(self) -> list[Any] | None:
        """Return all values in order, None where they are too many to be listed."""
        if self.values is not None:
            return self.values
        if self.step is None:
            return None
        low, high, step = (Decimal(str(n)) for n in (self.low, self.high, self.step))
        number = int if self.is_whole else float
        return [number(low + i * step) for i in range(int((high - low) / step) + 1)]

    def corners(self) -> Iterator[tuple[str, Any]]:
        """Yield what a recipe must take, with the key of the dimension that says it."""
        if self.values is not None:
            yield from (("values", value) for value in self.values)
        else:
            as_number = int if self.is_whole else float
            yield "low", as_number(self.low)  # type: ignore[arg-type]
            yield "high", as_number(self.high)  # type: ignore[arg-type]


class Prune(Options):
    """When a run that falls behind is stopped early."""

    by: Annotated[str, Field(min_length=1)]
    """The name of a value in the journal of a run, such as "critic/loss"."""
    pruner: Literal["median", "halving"] = "median"
    """Stop what is worse than the median of the others at the same step, or all but the best
    quarter at steps that quadruple."""
    after: Annotated[int, Field(ge=1)] = 1
    """No run is stopped before this step."""
    trials: Annotated[int, Field(ge=0)] = 5
    """Trials that end before any is stopped; for "median"."""
    direction: Direction | None = None
    """What is better of `by`; absent: as of the target."""


class Space(Options):
    """A search: what varies, what is wanted, and how points are chosen."""

    target: Annotated[str, Field(min_length=1)]
    """What is wanted: "measure/name" of a final score, or a value of the journal."""
    direction: Direction
    """Whether more or less of it is better."""
    sampler: Sampler = "tpe"
    """How points are chosen: by what was found before (TPE), at random, or all of a grid."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the choice of points."""
    search: Annotated[dict[str, Dimension], Field(min_length=1)]
    """What varies, by the key of the recipe."""
    prune: Prune | None = None
    """When a run is stopped early; absent: never."""

    @model_validator(mode="after")
    def _a_grid_has_points(self) -> Self:
        if self.sampler == "grid":
            for key, dimension in self.search.items():
                if dimension.choices() is None:
                    raise ValueError(
                        f"{key} has no grid; values = […], or a step between the bounds"
                    )
        return self


@dataclass(frozen=True)
class Search:
    """A space, read, which knows where its keys stand."""

    space: Space
    document: Document


def read_search(path: Path) -> Search:
    """Read a search space; RecipeError has all that is wrong, with the lines."""
    document = read_file(path)
    try:
        return Search(Space.model_validate(document.table), document)
    except ValidationError as error:
        told = dict.fromkeys(complaints(error, Space, document.table))
        problems = [_problem(document, where, text) for where, text in told]
        raise RecipeError(problems, document.shown) from None


def check_search(
    search: Search,
    source: str,
    host: PluginHost,
    *,
    variants: Sequence[str] = (),
    overrides: Sequence[Override] = (),
) -> None:
    """Check every key and every bound or value against a recipe; RecipeError has all faults.

    Each is tried alone, so only what the recipe says of the very key counts: what two keys make of
    each other is known when a point is drawn.
    """
    recipe = load_recipe(source, host, variants=variants, overrides=overrides)
    problems: list[Problem] = []
    for key, dimension in search.space.search.items():
        where = ("search", key)
        if fault := _unknown(key, host, recipe):
            problems.append(_problem(search.document, where, fault))
            continue
        for name, value in dimension.corners():
            override = Override(f"{key}={in_line(value)}", given_to="search")
            try:
                load_recipe(source, host, variants=variants, overrides=[*overrides, override])
            except RecipeError as error:
                problems += [
                    _problem(search.document, (*where, name), problem.text)
                    for problem in error.problems
                    if f"{problem.path}.".startswith(f"{dotted(read_key(key))}.")
                ]
    if problems:
        raise RecipeError(problems, search.document.shown)


def _unknown(key: str, host: PluginHost, recipe: Recipe) -> str:
    """Return what is wrong with a key, or nothing."""
    try:
        path = read_key(key)
        found = explain(path, host, recipe.to_dict())
    except BadOverride as error:
        return f"{error}"
    except UsageError as error:
        return str(error).removeprefix(f"{key}: ")
    if not all(one.key for one in found):
        return "is a table; a key in it"
    return ""


def _problem(document: Document, path: AnyPath, text: str) -> Problem:
    place, line = document.place(tuple(part for part in path if isinstance(part, str)))
    return Problem(line, place, dotted(path), text)


def settings(space: Mapping[str, Dimension], params: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a point as TOML, by the keys of the recipe.

    Optuna holds listed values as their text: it would take 1, 1.0 and true for the same.
    """
    return {
        key: str(params[key]) if dimension.values is not None else in_line(params[key])
        for key, dimension in space.items()
    }
