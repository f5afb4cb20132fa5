"""What a sweep is to do: its slots, each a point to be run with one seed or several."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gan_toolkit.errors import UsageError
from gan_toolkit.recipe.difference import every_difference
from gan_toolkit.recipe.writing import in_line
from gan_toolkit.sweep.space import Space

MOST_SLOTS = 100_000
_ELSEWHERE = ("run.device", "run.threads")
"""What a worker on another machine may have otherwise."""


@dataclass(frozen=True)
class Slot:
    """One trial to be made, by whichever worker takes it."""

    name: str
    """What ends the names of its runs."""
    seeds: tuple[int, ...] = ()
    """The seeds of its runs; none: one run, with the seed of the recipe."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """The point, where it is known beforehand, as Optuna holds it."""

    def run_names(self, sweep: str) -> list[tuple[str, int | None]]:
        """Return the name and the seed of each run."""
        if len(self.seeds) < 2:
            return [(f"{sweep}-{self.name}", self.seeds[0] if self.seeds else None)]
        return [(f"{sweep}-{self.name}-seed-{seed}", seed) for seed in self.seeds]


@dataclass(frozen=True)
class Plan:
    """All that every worker of a sweep must agree on."""

    name: str
    recipe: Mapping[str, Any]
    """The resolved recipe, without what means nothing on another machine."""
    slots: Sequence[Slot]
    space: Space | None = None
    """None: nothing varies but the seed."""

    def facts(self) -> dict[str, Any]:
        """Return what is the same for all who join; more slots may be asked for at any time."""
        space = {} if self.space is None else self.space.model_dump(exclude_none=True)
        seeds = [] if self.space is None else list(self.slots[0].seeds)
        return {"recipe": dict(self.recipe), "search": space, "seeds of a point": seeds}


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in what two plans differ, by their facts."""
    found = every_difference(then, now)
    return [
        f"{one.path.removeprefix('recipe.')} was {_shown(one.old)}, is {_shown(one.new)}"
        for one in found
        if one.path.removeprefix("recipe.") not in _ELSEWHERE
    ]


def slots_of_seeds(seeds: Sequence[int]) -> list[Slot]:
    """Return a slot for each seed."""
    return [Slot(str(seed), (seed,)) for seed in seeds]


def slots_of_search(space: Space, trials: int | None, seeds: Sequence[int]) -> list[Slot]:
    """Return a slot for each point: those of a grid, or as many as are wanted.

    Raises UsageError when the number does not fit the sampler.
    """
    if space.sampler != "grid":
        if trials is None:
            raise UsageError(f"sampler {space.sampler!r} goes on for ever; say --trials")
        return [Slot(f"{number:04d}", tuple(seeds)) for number in range(trials)]
    if trials is not None:
        raise UsageError("a grid has as many trials as points; --trials is for tpe and random")
    choices = {key: dimension.choices() or [] for key, dimension in space.search.items()}
    count = 1
    for some in choices.values():
        count *= len(some)
    if count > MOST_SLOTS:
        raise UsageError(f"the grid has {count:,} points; at most {MOST_SLOTS:,}")
    held = [
        [in_line(value) for value in some] if space.search[key].values is not None else some
        for key, some in choices.items()
    ]
    points = (dict(zip(choices, point, strict=True)) for point in itertools.product(*held))
    return [Slot(f"{number:04d}", tuple(seeds), point) for number, point in enumerate(points)]


def _shown(value: Any) -> str:
    return "absent" if value is None else in_line(value)
