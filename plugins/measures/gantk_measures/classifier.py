"""A classifier of what went into a generator, trained from nothing on what came out.

It sees every pixel twice: as it is, and in units of its own deviation over the training samples.
A code that moves one pixel by one grey level is then as easy to find as one that moves an object.
N samples; images (N, C, H, W) keep their size, since averaging them could lose the code.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from gantk_measures.probe import initialise
from gantk_measures.statistics import Indices, Numbers

FEATURES = 128
RATE = 3e-3
BATCH = 64
PATIENCE = 2
"""Epochs without a better validation loss after which training stops."""
SCALED = 2_000
"""Samples that a deviation is estimated from."""
FAR = 5.0
"""Deviations at which a pixel is cut, so that one which hardly ever moves doesn't drown others."""
COLDEST, HOTTEST = -4.0, 7.0
"""Logarithms of the temperatures that are tried; the hottest makes any reader a blind one."""

Look = Callable[[Tensor], Tensor]
"""What is done to samples before they are seen."""


@dataclass(frozen=True)
class Labelled:
    """Samples and, by code, the bin (N,) each was made from."""

    samples: Tensor
    bins: Mapping[str, Tensor]

    def __len__(self) -> int:
        return len(self.samples)

    def shuffled(self, rng: torch.Generator) -> Labelled:
        """Return the same samples, each with the bins of another."""
        rows = torch.randperm(len(self), generator=rng)
        return Labelled(self.samples, {code: bins[rows] for code, bins in self.bins.items()})


class Classifier:
    """A softmax over bins for every code, on a shared body.

    `fit` may be called again, with another `look`: it goes on from the weights it has.
    """

    def __init__(
        self, shape: tuple[int, ...], widths: Mapping[str, int], rng: torch.Generator
    ) -> None:
        self._widths, self._rng = widths, rng
        self._look: Look = lambda samples: samples
        self._centre, self._scale = torch.zeros(shape), torch.ones(shape)
        self._temperatures = dict.fromkeys(widths, 1.0)
        self._net = nn.Sequential(
            *_body(shape), skip_init(nn.Linear, FEATURES, sum(widths.values()))
        )
        initialise(self._net, rng)

    def fit(self, train: Labelled, validation: Labelled, epochs: int, look: Look) -> None:
        """Train for at most so many epochs, keep the best of them, and set the temperatures."""
        self._look = look
        seen = look(train.samples[:SCALED])
        self._centre, self._scale = seen.mean(dim=0), seen.std(dim=0).clamp_min(1e-6)
        with torch.enable_grad():
            self._train(train, validation, epochs)
        logits = self._logits(validation.samples)
        self._temperatures = {
            code: temperature_for(logits[code].double().numpy(), validation.bins[code].numpy())
            for code in self._widths
        }

    def log_chances(self, labelled: Labelled) -> dict[str, Numbers]:
        """Return by code the log probability (N,) it gives to the bins that went in, in nats."""
        logits = self._logits(labelled.samples)
        return {
            code: _log_chance(
                logits[code].double().numpy(), labelled.bins[code].numpy(), temperature
            )
            for code, temperature in self._temperatures.items()
        }

    def likeliest(self, samples: Tensor) -> dict[str, Indices]:
        """Return by code the bin (N,) that is likeliest for each sample."""
        return {code: raw.argmax(dim=1).numpy() for code, raw in self._logits(samples).items()}

    def _train(self, train: Labelled, validation: Labelled, epochs: int) -> None:
        size = min(BATCH, len(train))
        steps = len(train) // size
        optimiser = torch.optim.Adam(self._net.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.02, epochs * steps)
        best, kept, since = math.inf, self._net.state_dict(), 0
        for _ in range(epochs):
            self._net.train()
            for rows in torch.randperm(len(train), generator=self._rng).split(size)[:steps]:
                optimiser.zero_grad()
                self._loss(train, rows).backward()
                optimiser.step()
                schedule.step()
            self._net.eval()
            with torch.no_grad():
                parts = torch.arange(len(validation)).split(BATCH)
                loss = sum(float(self._loss(validation, rows)) * len(rows) for rows in parts)
            since += 1
            if loss < best:
                best, kept, since = loss, copy.deepcopy(self._net.state_dict()), 0
            if since == PATIENCE:
                break
        self._net.load_state_dict(kept)

    def _loss(self, labelled: Labelled, rows: Tensor) -> Tensor:
        parts = self._split(self._net(self._seen(labelled.samples[rows])))
        losses = [
            functional.cross_entropy(parts[code], labelled.bins[code][rows]) for code in parts
        ]
        return torch.stack(losses).sum()

    def _logits(self, samples: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            parts = [self._net(self._seen(part)) for part in samples.split(BATCH)]
        return self._split(torch.cat(parts))

    def _seen(self, samples: Tensor) -> Tensor:
        seen = self._look(samples)
        return torch.cat([seen, ((seen - self._centre) / self._scale).clamp(-FAR, FAR)], dim=1)

    def _split(self, raw: Tensor) -> dict[str, Tensor]:
        parts = raw.split(list(self._widths.values()), dim=1)
        return dict(zip(self._widths, parts, strict=True))


def _body(shape: tuple[int, ...]) -> list[nn.Module]:
    if len(shape) == 1:
        sizes = [2 * shape[0], FEATURES, FEATURES]
        return [
            layer
            for width, wide in itertools.pairwise(sizes)
            for layer in (skip_init(nn.Linear, width, wide), nn.ReLU())
        ]
    channels, height, width = 2 * shape[0], *shape[1:]
    layers: list[nn.Module] = []
    wide = 16
    while max(height, width) > 4:
        layers += [
            skip_init(nn.Conv2d, channels, wide, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
        ]
        channels, height, width = wide, -(-height // 2), -(-width // 2)
        wide = min(2 * wide, 64)
    flat = channels * height * width
    return [*layers, nn.Flatten(), skip_init(nn.Linear, flat, FEATURES), nn.ReLU()]


def temperature_for(logits: Numbers, bins: Indices) -> float:
    """Return what to divide logits (N, B) by so that the cross-entropy is least."""
    found = minimize_scalar(
        lambda power: -_log_chance(logits, bins, math.exp(power)).mean(),
        bounds=(COLDEST, HOTTEST),
        method="bounded",
    )
    return math.exp(found.x)


def _log_chance(logits: Numbers, bins: Indices, temperature: float) -> Numbers:
    scaled = logits / temperature
    top = scaled.max(axis=1)
    total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    chance: Numbers = scaled[np.arange(len(bins)), bins] - total
    return chance
