"""A `View` held in memory, and small latents to fill it with.

For tests of measures and panels: no run, no engine, no file. What generates and what infers are
plain functions, so that a test can hand over a perfect reader, an ignorant one, or a generator
that renders its code exactly.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, OneHotCategorical

from gan_toolkit.batches import normalise
from gan_toolkit.interfaces import (
    Bank,
    Batch,
    Dataset,
    Effort,
    Grid,
    Latent,
    Made,
    View,
    device_of,
)
from gan_toolkit.latents import LatentSpace

Generate = Callable[[Tensor], Tensor]
Infer = Callable[[Tensor], dict[str, Tensor]]


class Choice(Latent):
    """One of `values` equally likely values, as a one-hot row."""

    discrete = True

    def __init__(self, values: int) -> None:
        self.width = self.posterior_width = values

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw one-hot rows."""
        index = torch.randint(self.width, (count,), generator=rng, device=device_of(rng))
        return torch.nn.functional.one_hot(index, self.width).float()

    def encode(self, value: Any) -> Tensor:
        """Turn an index into its one-hot row."""
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < self.width:
            raise ValueError(f"{value!r:.40} is no choice; 0 to {self.width - 1}")
        return torch.nn.functional.one_hot(torch.tensor(value), self.width).float()

    def grid(self, count: int) -> Grid:  # noqa: ARG002 - the contract's argument
        """Return every value, whatever `count`."""
        labels = [str(index) for index in range(self.width)]
        return Grid(torch.eye(self.width), labels, [True] * self.width)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs as logits."""
        return OneHotCategorical(logits=raw)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the likeliest index."""
        return raw.argmax(dim=1, keepdim=True)

    def entropy(self) -> float:
        """Return log `values`."""
        return math.log(self.width)

    def bins(self, value: Tensor, count: int) -> Tensor:  # noqa: ARG002 - the contract's
        """Return the index."""
        return value.argmax(dim=1, keepdim=True)


class Level(Latent):
    """A number, equally likely anywhere between -1 and 1."""

    width = 1
    posterior_width = 2

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw numbers in [-1, 1]."""
        return torch.rand(count, 1, generator=rng, device=device_of(rng)) * 2 - 1

    def encode(self, value: Any) -> Tensor:
        """Take the number as it is."""
        return torch.tensor([_number(value)])

    def grid(self, count: int) -> Grid:
        """Return values from -2 to 2, of which the inner half was trained."""
        values = torch.linspace(-2, 2, count)[:, None]
        trained = [abs(value) <= 1 for value in values[:, 0].tolist()]
        return Grid(values, [f"{value:.1f}" for value in values[:, 0].tolist()], trained)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs as mean and log deviation of a bell curve."""
        return Independent(Normal(raw[:, :1], raw[:, 1:].exp()), 1)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the mean."""
        return raw[:, :1]

    def entropy(self) -> float:
        """Return log 2."""
        return math.log(2)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return the bin of equal width."""
        return ((value + 1) / 2 * count).long().clamp(0, count - 1)


class Turn(Latent):
    """A direction, equally likely anywhere, as (cos, sin). Nothing infers it."""

    width = 2
    circular = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw points on the unit circle."""
        angle = torch.rand(count, 1, generator=rng, device=device_of(rng)) * math.tau
        return torch.cat([angle.cos(), angle.sin()], dim=1)

    def encode(self, value: Any) -> Tensor:
        """Turn an angle in radians into its point."""
        angle = _number(value)
        return torch.tensor([math.cos(angle), math.sin(angle)])

    def grid(self, count: int) -> Grid:
        """Return one turn, its end left out."""
        angles = [math.tau * index / count for index in range(count)]
        values = torch.stack([self.encode(angle) for angle in angles])
        return Grid(values, [f"{math.degrees(angle):.0f}°" for angle in angles], [True] * count)

    def entropy(self) -> float:
        """Return log 2 pi."""
        return math.log(math.tau)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return the sector."""
        turns = torch.atan2(value[:, 1:], value[:, :1]) / math.tau % 1
        return (turns * count).long().clamp(0, count - 1)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is no number")
    return float(value)


class MemoryView(View):
    """A view whose generator and reader are plain functions.

    `generate` takes (B, W); `infer` takes samples and returns raw outputs by code; `inferable`
    names those codes. Views that share a `memory` share what measures remember; `untrained` is
    what that method returns.
    """

    def __init__(
        self,
        space: LatentSpace,
        data: Dataset,
        generate: Generate,
        infer: Infer | None = None,
        *,
        inferable: Sequence[str] = (),
        step: int = 0,
        seed: int = 0,
        title: str = "memory",
        history: Sequence[Mapping[str, Any]] = (),
        effort: Effort = "default",
        memory: dict[Hashable, Any] | None = None,
        untrained: View | None = None,
    ) -> None:
        self.space, self.data, self.effort = space, data, effort
        self.step, self.seed, self.history = step, seed, history
        self._inferable = tuple(inferable)
        self._generate, self._infer, self._title = generate, infer, title
        self._memory: dict[Hashable, Any] = {} if memory is None else memory
        self._untrained = untrained
        self._banks: dict[int, Bank] = {}
        self._readings: dict[tuple[int, bool], tuple[Batch, dict[str, Tensor]]] = {}

    @property
    def inferable(self) -> tuple[str, ...]:
        """The codes given at construction."""
        return self._inferable

    @property
    def title(self) -> str:
        """The title given at construction."""
        return self._title

    def rng(self, purpose: str) -> torch.Generator:
        """Return a generator seeded by a hash of seed and purpose."""
        digest = hashlib.sha256(f"{self.seed}/{purpose}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

    def bank(self, count: int) -> Bank:
        """Return `count` samples, the same ones every time."""
        if count not in self._banks:
            latent = self.space.sample(count, self.rng("bank"))
            self._banks[count] = Bank(latent, self.generate(latent))
        return self._banks[count]

    def generate(self, latent: Tensor) -> Tensor:
        """Call the function given at construction."""
        with torch.no_grad():
            return self._generate(latent)

    def infer(self, samples: Tensor) -> dict[str, Tensor]:
        """Call the function given at construction; nothing without one."""
        if self._infer is None:
            return {}
        with torch.no_grad():
            return self._infer(samples)

    def real(self, count: int, *, held_out: bool = False) -> Batch:
        """Return random rows without replacement; uint8 becomes [-1, 1]."""
        data = self.data.held_out() if held_out else self.data
        if data is None:
            raise ValueError(f"the data set {self.data.name!r} has no held-out samples")
        rows = torch.randperm(len(data), generator=self.rng(f"real {held_out}"))[:count]
        batch = data.batch(rows)
        return batch._replace(samples=normalise(batch.samples))

    def untrained(self) -> View | None:
        """Return the view given at construction."""
        return self._untrained

    def read_real(self, count: int, *, held_out: bool = False) -> tuple[Batch, dict[str, Tensor]]:
        """Return real rows and what is inferred of them, the same ones every time."""
        key = count, held_out
        if key not in self._readings:
            self._readings[key] = super().read_real(count, held_out=held_out)
        return self._readings[key]

    def remember(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` makes, made once for this data and seed."""
        known = (self.seed, self.data.fingerprint(), key)
        if known not in self._memory:
            self._memory[known] = make()
        made: Made = self._memory[known]
        return made
