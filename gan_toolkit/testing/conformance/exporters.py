"""What every `Exporter` promises, and the small models it is tried on."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import SkipTest

import torch

from gan_toolkit.interfaces import Exporter
from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import Model
from gan_toolkit.randomness import seeded
from gan_toolkit.testing.conformance.base import Conformance, drawing_nothing
from gan_toolkit.testing.conformance.tiny import TinyGenerator
from gan_toolkit.testing.views import Choice, Level, Turn

TARGET = "it"


def model_of_images() -> Model:
    """Return a model of grey images of 8x8, always the same: noise, and a code of each kind."""
    return _model((1, 8, 8))


def model_of_points() -> Model:
    """Return a model of points in the plane, always the same, with the same latents."""
    return _model((2,))


def _model(shape: tuple[int, ...]) -> Model:
    space = LatentSpace({"noise": Level(), "coin": Choice(2), "level": Level(), "turn": Turn()})
    with seeded(0):
        generator = TinyGenerator(space.width, shape)
    data = {"name": "nothing", "source": "synthetic", "shape": list(shape), "notice": "none"}
    facts = {"steps": 30, "data": data, "codes": {"coin": {}, "level": {}}}
    recipe = {"name": "tiny", "latents": {name: {"use": f"tiny_{name}@1"} for name in space}}
    return Model(space, generator, facts=facts, recipe=recipe)


class ExporterConformance(Conformance):
    """What every `Exporter` promises, shown a small model."""

    @abstractmethod
    def make(self) -> Exporter:
        """Return the exporter to check; the latents of the model are those of `model()`."""

    def model(self) -> Model:
        """Return the model that is exported, a fresh one at every call: of images with codes."""
        return model_of_images()

    def test_its_suffix_is_that_of_a_file_or_empty(self) -> None:
        suffix = self.make().suffix

        assert re.fullmatch(r"(\.[a-z0-9]+)*", suffix), f"{suffix!r} is no suffix, such as .txt"

    def test_it_writes_its_target_and_nothing_else(self) -> None:
        exporter = self.make()

        with _place(exporter) as target, TemporaryDirectory() as elsewhere, chdir(elsewhere):
            exporter.export(self.model(), target)
            left = [path for place in (target.parent, Path(elsewhere)) for path in place.iterdir()]
            assert left == [target], f"it left {', '.join(path.name for path in left)}"
            assert target.is_dir() == (not exporter.suffix), "it wrote a folder for a file"
            written = _contents(target)

        assert written, "it wrote nothing"
        assert any(written.values()), "what it wrote is empty"

    def test_the_same_model_gives_the_same_bytes(self) -> None:
        if not self.make().reproducible:
            raise SkipTest("it doesn't promise the same bytes")

        first, second = (self._written() for _ in range(2))

        assert first.keys() == second.keys()
        differing = [name for name, content in first.items() if content != second[name]]
        assert not differing, f"{differing[0] or 'the file'} differs from one time to the next"

    def test_it_draws_no_training_randomness(self) -> None:
        exporter = self.make()

        with _place(exporter) as target, drawing_nothing():
            exporter.export(self.model(), target)

    def test_it_leaves_the_model_alone(self) -> None:
        exporter, model = self.make(), self.model()
        before = {name: tensor.clone() for name, tensor in model.generator.state_dict().items()}

        with _place(exporter) as target:
            exporter.export(model, target)

        assert not model.generator.training, "it left the generator in training mode"
        for name, now in model.generator.state_dict().items():
            assert torch.equal(now, before[name]), f"it changed {name} of the generator"
        for parameter in model.generator.parameters():
            assert parameter.grad is None, "it left gradients"
            assert not parameter.requires_grad, "it made the generator learn again"

    def _written(self) -> dict[str, bytes]:
        exporter = self.make()
        with _place(exporter) as target:
            exporter.export(self.model(), target)
            return _contents(target)


@contextmanager
def _place(exporter: Exporter) -> Iterator[Path]:
    """Give an exporter a place for the time being."""
    with TemporaryDirectory() as folder:
        yield place_for(exporter, Path(folder).resolve())


def place_for(exporter: Exporter, folder: Path) -> Path:
    """Return where an exporter writes in `folder`: a name that is free, or an empty folder."""
    target = folder / f"{TARGET}{exporter.suffix}"
    if not exporter.suffix:
        target.mkdir()
    return target


def _contents(target: Path) -> dict[str, bytes]:
    """Return what was written, by its place below the target; a file itself is at ""."""
    if target.is_file():
        return {"": target.read_bytes()}
    found = (path for path in sorted(target.rglob("*")) if path.is_file())
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in found}
