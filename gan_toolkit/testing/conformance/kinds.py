"""The contract of each kind, and how a registered component is held against it.

What pytest runs in `PluginConformance.test_component` and what `gantk plugins check` runs is the
same: the methods of the class that `conformance_of` returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

import torch

from gan_toolkit.assemble import build_dataset
from gan_toolkit.errors import MissingFilesError, MissingPackageError
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import (
    Augment,
    Averaging,
    Comparison,
    Critic,
    Dataset,
    Exporter,
    Generator,
    Latent,
    Measure,
    Objective,
    Panel,
    Regulariser,
    Schedule,
    Tracker,
)
from gan_toolkit.model import Model
from gan_toolkit.registry import Component, Registry
from gan_toolkit.testing.conformance.base import Conformance
from gan_toolkit.testing.conformance.datasets import AugmentConformance, DatasetConformance
from gan_toolkit.testing.conformance.exporters import (
    ExporterConformance,
    model_of_images,
    model_of_points,
    place_for,
)
from gan_toolkit.testing.conformance.latents import LatentConformance
from gan_toolkit.testing.conformance.networks import CriticConformance, GeneratorConformance
from gan_toolkit.testing.conformance.objectives import ObjectiveConformance
from gan_toolkit.testing.conformance.regularisers import RegulariserConformance
from gan_toolkit.testing.conformance.scene import Scene, scene_of_images, scene_of_points
from gan_toolkit.testing.conformance.training import (
    AveragingConformance,
    OptimiserConformance,
    ScheduleConformance,
)
from gan_toolkit.testing.conformance.trial import Trial, data_of, folders_of_its_own, untried
from gan_toolkit.testing.conformance.watching import (
    ComparisonConformance,
    MeasureConformance,
    PanelConformance,
    TrackerConformance,
)

CHECK = "test_"
SHAPES = (
    (1, 8, 8), (1, 28, 28), (1, 32, 32), (3, 32, 32), (1, 64, 64), (3, 64, 64), (2,),
)  # fmt: skip
"""What networks are asked to make or judge: the first that they don't refuse."""
CONTRACTS: Mapping[str, type] = {
    "latent": LatentConformance,
    "generator": GeneratorConformance,
    "critic": CriticConformance,
    "objective": ObjectiveConformance,
    "regulariser": RegulariserConformance,
    "dataset": DatasetConformance,
    "augment": AugmentConformance,
    "optimiser": OptimiserConformance,
    "schedule": ScheduleConformance,
    "averaging": AveragingConformance,
    "measure": MeasureConformance,
    "comparison": ComparisonConformance,
    "panel": PanelConformance,
    "tracker": TrackerConformance,
    "exporter": ExporterConformance,
}
"""The contract of each kind."""


def checks_of(component: Component) -> list[str]:
    """Return the names of the checks that a component can be put to.

    None for what needs files that no trial has.
    """
    return [] if untried(component) else checks_in(CONTRACTS[component.kind])


def checks_in(contract: type) -> list[str]:
    """Return the names of the checks of a class, in the order they are written."""
    defined = [name for base in reversed(contract.__mro__) for name in vars(base)]
    return [name for name in dict.fromkeys(defined) if name.startswith(CHECK)]


def conformance_of(component: Component, registry: Registry) -> Conformance:
    """Return the contract of a component's kind, about the component as its `trial` makes it.

    `registry` is where a data set looks for its siblings.
    """
    return _TRIALS[component.kind](Trial(component, registry))


def _latent(trial: Trial) -> Conformance:
    class Checked(LatentConformance):
        def make(self) -> Latent:
            return trial.build(Latent)

    return Checked()


def _generator(trial: Trial) -> Conformance:
    def build(shape: tuple[int, ...]) -> Generator:
        width = GeneratorConformance.latent_width
        return trial.build(Generator, latent_width=width, sample_shape=shape, data=data_of(shape))

    class Checked(GeneratorConformance):
        sample_shape = trial.fitting(SHAPES, build)

        def make(self) -> Generator:
            return build(self.sample_shape)

    return Checked()


def _critic(trial: Trial) -> Conformance:
    def build(shape: tuple[int, ...]) -> Critic:
        return trial.build(Critic, sample_shape=shape, data=data_of(shape))

    class Checked(CriticConformance):
        sample_shape = trial.fitting(SHAPES, build)

        def make(self) -> Critic:
            return build(self.sample_shape)

    return Checked()


def _objective(trial: Trial) -> Conformance:
    class Checked(ObjectiveConformance):
        def make(self) -> Objective:
            return trial.build(Objective)

    return Checked()


def _regulariser(trial: Trial) -> Conformance:
    class Checked(RegulariserConformance):
        def make(self) -> Regulariser:
            return trial.build(
                Regulariser,
                latents=self.space(),
                sample_shape=self.sample_shape,
                feature_width=self.critic().feature_width,
                new_critic=self.critic,
                data=data_of(self.sample_shape),
                name="term",
            )

    def build(shape: tuple[int, ...]) -> Regulariser:
        Checked.sample_shape = shape
        return Checked().make()

    Checked.sample_shape = trial.fitting(((5,), *SHAPES), build)
    return Checked()


def _dataset(trial: Trial) -> Conformance:
    class Checked(DatasetConformance):
        def make(self) -> Dataset:
            try:
                with folders_of_its_own():
                    return build_dataset(trial.registry, trial.component, trial.options)
            except MissingFilesError as error:
                raise SkipTest(f"its files are not part of a trial: {error.what}") from error

    return Checked()


def _augment(trial: Trial) -> Conformance:
    def build(shape: tuple[int, ...]) -> Augment:
        return trial.build(Augment, sample_shape=shape, data=data_of(shape))

    class Checked(AugmentConformance):
        sample_shape = trial.fitting(((3, 16, 16), *SHAPES), build)

        def make(self) -> Augment:
            return build(self.sample_shape)

    return Checked()


def _optimiser(trial: Trial) -> Conformance:
    options = trial.options
    rate = options.pop("lr")

    class Checked(OptimiserConformance):
        lr = rate

        def make(self) -> Callable[[list[dict[str, Any]]], torch.optim.Optimizer]:
            built: Callable[..., torch.optim.Optimizer] = trial.component.load()(**options)
            return built

    return Checked()


def _schedule(trial: Trial) -> Conformance:
    class Checked(ScheduleConformance):
        def make(self) -> Schedule:
            return trial.build(Schedule)

    return Checked()


def _averaging(trial: Trial) -> Conformance:
    class Checked(AveragingConformance):
        def make(self) -> Averaging:
            return trial.build(Averaging)

    return Checked()


def _facts(scene: Scene) -> Mapping[str, Any]:
    return {"latents": scene.view.space, "data": scene.view.data, "name": "it"}


@cache
def _scene(component: Component, base: type, look: str) -> Callable[[], Scene]:
    """Return what makes the first scene that a measure or a panel can look at.

    Images if there is none: the checks then tell what is wrong.
    """
    for scene in (scene_of_images, scene_of_points):
        with suppress(Exception), untouched_randomness():
            built = Trial(component, Registry()).build(base, **_facts(scene()))
            getattr(built, look)(scene().view)
            return scene
    return scene_of_images


def _measure(trial: Trial) -> Conformance:
    class Checked(MeasureConformance):
        scene = staticmethod(_scene(trial.component, Measure, "measure"))

        def make(self) -> Measure:
            return trial.build(Measure, **_facts(self.scene()))

    return Checked()


def _comparison(trial: Trial) -> Conformance:
    class Checked(ComparisonConformance):
        def make(self) -> Comparison:
            return trial.build(Comparison)

    return Checked()


def _panel(trial: Trial) -> Conformance:
    class Checked(PanelConformance):
        scene = staticmethod(_scene(trial.component, Panel, "draw"))

        def make(self) -> Panel:
            return trial.build(Panel, **_facts(self.scene()))

    return Checked()


def _tracker(trial: Trial) -> Conformance:
    class Checked(TrackerConformance):
        def make(self) -> Tracker:
            return trial.build(Tracker, **_facts(scene_of_images()))

    return Checked()


def _exporter(trial: Trial) -> Conformance:
    class Checked(ExporterConformance):
        def make(self) -> Exporter:
            try:
                return trial.build(Exporter, latents=self.model().latents)
            except MissingPackageError as error:
                raise SkipTest(str(error)) from error

        def model(self) -> Model:
            return _model(trial.component)()

    return Checked()


@cache
def _model(component: Component) -> Callable[[], Model]:
    """Return what makes the first model that an exporter has a form for.

    Images if there is none: the checks then tell what is wrong.
    """
    trial = Trial(component, Registry())
    for model in (model_of_images, model_of_points):
        with suppress(Exception), TemporaryDirectory() as folder, untouched_randomness():
            exporter: Exporter = trial.build(Exporter, latents=model().latents)
            exporter.export(model(), place_for(exporter, Path(folder)))
            return model
    return model_of_images


_TRIALS: Mapping[str, Callable[[Trial], Conformance]] = {
    "latent": _latent,
    "generator": _generator,
    "critic": _critic,
    "objective": _objective,
    "regulariser": _regulariser,
    "dataset": _dataset,
    "augment": _augment,
    "optimiser": _optimiser,
    "schedule": _schedule,
    "averaging": _averaging,
    "measure": _measure,
    "comparison": _comparison,
    "panel": _panel,
    "tracker": _tracker,
    "exporter": _exporter,
}
