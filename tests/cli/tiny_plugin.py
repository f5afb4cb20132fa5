"""A plugin of one file, small enough to train in milliseconds; tests give it to `-P`."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn

from gan_toolkit import (
    ArrayDataset,
    Generator,
    MissingPackageError,
    Options,
    Scheduled,
    Source,
    hookimpl,
)
from gan_toolkit.interfaces import Comparison, Critic, Exporter, Judgement, Measure, Score
from gan_toolkit.testing import parts

SHAPE = (1, 4, 4)


class CodeOptions(Options):
    code: str
    """The latent to read back."""


class RateOptions(Options):
    lr: Scheduled = 1e-3
    """Learning rate."""


class TinyOptions(Options):
    grey: bool = True
    """Whether the pictures are grey."""
    fault: str = ""
    """What goes wrong while it is prepared."""


DOTS = Source(
    component="tiny_dots",
    title="dots",
    what="64 dots",
    origin="nobody",
    licence="none",
    how="draw them",
    folders=("<root>",),
)


class GameOptions(Options):
    signal: str = ""
    """What this process receives in its third step: names with commas between them."""
    loud: bool = False
    """Whether it prints while it trains, itself and through another process."""


class Game(parts.TinyObjective):
    def __init__(self, signal: str, loud: bool) -> None:
        self.signal = signal
        self.loud = loud
        self.calls = 0

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        self.calls += 1
        if self.signal and self.calls == 3:
            receive(self.signal)
        if self.loud:
            print("loud itself")  # noqa: T201 - the subject
            subprocess.run([sys.executable, "-S", "-c", "print('loud by another')"], check=True)
        return super().critic_loss(real_score, fake_score)


def receive(name: str) -> None:
    for one in name.split(","):
        signal.raise_signal(getattr(signal, one))


class Images(Generator):
    def __init__(self, latent_width: int) -> None:
        super().__init__()
        self.out = nn.Linear(latent_width, 16)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return torch.tanh(self.out(latent)).reshape(-1, *SHAPE)


class Judge(Critic):
    feature_width = parts.WIDTH

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(16, parts.WIDTH)
        self.out = nn.Linear(parts.WIDTH, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        features = torch.relu(self.inner(sample.flatten(1)))
        return Judgement(self.out(features).squeeze(1), features)


class Two(Measure):
    def measure(self, view: Any) -> list[Score]:
        return [Score("code", 0.5, 10, "none", unit="nats", ceiling=0.693)]


class Broken(Measure):
    def measure(self, view: Any) -> list[Score]:
        raise ZeroDivisionError("a bug")


class PlaceOptions(Options):
    factor: float = 1.0
    """What the place is multiplied by."""


class Place(Comparison):
    """The place of each run, of which the last two are not told apart."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def compare(self, views: Any) -> list[list[Score]]:
        places = [self.factor * place for place, _ in enumerate(views)]
        return [[Score("place", p, 1, "place", low=places[1], chance=0.5)] for p in places]


class Nothing(Comparison):
    def compare(self, views: Any) -> list[list[Score]]:
        return [[Score("sight", float("nan"), 0, "", void="nothing to see")] for _ in views]


class Lost(Comparison):
    def compare(self, views: Any) -> list[list[Score]]:
        raise ZeroDivisionError("a bug")


class TextOptions(Options):
    count: int = 3
    """How many samples."""
    fault: bool = False
    """Whether it fails half way."""


class Text(Exporter):
    suffix = ".txt"

    def __init__(self, count: int, fault: bool) -> None:
        self.count = count
        self.fault = fault

    def export(self, model: Any, target: Path) -> None:
        print("loud exporter")  # noqa: T201 - the subject
        target.write_text(str(model.sample(self.count).tolist()))
        if self.fault:
            raise ZeroDivisionError("a bug")


class Needy(Exporter):
    def __init__(self) -> None:
        raise MissingPackageError("tiny_needy writes with nothing: pip install 'tiny[nothing]'")

    def export(self, model: Any, target: Path) -> None: ...


def dots(grey: bool, fault: str) -> ArrayDataset:
    assert grey
    logging.getLogger("gantk.tiny").info("preparing dots")
    if fault == "memory":
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
    if fault == "missing":
        raise DOTS.missing(["dots"], [Path("here")])
    if fault == "bug":
        raise ZeroDivisionError("a bug")
    if fault.startswith("SIG"):
        with suppress(Exception):  # careless code swallows what it should not
            receive(fault)
    rng = torch.Generator().manual_seed(0)
    samples = torch.randint(0, 256, (64, *SHAPE), generator=rng, dtype=torch.uint8)
    return ArrayDataset("dots", "synthetic", samples)


def adam() -> Any:
    return partial(torch.optim.Adam)


@hookimpl
def gantk_register(registry: Any) -> None:
    own, tiny = f"{__name__}:", "gan_toolkit.testing.parts:"
    registry.add("latent", "tiny_noise", build=tiny + "Noise", summary="noise")
    registry.add("latent", "tiny_coin", build=tiny + "Coin", summary="a coin")
    registry.add("generator", "tiny_images", build=own + "Images")
    registry.add("critic", "tiny_judge", build=own + "Judge")
    registry.add("objective", "tiny_game", options=GameOptions, build=own + "Game")
    registry.add("regulariser", "tiny_read", options=CodeOptions, build=tiny + "ReadBack")
    registry.add(
        "dataset",
        "tiny_dots",
        options=TinyOptions,
        build=own + "dots",
        summary="dots",
        source=DOTS,
    )
    registry.add("optimiser", "tiny_adam", options=RateOptions, build=own + "adam")
    registry.add("measure", "tiny_two", build=own + "Two")
    registry.add("measure", "tiny_broken", build=own + "Broken")
    registry.add("comparison", "tiny_place", options=PlaceOptions, build=own + "Place")
    registry.add("comparison", "tiny_none", build=own + "Nothing")
    registry.add("comparison", "tiny_lost", build=own + "Lost")
    registry.add("exporter", "tiny_text", options=TextOptions, build=own + "Text")
    registry.add("exporter", "tiny_needy", build=own + "Needy")


@hookimpl
def gantk_checks() -> list[tuple[str, bool, str]]:
    return [("dots are round", False, "buy rounder dots")]


@hookimpl
def gantk_commands(cli: click.Group) -> None:
    @cli.command(short_help="Say dot.")
    def dot() -> None:
        click.echo("dot")
