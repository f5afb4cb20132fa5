"""Randomness by purpose: every draw's seed is a function of what it is for, so it has no state.

Nothing in the core draws from the global generators of Python, numpy or torch. A plugin may, so
their states are kept in checkpoints all the same.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seed_of(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends on `seed` and every word of `purpose`.

    Never `seed + i`: sample 5 of seed 0 would be sample 0 of seed 5.
    """
    text = "\0".join(str(part) for part in (seed, *purpose))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seed_of_attempt(seed: int, attempt: int) -> int:
    """Return the seed of training after `attempt` times of going back: other numbers each time."""
    return seed_of(seed, "attempt", attempt) if attempt else seed


class Randomness:
    """One generator for each purpose, seeded anew for each place it is used at."""

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.device = torch.device(device)
        self._generators: dict[str, torch.Generator] = {}

    def stream(self, purpose: str, *where: str | int) -> torch.Generator:
        """Return the generator of `purpose`, placed at `where` (step, phase, turn …).

        It is valid until the next call for the same purpose.
        """
        generator = self._generators.get(purpose)
        if generator is None:
            generator = self._generators[purpose] = torch.Generator(self.device)
        return generator.manual_seed(seed_of(self.seed, purpose, *where))


def seed_globals(seed: int) -> None:
    """Start the global generators of Python, numpy and torch from a run's seed.

    The core draws from none of them; a plugin that does is then repeatable.
    """
    random.seed(seed_of(seed, "python"))
    np.random.seed(seed_of(seed, "numpy") % 2**32)
    torch.manual_seed(seed_of(seed, "torch"))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from torch's CPU generator as if it had been seeded, then put it back.

    The generators of other devices are the caller's: `torch.manual_seed` would reseed them all.
    """
    before = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def global_states(device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the states of the global generators: tensors, and what fits in JSON."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, words, spare = random.getstate()
    tensors = {
        "numpy": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
        "python": torch.tensor(words, dtype=torch.int64),
        "torch": torch.get_rng_state(),
    }
    if device.type != "cpu":
        tensors["device"] = torch.get_device_module(device).get_rng_state(device)
    facts = {
        "numpy": [str(kind), int(position), int(has_gauss), float(gauss)],
        "python": [version, spare],
    }
    return tensors, facts


def restore_global_states(
    tensors: dict[str, Tensor], facts: dict[str, Any], device: torch.device
) -> None:
    """Take back what `global_states` returned; random states never pass through a device map."""
    kind, position, has_gauss, gauss = facts["numpy"]
    keys = tensors["numpy"].numpy().astype(np.uint32)
    np.random.set_state((kind, keys, position, has_gauss, gauss))
    version, spare = facts["python"]
    random.setstate((version, tuple(tensors["python"].tolist()), spare))
    torch.set_rng_state(tensors["torch"])
    if device.type != "cpu" and "device" in tensors:
        torch.get_device_module(device).set_rng_state(tensors["device"], device)
