"""A probe: a small network that learns known factors from real samples, then reads any sample.

Images are averaged down to at most 32 pixels a side, which keeps the cost of training within a
minute of one CPU thread; points go through a small MLP.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from gan_toolkit import Batch, Factor
from gantk_measures.heads import Head, head_for
from gantk_measures.variables import Variable

SIDE, LEAST_SIDE = 32, 8
"""Pixels of the largest images that are read as they are, and of the smallest that can be read."""
FEATURES = 128
RATE = 3e-3


class Probe:
    """Heads for some factors on a shared body, trained once on real samples."""

    def __init__(
        self, real: Batch, factors: Mapping[int, Factor], *, steps: int, rng: torch.Generator
    ) -> None:
        truth = _truth(real)
        self._places = list(factors)
        self._heads: list[Head] = [
            head_for(factor, truth[:, place]) for place, factor in factors.items()
        ]
        self.heads: Mapping[str, Head] = dict(
            zip([factor.name for factor in factors.values()], self._heads, strict=True)
        )
        # The view may be read under no_grad or inference_mode; training needs neither.
        with torch.inference_mode(False), torch.enable_grad():
            samples = shrink(real.samples).clone()
            self._body = body_for(tuple(samples.shape[1:]))
            self._readout = skip_init(nn.Linear, FEATURES, sum(head.width for head in self._heads))
            initialise(self._body, rng)
            initialise(self._readout, rng)
            self._train(samples, truth.clone(), steps, rng)

    def features(self, samples: Tensor) -> Tensor:
        """Return the last shared layer (N, F) of samples (N, C, H, W) or (N, D)."""
        with torch.no_grad():
            return torch.cat([self._body(shrink(part)) for part in samples.split(500)])

    def raw(self, features: Tensor) -> dict[str, Tensor]:
        """Return the raw outputs of every factor for `features`."""
        with torch.no_grad():
            parts = self._split(self._readout(features))
        return dict(zip(self.heads, parts, strict=True))

    def read(self, features: Tensor) -> tuple[Variable, ...]:
        """Return every factor as it is read from `features`, in the data set's terms."""
        raw = self.raw(features)
        return tuple(
            Variable(name, head.kind, head.values(head.read(raw[name])))
            for name, head in self.heads.items()
        )

    def skill(self, real: Batch) -> dict[str, dict[str, float]]:
        """Return the quality of every head on real samples it has not seen."""
        truth, raw = _truth(real), self.raw(self.features(real.samples))
        return {
            name: head.skill(raw[name], truth[:, place])
            for place, (name, head) in zip(self._places, self.heads.items(), strict=True)
        }

    def _train(self, samples: Tensor, truth: Tensor, steps: int, rng: torch.Generator) -> None:
        parameters = [*self._body.parameters(), *self._readout.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
        batches = _batches(len(samples), steps, rng)
        self._body.train()
        for rows in batches:
            raw = self._split(self._readout(self._body(samples[rows])))
            losses = [
                head.loss(part, truth[rows, place])
                for head, part, place in zip(self._heads, raw, self._places, strict=True)
            ]
            optimiser.zero_grad()
            torch.stack(losses).mean().backward()
            optimiser.step()
            schedule.step()
        self._body.eval()

    def _split(self, raw: Tensor) -> Sequence[Tensor]:
        parts: Sequence[Tensor] = raw.split([head.width for head in self._heads], dim=1)
        return parts


def shrink(samples: Tensor) -> Tensor:
    """Average images larger than 32 pixels down to 32; leave all else as it is."""
    if samples.dim() == 4 and max(samples.shape[2:]) > SIDE:
        return functional.adaptive_avg_pool2d(samples, SIDE)
    return samples


def body_for(shape: tuple[int, ...]) -> nn.Module:
    """Return layers from samples (N, C, H, W) or (N, D) to features (N, F), not initialised.

    Raises ValueError for images smaller than `LEAST_SIDE`: three layers leave nothing of them.
    """
    if len(shape) == 1:
        sizes = [shape[0], FEATURES, FEATURES]
        return nn.Sequential(
            *(
                layer
                for width, wide in itertools.pairwise(sizes)
                for layer in (skip_init(nn.Linear, width, wide), nn.ReLU())
            )
        )
    channels, height, width = shape
    if min(height, width) < LEAST_SIDE:
        raise ValueError(f"images of {height}x{width}; a probe needs {LEAST_SIDE} pixels a side")
    layers: list[nn.Module] = []
    for wide in (16, 32, 64):
        layers += [
            skip_init(nn.Conv2d, channels, wide, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
        ]
        channels, height, width = wide, height // 2, width // 2
    flat = channels * height * width
    return nn.Sequential(*layers, nn.Flatten(), skip_init(nn.Linear, flat, FEATURES), nn.ReLU())


def initialise(module: nn.Module, rng: torch.Generator) -> None:
    """Draw the weights of all layers from `rng`, for rectified units; biases start at 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=rng)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _batches(count: int, steps: int, rng: torch.Generator) -> list[Tensor]:
    size = min(128, count)
    passes = -(-steps * size // (count - count % size))
    whole = [
        part
        for _ in range(passes)
        for part in torch.randperm(count, generator=rng).split(size)
        if len(part) == size
    ]
    return whole[:steps]


def _truth(real: Batch) -> Tensor:
    if real.factors is None:
        raise ValueError("the data set describes factors, but gives none with its samples")
    return real.factors
