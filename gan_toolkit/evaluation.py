"""What measures and panels see of a run, and when measures run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from gan_toolkit.batches import normalise
from gan_toolkit.engine import Engine
from gan_toolkit.interfaces import Bank, Batch, Dataset, Measure, Score, View
from gan_toolkit.randomness import seed_of

CHUNK = 250


class EngineView(View):
    """An engine between two steps, seen with networks in eval mode and draws of its own."""

    def __init__(
        self,
        engine: Engine,
        data: Dataset,
        *,
        name: str,
        seed: int,
        history: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self.engine = engine
        self.data = data
        self.name = name
        self.seed = seed
        self.step = engine.steps_done
        self.space = engine.latents
        self.history = history
        self._bank: list[Bank] = []

    @property
    def title(self) -> str:
        """Recipe, step and data source in one line."""
        return f"{self.name} · step {self.step:,} · data: {self.data.name}"

    @cached_property
    def inferable(self) -> tuple[str, ...]:
        """Names of the codes that some regulariser recovers."""
        return tuple(self.infer(self.generate(self.space.sample(2, self.rng("inferable")))))

    def rng(self, purpose: str) -> torch.Generator:
        """Return a fresh CPU generator: the same for the same seed and purpose."""
        return torch.Generator().manual_seed(seed_of(self.seed, "view", purpose))

    def bank(self, count: int) -> Bank:
        """Return `count` fresh samples and their latents: the first so many of an endless row."""
        while len(self._bank) * CHUNK < count:
            latent = self.space.sample(CHUNK, self.rng(f"bank {len(self._bank)}"))
            self._bank.append(Bank(latent, self.generate(latent)))
        latents, samples = zip(*self._bank[: -(-count // CHUNK)], strict=True)
        return Bank(torch.cat(latents)[:count], torch.cat(samples)[:count])

    def generate(self, latent: Tensor) -> Tensor:
        """Return the samples of `latent`, on the CPU."""
        return self._chunked(self.engine.shown, latent)["sample"]

    def infer(self, samples: Tensor) -> dict[str, Tensor]:
        """Return raw outputs for every inferable code, on the CPU."""
        return self._chunked(self._read, samples)

    def real(self, count: int, *, held_out: bool = False) -> Batch:
        """Return real samples in [-1, 1]: drawn without replacement, the same for the same seed."""
        data = self.data.held_out() if held_out else self.data
        if data is None:
            raise ValueError(f"{self.data.name} has no held-out samples")
        order = torch.randperm(len(data), generator=self.rng(f"real {held_out}"))
        batch = data.batch(order[:count])
        return batch._replace(samples=normalise(batch.samples))

    def _read(self, samples: Tensor) -> dict[str, Tensor]:
        judgement = self.engine.critic(samples)
        raw: dict[str, Tensor] = {}
        for regulariser in self.engine.regularisers.values():
            raw |= regulariser.infer(samples, judgement)
        return raw

    def _chunked(self, function: Any, given: Tensor) -> dict[str, Tensor]:
        device = self.engine.device
        found: dict[str, list[Tensor]] = {}
        with quiet(self.engine), device.autocast():
            for chunk in given.split(CHUNK):
                result = function(chunk.to(device.torch_device))
                named = result if isinstance(result, dict) else {"sample": result}
                for name, tensor in named.items():
                    found.setdefault(name, []).append(tensor.float().cpu())
        return {name: torch.cat(parts) for name, parts in found.items()}


@contextlib.contextmanager
def quiet(engine: Engine) -> Iterator[None]:
    """Hold networks in eval mode without gradients, and give their modes back afterwards."""
    modules: list[nn.Module] = [engine.shown, engine.critic, *engine.regularisers.values()]
    modes = [module.training for module in modules]
    for module in modules:
        module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.train(mode)


def evaluate(measures: Mapping[str, Measure], view: View) -> dict[str, list[Score]]:
    """Run every measure over one view and return its scores by table name."""
    return {name: measure.measure(view) for name, measure in measures.items()}


def records_of(scores: Mapping[str, Sequence[Score]]) -> list[dict[str, Any]]:
    """Return scores as JSON records; a value that is not finite becomes null and is void."""
    return [
        _record(table, score) for table, table_scores in scores.items() for score in table_scores
    ]


def _record(table: str, score: Score) -> dict[str, Any]:
    record = {"measure": table, **asdict(score)}
    if not math.isfinite(score.value):
        record |= {"value": None, "void": score.void or f"the value is {score.value}"}
    return {key: value for key, value in record.items() if value not in (None, "", {})} | {
        "value": record["value"]
    }
