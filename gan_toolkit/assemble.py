"""Names become things: a checked recipe is turned into the parts of a run.

Below this module nothing sees a recipe.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from gan_toolkit.batch_norm import synchronise
from gan_toolkit.batches import Batches
from gan_toolkit.building import Builder, Facts
from gan_toolkit.device import Device
from gan_toolkit.distributed import Alone, Ranks
from gan_toolkit.engine import Engine, Term
from gan_toolkit.errors import DataError, PluginError, Problem, RecipeError
from gan_toolkit.interfaces import (
    Augment,
    Averaging,
    Comparison,
    Critic,
    Dataset,
    Generator,
    Latent,
    Measure,
    Objective,
    Panel,
    Pass,
    Player,
    Regulariser,
    Tracker,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.players import Optimiser
from gan_toolkit.randomness import seed_of, seeded
from gan_toolkit.recipe import Chosen, Recipe
from gan_toolkit.registry import Component, Registry, UnknownComponent


@dataclass(frozen=True)
class Networks:
    """The parts that a model file holds: what turns latents into samples, and reads them back."""

    latents: LatentSpace
    generator: Generator
    critic: Critic
    regularisers: Mapping[str, Regulariser]


@dataclass(frozen=True)
class Parts:
    """Everything a run is made of, live."""

    data: Dataset
    engine: Engine
    batches: Batches
    panels: Mapping[str, Panel] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    trackers: Mapping[str, Tracker] = field(default_factory=dict)


class Assembly:
    """Builds the components of one recipe, and says which table is at fault when one can't be."""

    def __init__(self, recipe: Recipe, registry: Registry) -> None:
        self.recipe = recipe
        self.registry = registry
        self.seed = recipe.run.seed
        self._builder = Builder(recipe.origins, recipe.source)
        self._build = self._builder.build

    def data(self) -> Dataset:
        """Build the data set."""
        return self._build(self.recipe.data, {"sibling": partial(sibling, self.registry)}, Dataset)

    def augments(self, data: Dataset) -> dict[str, Augment]:
        """Build what changes real samples on their way to the critic."""
        facts: Facts = {"sample_shape": data.sample_shape, "data": data}
        chosen = self.recipe.augments
        return {name: self._build(one, facts, Augment) for name, one in chosen.items()}

    def latents(self) -> LatentSpace:
        """Build the latent space; a table with a count becomes that many latents."""
        latents: dict[str, Latent | list[Latent]] = {}
        for name, chosen in self.recipe.latents.items():
            count = chosen.shared.count
            built = [self._build(chosen, {}, Latent) for _ in range(count or 1)]
            latents[name] = built[0] if count is None else built
        return LatentSpace(latents)

    def generator(self, data: Dataset, latents: LatentSpace) -> Generator:
        """Build the generator alone: all that sampling needs."""
        shape: Facts = {"sample_shape": data.sample_shape, "data": data}
        facts = {"latent_width": latents.width, **shape}
        generator: Generator = self._drawn(self.recipe.generator, facts, Generator)
        return generator

    def networks(self, data: Dataset, latents: LatentSpace | None = None) -> Networks:
        """Build both players and the terms on torch's default device, weights drawn by the seed."""
        latents = latents or self.latents()
        generator = self.generator(data, latents)
        shape: Facts = {"sample_shape": data.sample_shape, "data": data}
        critic = self._drawn(self.recipe.critic, shape, Critic)
        facts = {
            "latents": latents,
            "feature_width": critic.feature_width,
            "new_critic": partial(self._build, self.recipe.critic, shape, Critic),
            **shape,
        }
        regularisers = {
            name: self._drawn(chosen, {"name": name, **facts}, Regulariser)
            for name, chosen in self.recipe.regularisers.items()
        }
        return Networks(latents, generator, critic, regularisers)

    def engine(self, networks: Networks, device: Device, ranks: Ranks | None = None) -> Engine:
        """Put the players into the game; of several `ranks` each plays with its share."""
        run = self.recipe.run
        if ranks is not None and run.batch_norm == "synchronised":
            for part in (networks.generator, networks.critic, *networks.regularisers.values()):
                synchronise(part, ranks)
        try:
            return Engine(
                networks.generator,
                networks.critic,
                networks.latents,
                self._build(self.recipe.objective, {}, Objective),
                self._optimisers(),
                [
                    self._term(name, chosen, networks)
                    for name, chosen in self.recipe.regularisers.items()
                ],
                self._averaging(),
                device=device,
                seed=run.seed,
                critic_steps=run.critic_steps,
                accumulate=run.accumulate,
                ranks=ranks,
            )
        except ValueError as error:
            raise PluginError(str(error)) from error

    def measure(self, chosen: Chosen, latents: LatentSpace, data: Dataset) -> Measure:
        """Build one measure."""
        facts: Facts = {"name": chosen.name, "latents": latents, "data": data}
        measure: Measure = self._build(chosen, facts, Measure)
        return measure

    def comparison(self, chosen: Chosen) -> Comparison:
        """Build one comparison of several models; it belongs to none of them."""
        comparison: Comparison = self._build(chosen, {"name": chosen.name}, Comparison)
        return comparison

    def watchers(self, networks: Networks, data: Dataset) -> dict[str, dict[str, Any]]:
        """Build panels, measures and trackers, those that come with a term included."""
        facts: Facts = {"latents": networks.latents, "data": data}
        tables = {
            "panels": (self.recipe.panels, Panel),
            "measures": (self.recipe.measures, Measure),
            "trackers": (self.recipe.trackers, Tracker),
        }
        built: dict[str, dict[str, Any]] = {
            kind: {name: self._build(c, {"name": name, **facts}, base) for name, c in some.items()}
            for kind, (some, base) in tables.items()
        }
        for name, term in networks.regularisers.items():
            built["panels"] |= {f"{name}.{key}": panel for key, panel in term.panels().items()}
            built["measures"] |= {f"{name}.{key}": own for key, own in term.measures().items()}
        return built

    # --- one component ----------------------------------------------------------------------

    def _optimisers(self) -> dict[Player, Optimiser]:
        optimisers: dict[Player, Optimiser] = {}
        for player in ("generator", "critic"):
            chosen = self.recipe.optimisers[player]
            options = self._builder.options(chosen)
            build = partial(self._builder.call, chosen, chosen.component.load())
            lr = options.pop("lr")
            optimisers[player] = Optimiser(build(options), lr)
        return optimisers

    def _averaging(self) -> Averaging | None:
        chosen = self.recipe.averaging
        return None if chosen is None else self._build(chosen, {}, Averaging)

    def _term(self, name: str, chosen: Chosen, networks: Networks) -> Term:
        keys = chosen.shared
        return Term(
            name,
            networks.regularisers[name],
            weight=self._builder.schedule(keys.weight),
            every=keys.every,
            start=keys.start,
            stop=keys.stop,
        )

    def _drawn(self, chosen: Chosen, facts: Facts, base: type) -> Any:
        """Build something whose weights are drawn: each part from a seed of its own."""
        with seeded(seed_of(self.seed, "weights", chosen.table)):
            return self._build(chosen, facts, base)


def sibling(registry: Registry, use: str, **options: Any) -> Dataset:
    """Build another registered data set, for one that stands in for it.

    Raises DataError when its files are missing or damaged, PluginError when nobody offers it.
    """
    try:
        component: Component = registry.get("dataset", use)
    except UnknownComponent as error:
        raise PluginError(f"data set {use!r} is offered by no plugin") from error
    return build_dataset(registry, component, dict(component.options(**options)))


def build_dataset(registry: Registry, component: Component, options: Facts) -> Dataset:
    """Build a data set by checked options, without a recipe; it may ask for its siblings."""
    builder = component.load()
    asks = "sibling" in inspect.signature(builder).parameters
    facts = {"sibling": partial(sibling, registry)} if asks else {}
    built: Dataset = builder(**options, **facts)
    return built


def assemble(
    recipe: Recipe,
    registry: Registry,
    device: Device,
    ranks: Ranks | None = None,
    data: Dataset | None = None,
) -> Parts:
    """Build everything a run needs, after a rehearsal of shapes that takes no memory.

    `data` stands in for the recipe's. Raises RecipeError, DataError or PluginError with the table
    at fault.
    """
    ranks = ranks or Alone()
    require_shares(recipe, ranks.count)
    assembly = Assembly(recipe, registry)
    data = assembly.data() if data is None else data
    rehearse(assembly, data)
    networks = assembly.networks(data)
    engine = assembly.engine(networks, device, ranks)
    size = recipe.run.batch_size * engine.batches_per_step
    augments = assembly.augments(data)
    share = partial(ranks.share, batches=engine.batches_per_step)
    batches = Batches(data, size, recipe.run.seed, device.torch_device, augments, share)
    return Parts(data, engine, batches, **assembly.watchers(networks, data))


def require_shares(recipe: Recipe, ranks: int) -> None:
    """Raise RecipeError unless a batch can be cut into that many equal shares."""
    size = recipe.run.batch_size
    if rest := size % ranks:
        near = " or ".join(str(n) for n in (size - rest, size - rest + ranks) if n)
        text = f"{size:,} samples can't be shared evenly by {ranks} ranks; try {near}"
        place = recipe.origins.get("run.batch_size", recipe.source)
        raise RecipeError([Problem(0, place, "run.batch_size", text)])


def rehearse(assembly: Assembly, data: Dataset) -> Engine:
    """Build the players without memory and push a batch of shapes through both phases."""
    recipe = assembly.recipe
    with torch.device("meta"):
        engine = assembly.engine(assembly.networks(data), Device(torch.device("meta")))
        _require_samples(recipe, engine.batches_per_step, data)
        real = torch.empty((min(recipe.run.batch_size, 2), *data.sample_shape))
        _rehearse_shapes(recipe, engine, data, real)
        terms = engine.terms
        always: dict[str, Any] = {"weight": 1.0, "every": 1, "start": 0, "stop": None}
        engine.terms = tuple(replace(term, **always) for term in terms)
        for phase in ("critic", "generator"):
            _rehearse_losses(recipe, engine, engine.look(phase, real, None, None))
        engine.terms = terms
    return engine


def _rehearse_losses(recipe: Recipe, engine: Engine, seen: Pass) -> None:
    try:
        with _without_values():
            engine.losses(seen)
    except (RuntimeError, ValueError) as error:
        part = f"regularisers.{seen.speaker}" if seen.speaker else "objective"
        raise _misfit(recipe, part, _first_line(error)) from error


def _require_samples(recipe: Recipe, batches: int, data: Dataset) -> None:
    size, most = recipe.run.batch_size, len(data) // batches
    if size > most:
        times = f"{batches} batches of {size:,} a step are" if batches > 1 else f"{size:,} is"
        place = recipe.origins.get("run.batch_size", recipe.source)
        raise DataError(
            f"{place}: run.batch_size: {times} more than the {len(data):,} samples of {data.name}; "
            f"lower it to {most:,} or less, or use more data"
        )


@contextmanager
def _without_values() -> Iterator[None]:
    """Let pass what a rehearsal can't tell: the first step will."""
    try:
        yield
    except NotImplementedError:
        return  # an operator without a meta kernel
    except RuntimeError as error:
        if "meta tensor" not in str(error):
            raise  # else it reads a value, and there is none


def _rehearse_shapes(recipe: Recipe, engine: Engine, data: Dataset, real: torch.Tensor) -> None:
    count, width = len(real), engine.critic.feature_width
    fake = _forward(recipe, "generator", engine.generator, engine.latents.sample(count, None))
    if fake is not None and fake.shape != real.shape:
        made, wanted = _shape(fake.shape[1:]), _shape(data.sample_shape)
        raise _misfit(recipe, "generator", f"makes {made} samples; {data.name} has {wanted}")
    judgement = _forward(recipe, "critic", engine.critic, real)
    if judgement is None:
        return
    score, features = judgement
    if score.shape != (count,) or features.shape != (count, width):
        raise _misfit(
            recipe,
            "critic",
            f"gave a score of shape {tuple(score.shape)} and features of {tuple(features.shape)} "
            f"for {count} samples; ({count},) and ({count}, {width}) are due",
        )


def _forward(recipe: Recipe, part: str, network: torch.nn.Module, given: torch.Tensor) -> Any:
    """Return what a network makes of `given`; None when only the first step can tell."""
    try:
        with _without_values():
            return network(given)
    except (RuntimeError, ValueError) as error:
        many = "a batch of 1" if len(given) == 1 else f"{_shape(given.shape[1:])} input"
        raise _misfit(recipe, part, f"can't take {many}: {_first_line(error)}") from error
    return None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _misfit(recipe: Recipe, part: str, text: str) -> RecipeError:
    return RecipeError([Problem(0, recipe.origins.get(part, recipe.source), part, text)])


def _shape(shape: tuple[int, ...] | torch.Size) -> str:
    return "x".join(map(str, shape))
