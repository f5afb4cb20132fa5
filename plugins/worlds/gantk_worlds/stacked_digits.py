"""Three digits in the three colours of one picture: 1,000 modes that a generator may miss.

Stacked MNIST: Metz et al. 2017 (arXiv 1611.02163), Che et al. 2017 (arXiv 1612.02136), PacGAN
(arXiv 1712.04086).
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from gan_toolkit import ArrayDataset, Dataset, Factor
from gantk_worlds.choice import Sibling, choose
from gantk_worlds.options import StackedDigitsOptions
from gantk_worlds.prepared import dataset
from gantk_worlds.streams import Streams, table
from gantk_worlds.strokes import DIGITS, SIZE, strokes
from gantk_worlds.world import HELD_OUT, World, split

COLOURS = ("red", "green", "blue")

_DRAWN = (60_000, 10_000)
"""As many digits as MNIST has, for training and held out."""


class StackedWorld(World):
    """Three digits drawn at random, with repetition; the label is the mode, "000" to "999".

    The mode is the digits read from red to blue. Scored are the three digits, which are
    independent; the mode is not, as it says the same once more. Which images they are is known too:
    the table holds their numbers. Held-out samples are made of held-out digits.
    """

    version: ClassVar[int] = 1
    label: ClassVar[str] = "mode"

    def __init__(self, digits: Dataset, size: int = SIZE, *, seed: int = 0) -> None:
        kept = digits.held_out()
        if kept is None:
            raise ValueError(f"{digits.name} holds no samples out: none for held-out stacks")
        parts = [part.batch(torch.arange(len(part), device="cpu")) for part in (digits, kept)]
        self._images = torch.cat([part.samples.cpu() for part in parts])
        self._digits = torch.cat([_labels(part.labels, digits) for part in parts])
        self._for_training = len(digits)
        self._seed = seed
        self._credit = digits.notice
        self.sample_shape = (len(COLOURS), size, size)
        self.options = {
            "size": size,
            "seed": seed,
            "digits": digits.fingerprint(),
            "held_out": kept.fingerprint(),
        }
        last = float(len(self._images) - 1)
        self.factors = (
            Factor("mode", "discrete", tuple(f"{mode:03}" for mode in range(1000)), scored=False),
            *(Factor(f"{colour}_digit", "discrete", DIGITS) for colour in COLOURS),
            *(
                Factor(f"{colour}_image", "continuous", high=last, unit="number", scored=False)
                for colour in COLOURS
            ),
        )

    @property
    def notice(self) -> str:
        """What the digits say of themselves."""
        return f"{self.name}: stacked by gan-toolkit from {self._credit}"

    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, 7) of the samples at `indices` (N,)."""
        streams = Streams(f"stacked digits {self.version}", self._seed, indices)
        kept = indices >= HELD_OUT
        first = torch.where(kept, self._for_training, 0)
        count = torch.where(kept, len(self._images) - self._for_training, self._for_training)
        images = [first + (streams.uniform(colour) * count).floor() for colour in COLOURS]
        digits = [self._digits[image.long()] for image in images]
        mode = 100 * digits[0] + 10 * digits[1] + digits[2]
        return table([mode, *digits, *images])

    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, 3, size, size) of factors (N, 7): the images they number."""
        known = split(table, self.factors)
        numbers = [known[f"{colour}_image"].long().cpu() for colour in COLOURS]
        stacks = torch.cat([self._images[number] for number in numbers], dim=1)
        border = (self.sample_shape[-1] - stacks.shape[-1]) // 2
        return pad(stacks, [border] * 4).to(table.device)


class StackedMnist(StackedWorld):
    """Stacks of real digits."""

    name: ClassVar[str] = "stacked MNIST"
    source: ClassVar[str] = "real"


class StackedStrokes(StackedWorld):
    """Stacks of drawn digits."""

    name: ClassVar[str] = "stacked-strokes-synthetic"


def stacked_digits(
    source: Literal["auto", "real", "synthetic"],
    root: str | None,
    size: int,
    count: int,
    held_out: int,
    seed: int,
    cache: str | None,
    sibling: Sibling,
) -> ArrayDataset:
    """Return stacks of MNIST's digits, or of drawn ones."""
    digits = choose(
        source,
        partial(sibling, "mnist", root=root, split="train"),
        partial(strokes, "mnist", False, *_DRAWN, 0, cache),
        StackedStrokes.name,
        StackedDigitsOptions(),
        {},
    )
    kind = StackedMnist if digits.source == "real" else StackedStrokes
    return dataset(kind(digits, size, seed=seed), count, held_out, cache)


def _labels(labels: Tensor | None, digits: Dataset) -> Tensor:
    if labels is None:
        raise ValueError(f"{digits.name} has no labels: nobody knows its digits")
    return labels.cpu().double()
