"""What every `Measure`, `Comparison`, `Panel` and `Tracker` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import asdict
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import torch
from PIL import Image

from gan_toolkit.events import Observers
from gan_toolkit.interfaces import Comparison, Measure, Panel, Picture, Score, Tracker
from gan_toolkit.strict_json import fault
from gan_toolkit.testing.conformance.base import Conformance, drawing_nothing
from gan_toolkit.testing.conformance.scene import Scene, scene_of_images

LARGEST = 8192
"""Pixels a side: what a browser and a tracker still show."""


class WatchingConformance(Conformance):
    """What measures and panels share: they look, and leave everything as it was."""

    def scene(self) -> Scene:
        """Return what is looked at, a fresh one at every call: images with codes and factors."""
        return scene_of_images()

    @abstractmethod
    def look(self, scene: Scene) -> object:
        """Let it look, and return what can be compared."""

    def test_it_finds_the_same_again(self) -> None:
        assert self.look(self.scene()) == self.look(self.scene())

    def test_it_draws_no_training_randomness(self) -> None:
        scene = self.scene()

        with drawing_nothing():
            self.look(scene)

    def test_it_leaves_networks_and_samples_alone(self) -> None:
        scene = self.scene()

        with _left_alone(scene):
            self.look(scene)


class MeasureConformance(WatchingConformance):
    """What every `Measure` promises."""

    @abstractmethod
    def make(self) -> Measure:
        """Return the measure to check; facts of the run are in `scene()`."""

    def look(self, scene: Scene) -> list[dict[str, Any]]:
        """Return its scores; a NaN, which equals nothing, as text."""
        return _comparable(self.make().measure(scene.view))

    def test_scores_are_numbers_one_can_compare(self) -> None:
        """A name of its own, a sample size, an estimator; and a reason where there is no value."""
        _assert_named_and_sound(self.make().measure(self.scene().view))


class ComparisonConformance(WatchingConformance):
    """What every `Comparison` promises, shown one model several times."""

    @abstractmethod
    def make(self) -> Comparison:
        """Return the comparison to check."""

    def look(self, scene: Scene) -> list[list[dict[str, Any]]]:
        """Return the scores of each model; a NaN, which equals nothing, as text."""
        comparison = self.make()
        return [
            _comparable(scores)
            for scores in comparison.compare([scene.view] * max(2, comparison.least))
        ]

    def test_every_model_gets_the_same_scores_by_name(self) -> None:
        comparison = self.make()
        count = max(2, comparison.least)

        found = comparison.compare([self.scene().view for _ in range(count)])

        assert len(found) == count, f"it scores {len(found)} of {count} models"
        assert len({tuple(score.name for score in scores) for scores in found}) == 1
        for scores in found:
            assert scores, "it gives no score"
            _assert_named_and_sound(scores)


class PanelConformance(WatchingConformance):
    """What every `Panel` promises."""

    @abstractmethod
    def make(self) -> Panel:
        """Return the panel to check; facts of the run are in `scene()`."""

    def look(self, scene: Scene) -> list[tuple[str, str, bytes]]:
        """Return its pictures."""
        drawn = self.make().draw(scene.view)
        return [(one.folder, one.caption, one.image.tobytes()) for one in drawn]

    def test_pictures_are_images_of_a_size_one_can_look_at(self) -> None:
        pictures = self.make().draw(self.scene().view)

        assert pictures, "it draws nothing"
        for picture in pictures:
            assert isinstance(picture.image, Image.Image)
            assert 1 < min(picture.image.size) <= max(picture.image.size) <= LARGEST
            assert isinstance(picture.caption, str)

    def test_each_picture_has_a_folder_of_its_own_within_the_run(self) -> None:
        folders = [picture.folder for picture in self.make().draw(self.scene().view)]

        assert len(folders) == len(set(folders)), f"pictures overwrite each other: {folders}"
        for folder in map(PurePosixPath, folders):
            assert folder.parts
            assert not folder.is_absolute(), f"{folder} is not in the run"
            assert ".." not in folder.parts, f"{folder} is not in the run"


class TrackerConformance(Conformance):
    """What every `Tracker` promises, shown a short run."""

    @abstractmethod
    def make(self) -> Tracker:
        """Return the tracker to check; what it talks to is the test's to set up."""

    def test_it_takes_a_whole_run(self) -> None:
        with _a_run(self.make()) as said:
            pass

        assert not said, said[0]

    def test_it_draws_no_training_randomness(self) -> None:
        tracker = self.make()

        with drawing_nothing():
            tracker.log(RECORDS[0])

    def test_it_leaves_what_it_is_told_alone(self) -> None:
        tracker = self.make()

        for record in RECORDS:
            told = deepcopy(record)
            tracker.log(told)
            assert told == record

    def test_it_can_be_closed_at_any_time(self) -> None:
        """Before it started, and twice: `close` is called whatever happened."""
        tracker = self.make()

        tracker.close()
        tracker.close()


RECORDS: tuple[dict[str, Any], ...] = (
    {"event": "log", "step": 1, "critic/loss": 1.3, "generator/loss": 0.7, "seconds": 0.1},
    {"event": "log", "step": 2, "critic/loss": None, "information/coin": 0.5},
    {
        "event": "evaluation",
        "step": 2,
        "scores": [{"name": "bound", "value": None, "void": "none"}],
    },
    {"event": "checkpoint", "step": 2, "path": "checkpoints/1"},
    {"event": "end", "step": 2, "outcome": "finished"},
)


@contextmanager
def _a_run(tracker: Tracker) -> Iterator[list[str]]:
    """Tell a tracker of a run through the guard of runs; yield what the guard had to say."""
    said: list[str] = []
    observers = Observers({"it": tracker}, said.append)
    with TemporaryDirectory() as folder:
        observers.start({"id": "a1b2c3", "name": "tiny", "folder": folder, "recipe": {"format": 1}})
        for record in RECORDS:
            observers.log(record)
        observers.picture(Picture("samples", Image.new("RGB", (8, 8)), "nothing"), 2)
        observers.close()
    yield said


@contextmanager
def _left_alone(scene: Scene) -> Iterator[None]:
    """Fail when networks change, change their mode, or shared samples are written into."""
    before = {name: t.clone() for name, t in scene.network.state_dict().items()}
    yield
    assert not scene.network.training, "it left a network in training mode"
    assert not any(p.grad is not None for p in scene.network.parameters()), "it left gradients"
    for name, now in scene.network.state_dict().items():
        assert torch.equal(now, before[name]), f"it changed {name} of the generator"
    for count, bank in scene.view.banks.items():
        assert torch.equal(bank.samples, scene.view.generate(bank.latent)), (
            f"it wrote into the {count} samples that all measures share"
        )


def _comparable(scores: Sequence[Score]) -> list[dict[str, Any]]:
    return [{key: repr(value) for key, value in asdict(score).items()} for score in scores]


def _assert_named_and_sound(scores: Sequence[Score]) -> None:
    names = [score.name for score in scores]
    assert len(names) == len(set(names)), f"two scores bear one name: {sorted(names)}"
    for score in scores:
        _assert_sound(score)


def _assert_sound(score: Score) -> None:
    where = f"score {score.name!r}"
    assert score.name, "a score has no name"
    assert score.estimator or score.void, f"{where} does not say how it was estimated"
    assert score.count >= 0, f"{where} is of {score.count} samples"
    assert type(score.value) in (float, int), f"{where} is a {type(score.value).__name__}"
    assert math.isfinite(score.value) or score.void, f"{where} is {score.value}, and not void"
    if score.low is not None and score.high is not None:
        assert score.low <= score.high, f"{where}: its interval ends before it begins"
    assert not fault(dict(score.details), tuples=True), f"{where}: {fault(dict(score.details))}"
