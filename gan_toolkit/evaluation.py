"""What measures and panels see of a run, and when measures run."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gan_toolkit import strict_json
from gan_toolkit.batches import normalise
from gan_toolkit.device import Device
from gan_toolkit.inference import read_codes
from gan_toolkit.interfaces import (
    Bank,
    Batch,
    Dataset,
    Effort,
    Made,
    Measure,
    Regulariser,
    Score,
    View,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.randomness import seed_of
from gan_toolkit.scores import SHORT

CHUNK = 250

Compute = Callable[[str, Tensor], dict[str, Tensor]]
"""Makes named tensors of a chunk, by the name of the task: "generate" or "infer"."""
Spread = Callable[[Compute, str, Sequence[Tensor]], list[dict[str, Tensor]]]
"""Computes a task for each of some chunks, wherever it likes, and keeps their order."""


def _here(compute: Compute, task: str, chunks: Sequence[Tensor]) -> list[dict[str, Tensor]]:
    return [compute(task, chunk) for chunk in chunks]


class Seen(Protocol):
    """What a view looks at: an engine between two steps, or what is left of one."""

    @property
    def latents(self) -> LatentSpace:
        """The latent space."""

    @property
    def shown(self) -> nn.Module:
        """The generator that is shown: the averaged one, if there is one."""

    @property
    def critic(self) -> nn.Module | None:
        """The critic; without one nothing is inferred."""

    @property
    def regularisers(self) -> Mapping[str, Regulariser]:
        """The terms, by name."""

    @property
    def device(self) -> Device:
        """Where they are, and how exactly they compute."""

    @property
    def steps_done(self) -> int:
        """The steps they were trained."""


@dataclass(frozen=True)
class Trained:
    """The parts of a trained model, without the game they were trained in."""

    latents: LatentSpace
    shown: nn.Module
    critic: nn.Module | None = None
    regularisers: Mapping[str, Regulariser] = field(default_factory=dict)
    device: Device = field(default_factory=Device)
    steps_done: int = 0


class EngineView(View):
    """An engine between two steps, or what is left of one: in eval mode, with draws of its own."""

    def __init__(
        self,
        engine: Seen,
        data: Dataset,
        *,
        name: str,
        seed: int,
        history: Sequence[Mapping[str, Any]] = (),
        effort: Effort = "default",
        memory: dict[Hashable, Any] | None = None,
        fresh: Callable[[], Seen] | None = None,
        spread: Spread = _here,
    ) -> None:
        """Look at `engine`; views that share a `memory` share what measures remember.

        `fresh` makes the same parts as they were before training; `spread` lets others help.
        """
        self.engine = engine
        self.data = data
        self.name = name
        self.seed = seed
        self.step = engine.steps_done
        self.space = engine.latents
        self.history = history
        self.effort = effort
        self._memory: dict[Hashable, Any] = {} if memory is None else memory
        self._fresh = fresh
        self._spread = spread
        self._bank: list[Bank] = []
        self._readings: dict[bool, _Reading] = {}

    @property
    def title(self) -> str:
        """Recipe, step and data source in one line."""
        return f"{self.name} · step {self.step:,} · data: {self.data.name}"

    def untrained(self) -> EngineView | None:
        """Return a view of the parts before training, the same one every time."""
        return self._untrained

    @cached_property
    def _untrained(self) -> EngineView | None:
        if self._fresh is None:
            return None
        return EngineView(
            self._fresh(),
            self.data,
            name=self.name,
            seed=self.seed,
            effort=self.effort,
            memory=self._memory,
        )

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
        return self._chunked("generate", latent)["sample"]

    def infer(self, samples: Tensor) -> dict[str, Tensor]:
        """Return raw outputs for every inferable code, on the CPU."""
        return self._chunked("infer", samples)

    def real(self, count: int, *, held_out: bool = False) -> Batch:
        """Return real samples in [-1, 1]: drawn without replacement, the same for the same seed."""
        data, order = self._deal(held_out=held_out)
        return _shown(data.batch(order[:count]))

    def read_real(self, count: int, *, held_out: bool = False) -> tuple[Batch, dict[str, Tensor]]:
        """Return real samples and what is read of them; nothing is read twice."""
        data, order = self._deal(held_out=held_out)
        found = self._readings.setdefault(held_out, _Reading())
        for rows in order.split(CHUNK)[: -(-count // CHUNK)][len(found.batches) :]:
            batch = _shown(data.batch(rows))
            found.add(batch, self.infer(batch.samples))
        return found.first(count)

    def remember(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` makes, made once for this data and seed."""
        known = (self.seed, self.data.fingerprint(), key)
        if known not in self._memory:
            self._memory[known] = make()
        made: Made = self._memory[known]
        return made

    def _deal(self, *, held_out: bool) -> tuple[Dataset, Tensor]:
        """Return the data and the order in which its samples are drawn."""
        data = self.data.held_out() if held_out else self.data
        if data is None:
            raise ValueError(f"{self.data.name} has no held-out samples")
        return data, torch.randperm(len(data), generator=self.rng(f"real {held_out}"))

    def _read(self, samples: Tensor) -> dict[str, Tensor]:
        if self.engine.critic is None:
            return {}
        return read_codes(self.engine.regularisers, samples, self.engine.critic(samples))

    def compute(self, task: str, chunk: Tensor) -> dict[str, Tensor]:
        """Return what the networks make of a chunk, on the CPU; they must be `quiet`."""
        placed = chunk.to(self.engine.device.torch_device)
        made = {"sample": self.engine.shown(placed)} if task == "generate" else self._read(placed)
        return {name: tensor.float().cpu() for name, tensor in made.items()}

    def _chunked(self, task: str, given: Tensor) -> dict[str, Tensor]:
        with quiet(self.engine), self.engine.device.autocast():
            parts = self._spread(self.compute, task, given.split(CHUNK))
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


class _Reading:
    """Real samples that were read, chunk by chunk: the first so many serve whoever asks."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self._raw: list[dict[str, Tensor]] = []

    def add(self, batch: Batch, raw: dict[str, Tensor]) -> None:
        """Take in the next chunk."""
        self.batches.append(batch)
        self._raw.append(raw)

    def first(self, count: int) -> tuple[Batch, dict[str, Tensor]]:
        """Return the first `count` samples and their raw outputs."""
        some = -(-count // CHUNK)
        columns = zip(*self.batches[:some], strict=True)
        batch = Batch(*(_joined(parts, count) for parts in columns))
        raw = self._raw[:some]
        return batch, {name: torch.cat([each[name] for each in raw])[:count] for name in raw[0]}


def _joined(parts: tuple[Any, ...], count: int) -> Any:
    return None if parts[0] is None else torch.cat(parts)[:count]


def _shown(batch: Batch) -> Batch:
    return batch._replace(samples=normalise(batch.samples))


@contextlib.contextmanager
def quiet(engine: Seen) -> Iterator[None]:
    """Hold networks in eval mode without gradients, and give their modes back afterwards."""
    parts = [engine.shown, *engine.regularisers.values()]
    parts += [] if engine.critic is None else [engine.critic]
    modes = {module: module.training for part in parts for module in part.modules()}
    for part in parts:
        part.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():  # one by one: a part may hold another in eval mode
            module.training = mode


def evaluate(name: str, measure: Measure, view: View, use: str = "") -> list[dict[str, Any]]:
    """Run the measure of table `name` over a view and return its scores as JSON records.

    `use` is the component that the table chooses. A value that is not finite becomes null and is
    void. Raises ValueError for what JSON can't hold.
    """
    return records_of(name, measure.measure(view), view, use)


def records_of(
    name: str, scores: Iterable[Score], view: View, use: str = ""
) -> list[dict[str, Any]]:
    """Return scores that were found over a view as JSON records; see `evaluate`."""
    origin = {"measure": name, "use": use}
    about = _circumstances(view)
    records = [_record({**origin, **asdict(score), **about}) for score in scores]
    if fault := strict_json.fault(records):
        raise ValueError(fault)
    return records


def _circumstances(view: View) -> dict[str, Any]:
    """Return what one must know beside the score itself to compare it with another."""
    data = view.data
    return {
        "seed": view.seed,
        "step": view.step,
        "effort": "" if view.effort == "default" else view.effort,
        "data": {
            "name": data.name,
            "source": data.source,
            "fingerprint": data.fingerprint()[:SHORT],
        },
    }


def _record(facts: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = _finite(facts)
    if not math.isfinite(facts["value"]):
        record["void"] = facts["void"] or f"the value is {facts['value']}"
    return {key: value for key, value in record.items() if value not in (None, "", {}, [])} | {
        "value": record["value"]
    }


def _finite(value: Any) -> Any:
    """Return a JSON value with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
