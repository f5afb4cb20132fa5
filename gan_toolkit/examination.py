"""A run or a model file, measured when its training is over.

The journal of a run stays as training left it: a resume cuts it back to what the checkpoint saw,
so that what is measured later goes into `evaluations/` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from gan_toolkit.assemble import Assembly
from gan_toolkit.device import Device, choose_device
from gan_toolkit.errors import DataError, RecipeError, UsageError, did_you_mean
from gan_toolkit.evaluation import EngineView, Seen, evaluate
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import Effort, Measure
from gan_toolkit.plugin_records import line_of
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Override, Recipe, load_recipe
from gan_toolkit.recipe.overrides import table_override
from gan_toolkit.recovery import (
    SharedRecipe,
    device_for,
    of_model,
    of_run,
    shared_recipe,
    untrained_model,
    untrained_run,
)
from gan_toolkit.registry import Registry
from gan_toolkit.runs import RunFolder
from gan_toolkit.scores import SHORT
from gan_toolkit.suite import follow, unnamed
from gan_toolkit.tensorfile import change_facts, describe
from gan_toolkit.train import Tell

MAY_BE_SET = ("data", "measures")
"""Tables of the recipe that may be changed: the networks are as they were trained."""


@dataclass(frozen=True)
class Request:
    """What is asked for, beside the recipe's own measures."""

    measures: Mapping[str, str] = field(default_factory=dict)
    """Options by the name of a measure, or of one of the recipe's tables, as TOML `key = value`
    with commas between them. Without any, and where the recipe has none: all that apply."""
    every: bool = False
    """Whether all others that apply are wanted too."""
    overrides: Sequence[Override] = ()
    """Changes of `data` and `measures`."""
    effort: Effort = "default"
    seed: int | None = None
    """Of every draw; None: the run's own, or 0 for a model file."""
    device: str | None = None
    protocol: str = ""
    """Of every measure that has several; where it is empty, or --measure names one, its own."""
    other_data: bool = False
    """Whether data other than that of the training will do."""


@dataclass(frozen=True)
class Findings:
    """What was measured at which step, where it was written, and what failed."""

    step: int
    scores: list[dict[str, Any]]
    failures: tuple[str, ...] = ()
    path: Path | None = None
    stopped_in: str = ""
    """The measure that Ctrl-C stopped: it and what would have followed have no scores."""


def examine_run(run: RunFolder, host: PluginHost, request: Request, tell: Tell) -> Findings:
    """Measure a run that nobody holds, and write what was found into its `evaluations/`.

    Scores that were found in the same way before give way to the new ones; the model file of that
    step takes all of them into its description. Raises StorageError when the run is held or has
    nothing to measure, DataError when its data is no longer the same.
    """
    with run.lock():
        overrides = _overrides(request, run.tables().get("measures", {}))
        recipe = load_recipe(run.resolved, host, overrides=overrides)
        device = device_for(recipe.run, request.device)
        examination = _Examination(recipe, host.registry, request, tell)
        other = examination.compare_data(run.run_json.get("data") or {})
        seen = of_run(run, recipe, examination.data, host, device, examination.say)
        run.scores(seen.steps_done)  # what is damaged is told before the work, not after it
        fresh = partial(untrained_run, recipe, examination.data, host, device)
        found = examination(seen, fresh, run.metrics.read(), other)
        path, replaced = run.add_scores(found.step, found.scores)
        _put_on_card(run, found.step)
    if replaced:
        many = ("s", "were", "are") if replaced > 1 else ("", "was", "is")
        told = "{} score{} of this step {} found alike before, and {} replaced"
        examination.say(told.format(replaced, *many))
    return replace(found, path=path)


def _put_on_card(run: RunFolder, step: int) -> None:
    """Let the model file say what was measured of it, unless it is of another step."""
    if run.model.is_file() and describe(run.model)["facts"].get("steps") == step:
        change_facts(run.model, {"scores": run.scores(step)[1]})


def examine_model(path: Path, host: PluginHost, request: Request, tell: Tell) -> Findings:
    """Measure a model file on the data that its recipe names; nothing is written.

    Raises UsageError when the file names no data, DataError when the data is another than that
    of the training.
    """
    about = describe(path)
    measures = about["recipe"].get("measures")
    overrides = _overrides(request, measures if isinstance(measures, Mapping) else {})
    recipe = shared_recipe(path, host, overrides)
    device: Device = choose_device(request.device or "auto", "f32")
    examination = _Examination(recipe, host.registry, request, tell)
    seen = of_model(path, host, device, examination.say)
    other = examination.compare_data(about["facts"]["data"])
    return examination(seen, partial(untrained_model, path, host, device), (), other)


def _overrides(request: Request, tables: Mapping[str, Any]) -> list[Override]:
    """Return the changes of a recipe whose measures are `tables`."""
    for override in request.overrides:
        head = override.text.partition("=")[0].partition(".")[0].strip()
        if head not in MAY_BE_SET:
            raise UsageError(
                f"{override.switch} {override.text}: only {' and '.join(MAY_BE_SET)} can be "
                f"changed here: the networks are as they were trained"
                f"{did_you_mean(head, MAY_BE_SET)}"
            )
    named = [
        table_override(f"measures.{name}", "" if name in tables else name, options, "--measure")
        for name, options in request.measures.items()
    ]
    return [*request.overrides, *named]


class _Examination:
    """The data and the measures of one examination, and how it goes."""

    def __init__(
        self, recipe: Recipe | SharedRecipe, registry: Registry, request: Request, tell: Tell
    ) -> None:
        self.recipe = recipe
        self.request = request
        self.tell = tell
        self.assembly = Assembly(cast("Recipe", recipe), registry)
        self.data = self.assembly.data()
        self.failures: list[str] = []
        others = unnamed(registry, recipe.measures) if request.every or not recipe.measures else {}
        self.searched = frozenset(others)
        """The measures that nobody named: those which don't apply are passed over."""
        self.chosen = {**recipe.measures, **others}
        if request.protocol:
            self.chosen, left = follow(request.protocol, self.chosen, request.measures)
            if left:
                told = f"without a protocol {request.protocol}, and left as they are"
                self.say(f"{told}: {', '.join(left)}")

    def __call__(
        self,
        seen: Seen,
        fresh: Callable[[], Seen],
        history: Sequence[Mapping[str, Any]],
        other: Mapping[str, str],
    ) -> Findings:
        """Run every measure; `other` goes into what the records say of the data.

        `fresh` makes the networks as they were before training.
        """
        seed = self.recipe.run.seed if self.request.seed is None else self.request.seed
        view = EngineView(
            seen,
            self.data,
            name=self.recipe.name,
            seed=seed,
            history=history,
            effort=self.request.effort,
            fresh=fresh,
        )
        if not view.inferable:
            self.say("no term here reads codes: measures that need a reader do not apply")
        scores: list[dict[str, Any]] = []
        stopped_in = ""
        for name, build in self._measures(seen):
            try:
                found = self._scores(name, build, view)
            except KeyboardInterrupt:  # what was found before took minutes: it is kept
                stopped_in = name
                break
            scores += [{**score, "data": {**score["data"], **other}} for score in found]
        return Findings(view.step, scores, tuple(self.failures), stopped_in=stopped_in)

    def say(self, text: str) -> None:
        """Tell a line of prose."""
        self.tell({"event": "note", "text": text})

    def compare_data(self, trained_on: Mapping[str, Any]) -> dict[str, str]:
        """Return what records say of data that is not that of the training.

        Raises DataError unless it is the same, or another is allowed and of the same shape.
        """
        then, now = str(trained_on.get("fingerprint", "")), self.data.fingerprint()
        if now == then or not trained_on:  # a run that knows of no data has no networks either
            return {}
        shape = trained_on.get("shape")
        if shape != list(self.data.sample_shape):
            raise DataError(
                f"{self.data.name} has samples of shape {list(self.data.sample_shape)}, the "
                f"networks were trained on {shape}"
            )
        if not self.request.other_data:
            raise DataError(
                f"{self.data.name} is not the data of the training, {trained_on.get('name')} "
                f"(fingerprint {now[:SHORT]}, was {then[:SHORT]}); put the old data back, or "
                "measure on this with --allow-other-data"
            )
        was = f"{trained_on.get('name')} ({then[:SHORT]})"
        self.say(f"measured on {self.data.name} ({now[:SHORT]}), trained on {was}")
        return {"trained_on": then[:SHORT]}

    def _measures(self, seen: Seen) -> Iterator[tuple[str, Callable[[], Measure]]]:
        """Yield each measure by name, as what builds it: those that come with a term too."""
        for name, one in self.chosen.items():
            yield name, partial(self.assembly.measure, one, seen.latents, self.data)
        for name, term in seen.regularisers.items():
            for key, own in term.measures().items():
                yield f"{name}.{key}", partial(_itself, own)

    def _scores(
        self, name: str, build: Callable[[], Measure], view: EngineView
    ) -> list[dict[str, Any]]:
        self.tell({"event": "measure", "name": name})
        chosen = self.chosen.get(name)
        use = chosen.component.pinned if chosen else self.recipe.component_of("measures", name)
        try:
            with untouched_randomness():
                scores = evaluate(name, build(), view, use)
        except RecipeError as error:
            if name not in self.searched:
                raise
            self.say(f"{name} does not apply: {error.problems[0].text}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it costs its own scores only
            cause = line_of(error, always_named=True)
            self.failures.append(f"{name} ({cause})")
            self.say(f"measure {name!r} failed: {cause}")
        else:
            if not (name in self.searched and all(map(_is_void_of_samples, scores))):
                return scores
            self.say(f"{name} does not apply: {scores[0]['void'] if scores else 'no scores'}")
        return []


def _is_void_of_samples(score: Mapping[str, Any]) -> bool:
    """Return whether a measure gave up before it looked."""
    return bool(score.get("void")) and not score.get("count")


def _itself(measure: Measure) -> Measure:
    return measure
