"""An averaged copy of the generator: steadier than the player itself, and the one that is shown."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gan_toolkit.interfaces import Averaging


class ExponentialAverage(Averaging):
    """Exponential moving average: average <- d * average + (1 - d) * weights, after every step.

    d is `decay`; with `warmup` it is min(decay, (1 + t) / (10 + t)) at step t = 0, 1, ..., so that
    the first random weights are soon forgotten. Buffers of floats (running statistics) are averaged
    likewise; buffers of integers (counters) are copied.

    All state is in `module`: d follows from the step, so a resumed average is the same to the bit.
    """

    def __init__(self, decay: float = 0.999, *, warmup: bool = True) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay = {decay}: a number from 0 up to, but not, 1")
        self.decay = decay
        self.warmup = warmup
        self._source: nn.Module | None = None
        self._average: nn.Module | None = None

    def attach(self, generator: nn.Module) -> None:
        """Start from the weights of `generator`; the copy is in eval mode and takes no gradient."""
        self._source = generator
        self._average = copy.deepcopy(generator).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the generator's weights after `step`."""
        pairs = list(zip(_tensors(self.module), _tensors(self._source), strict=True))
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        averages, currents = [mean for mean, _ in floats], [now.detach() for _, now in floats]
        torch._foreach_lerp_(averages, currents, 1 - self.decay_at(step))
        for mean, now in pairs:
            if not mean.is_floating_point():
                mean.copy_(now)

    def decay_at(self, step: int) -> float:
        """Return d at `step`."""
        return min(self.decay, (1 + step) / (10 + step)) if self.warmup else self.decay

    @property
    def module(self) -> nn.Module:
        """The averaged generator; RuntimeError before `attach`."""
        if self._average is None:
            raise RuntimeError("no generator is attached to this average yet")
        return self._average


def _tensors(module: nn.Module | None) -> list[Tensor]:
    """Return parameters and buffers anew: a kept list would go stale when a module is moved."""
    return [] if module is None else [*module.parameters(), *module.buffers()]
