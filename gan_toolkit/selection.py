"""Several runs scored by each other, where nobody knows what is right: which of them to keep.

What is found belongs to the set of runs and to none of them, so that no run is written to.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gan_toolkit.assemble import Assembly
from gan_toolkit.comparison import Side
from gan_toolkit.errors import DataError, UsageError
from gan_toolkit.evaluation import EngineView, records_of
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import Comparison, Effort
from gan_toolkit.plugin_records import line_of
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Chosen, load_recipe, load_tables
from gan_toolkit.recipe.overrides import table_override
from gan_toolkit.recovery import device_for, of_run
from gan_toolkit.scores import SHORT
from gan_toolkit.train import Tell

SWITCH = "--select"


@dataclass(frozen=True)
class Request:
    """What is asked of several runs."""

    comparisons: Mapping[str, str]
    """Options by the name of a comparison, as TOML `key = value` with commas between them."""
    effort: Effort = "default"
    seed: int = 0
    """Of every draw."""
    device: str | None = None
    """None: that of the first run."""


@dataclass(frozen=True)
class Selection:
    """What several runs say of each other."""

    scores: list[list[dict[str, Any]]]
    """The records of each run, in the order the runs were given."""
    failures: tuple[str, ...] = ()


def select(sides: Sequence[Side], host: PluginHost, request: Request, tell: Tell) -> Selection:
    """Score runs by each other; nothing is written, nothing chosen.

    Raises UsageError for too few runs, DataError when they were not trained on the same data or
    it is no longer the same, StorageError when one has nothing to look at.
    """
    chosen = _chosen(request, host)
    _require_same_data(sides)
    comparing = _Comparing(sides, host, request, tell)
    comparisons = {name: comparing.built(one) for name, one in chosen.items()}
    views = comparing.views()
    found = [
        comparing.records(name, comparison, chosen[name].component.pinned, views)
        for name, comparison in comparisons.items()
    ]
    scores = [[record for some in found for record in some[place]] for place in range(len(sides))]
    return Selection(scores, tuple(comparing.failures))


def _chosen(request: Request, host: PluginHost) -> dict[str, Chosen]:
    overrides = [
        table_override(f"comparisons.{name}", name, options, SWITCH)
        for name, options in request.comparisons.items()
    ]
    tables = load_tables({}, host, ("comparisons",), overrides=overrides)
    chosen: dict[str, Chosen] = tables["comparisons"]
    return chosen


def _require_same_data(sides: Sequence[Side]) -> None:
    first, *others = [(side.label, side.run.run_json.get("data") or {}) for side in sides]
    for label, data in others:
        if data.get("fingerprint") != first[1].get("fingerprint"):
            raise DataError(
                f"{label} was trained on {_described(data)}, {first[0]} on {_described(first[1])}: "
                f"{SWITCH} shows all runs the same samples; name runs of one data set"
            )


def _described(data: Mapping[str, Any]) -> str:
    return f"{data.get('name')} (fingerprint {str(data.get('fingerprint'))[:SHORT]})"


class _Comparing:
    """The runs of one request, and how it goes."""

    def __init__(
        self, sides: Sequence[Side], host: PluginHost, request: Request, tell: Tell
    ) -> None:
        self.sides = sides
        self.host = host
        self.request = request
        self.tell = tell
        self.recipes = [load_recipe(side.run.resolved, host) for side in sides]
        self.failures: list[str] = []

    def built(self, chosen: Chosen) -> Comparison:
        """Build a comparison; UsageError when the runs are too few for it."""
        recipe = replace(self.recipes[0], source=SWITCH, origins={})  # it is in no run's recipe
        comparison = Assembly(recipe, self.host.registry).comparison(chosen)
        if len(self.sides) < comparison.least:
            raise UsageError(
                f"{SWITCH} {chosen.name} needs at least {comparison.least} runs; "
                f"{len(self.sides)} were named"
            )
        return comparison

    def views(self) -> list[EngineView]:
        """Return what is seen of each run, all on the data of the first, which is that of all."""
        data = Assembly(self.recipes[0], self.host.registry).data()
        known = self.sides[0].run.run_json.get("data") or {}
        if known and data.fingerprint() != known.get("fingerprint"):
            raise DataError(
                f"{data.name} is no longer the data of the training (fingerprint "
                f"{data.fingerprint()[:SHORT]}, was {_described(known)}); put the old data back"
            )
        device = device_for(self.recipes[0].run, self.request.device)
        memory: dict[Hashable, Any] = {}
        views = []
        for side, recipe in zip(self.sides, self.recipes, strict=True):
            seen = of_run(side.run, recipe, data, self.host, device, self._teller(side.label))
            views.append(
                EngineView(
                    seen,
                    data,
                    name=side.label,
                    seed=self.request.seed,
                    effort=self.request.effort,
                    memory=memory,
                )
            )
        return views

    def records(
        self, name: str, comparison: Comparison, use: str, views: Sequence[EngineView]
    ) -> list[list[dict[str, Any]]]:
        """Return the records of each run; what fails costs its own only, and is told."""
        self.tell({"event": "comparison", "name": name})
        try:
            with untouched_randomness():
                scores = comparison.compare(views)
            return [
                records_of(name, some, view, use) for some, view in zip(scores, views, strict=True)
            ]
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it costs its own scores only
            cause = line_of(error, always_named=True)
            self.failures.append(f"{name} ({cause})")
            self.tell({"event": "note", "text": f"comparison {name!r} failed: {cause}"})
            return [[] for _ in views]

    def _teller(self, label: str) -> Callable[[str], None]:
        return lambda text: self.tell({"event": "note", "text": f"{label}: {text}"})
