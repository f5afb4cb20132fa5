"""What measures and panels see of a run, and when measures run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from gan_toolkit import strict_json
from gan_toolkit.batches import normalise
from gan_toolkit.engine import Engine
from gan_toolkit.inference import read_codes
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
        return read_codes(self.engine.regularisers, samples, self.engine.critic(samples))

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
    parts = [engine.shown, engine.critic, *engine.regularisers.values()]
    modes = {module: module.training for part in parts for module in part.modules()}
    for part in parts:
        part.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():  # one by one: a part may hold another in eval mode
            module.training = mode


def evaluate(name: str, measure: Measure, view: View) -> list[dict[str, Any]]:
    """Run the measure of table `name` over a view and return its scores as JSON records.

    A value that is not finite becomes null and is void. Raises ValueError for what JSON can't hold.
    """
    records = [_record(name, score) for score in measure.measure(view)]
    if fault := strict_json.fault(records):
        raise ValueError(fault)
    return records


def _record(table: str, score: Score) -> dict[str, Any]:
    record: dict[str, Any] = {"measure": table, **_finite(asdict(score))}
    if not math.isfinite(score.value):
        record["void"] = score.void or f"the value is {score.value}"
    return {key: value for key, value in record.items() if value not in (None, "", {})} | {
        "value": record["value"]
    }


def _finite(value: Any) -> Any:
    """Return a JSON value with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
