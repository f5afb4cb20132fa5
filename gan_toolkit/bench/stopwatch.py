"""Where the time of a training loop goes: each moment counts for the innermost thing under way."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from gan_toolkit.train import Loop


class Stopwatch:
    """Adds up seconds by name; `settle` waits until the device has done what it was given."""

    def __init__(
        self,
        settle: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._settle = settle
        self._clock = clock
        self._under_way: list[str] = []
        self._since = 0.0

    def enter(self, name: str) -> None:
        """Begin something; what it is within stands still."""
        self._turn()
        self._under_way.append(name)

    def leave(self) -> None:
        """End what was begun last."""
        self._turn()
        self._under_way.pop()

    def _turn(self) -> None:
        self._settle()
        now = self._clock()
        if self._under_way:
            self.seconds[self._under_way[-1]] += now - self._since
        self._since = now

    def timed(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return `act`, whose time counts as `name`."""

        def timed(*arguments: Any, **options: Any) -> Any:
            self.enter(name)
            try:
                return act(*arguments, **options)
            finally:
                self.leave()

        return timed


def shares(
    loop: Loop, step: Callable[[], None], steps: int, settle: Callable[[], None]
) -> dict[str, float]:
    """Return what share of `steps` calls of a loop's `step` each of its parts takes.

    `passes` is forward and backward, the terms included, and `optimiser` what moves the weights:
    what any loop has to do. The rest is ours: `data`, `latents` drawn, `averaging`, `engine`
    (gradient norms, guards, the calls of terms) and `records` (logging, progress). On an
    accelerator every part is waited for, which a training run does not do.
    """
    watch = Stopwatch(settle)
    with _watched(loop, watch):
        for _ in range(steps):
            watch.timed("records", step)()
    whole = sum(watch.seconds.values())
    return {name: seconds / whole for name, seconds in sorted(watch.seconds.items())}


@contextmanager
def _watched(loop: Loop, watch: Stopwatch) -> Iterator[None]:
    """Time the public methods that a step goes through, from outside, for a while."""
    engine = loop.engine
    parts: list[tuple[str, Any, str]] = [
        ("data", loop.parts.batches, "at"),
        ("engine", engine, "step"),
        ("latents", engine, "look"),
        ("passes", engine, "losses"),
        ("passes", torch.autograd, "grad"),
        ("passes", torch.autograd, "backward"),
    ]
    if engine.averaging is not None:
        parts.append(("averaging", engine.averaging, "update"))
    own = [(owner, name, name in vars(owner), getattr(owner, name)) for _, owner, name in parts]
    handles = [
        register_optimizer_step_pre_hook(lambda *_: watch.enter("optimiser")),
        register_optimizer_step_post_hook(lambda *_: watch.leave()),
    ]
    try:
        for part, owner, name in parts:
            setattr(owner, name, watch.timed(part, getattr(owner, name)))
        yield
    finally:
        for owner, name, stood_there, before in own:
            setattr(owner, name, before) if stood_there else delattr(owner, name)
        for handle in handles:
            handle.remove()
