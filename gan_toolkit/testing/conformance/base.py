"""What the checks of every kind share."""

from __future__ import annotations

import copy
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import SkipTest

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from gan_toolkit.engine import Engine
from gan_toolkit.events import untouched_randomness
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.strict_json import dump, parse

Found = TypeVar("Found")


class Conformance(ABC):
    """The contract of one interface: every method named `test_…` is a check.

    A check that concerns an ability the component does not have raises `unittest.SkipTest`.
    """

    of: str = ""
    """The registered component it is about, as `kind name`: of one that needs files, which
    `PluginConformance` can't try by its options alone."""

    @abstractmethod
    def make(self) -> Any:
        """Return the component to check, a fresh one at every call."""


@contextmanager
def pretended_card() -> Iterator[None]:
    """Build and compute as if on a CUDA device, in shapes only: mixing devices raises.

    Skips the test where this torch can't pretend.
    """
    with FakeTensorMode(), torch.device("cuda"):
        try:
            torch.empty(1)
        except (RuntimeError, AssertionError) as error:
            raise SkipTest(f"this torch can't pretend to have a card: {error}") from error
        yield


@contextmanager
def drawing_nothing() -> Iterator[None]:
    """Fail when what is done inside draws from a generator that everybody shares."""
    before = (random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state())
    yield
    assert torch.equal(before[2], torch.get_rng_state()), "it drew from torch's global generator"
    assert repr(before[1]) == repr(np.random.get_state(legacy=False)), "it drew from numpy's"
    assert before[0] == random.getstate(), "it drew from Python's global generator"


def rng_of(seed: int = 0) -> torch.Generator:
    """Return a CPU generator."""
    return torch.Generator().manual_seed(seed)


def able(ability: Callable[[], Found]) -> Found:
    """Return what `ability` returns; skip the check of a component that does not have it."""
    try:
        return ability()
    except NotImplementedError as error:
        raise SkipTest(str(error)) from error


def assert_all_reached(module: nn.Module, loss: Tensor) -> None:
    """Fail, naming them, when parameters get no gradient of `loss`, or none that is finite."""
    named = {name: p for name, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    pairs = list(zip(named, gradients, strict=True))
    dead = [name for name, g in pairs if g is None or not g.any()]
    assert not dead, f"no gradient reaches {dead}"
    wild = [name for name, g in pairs if g is not None and not g.isfinite().all()]
    assert not wild, f"the gradients of {wild} are not finite"


def assert_same_next_step(make: Callable[[], Engine], real: Tensor) -> None:
    """Fail when an engine that is loaded takes another step than the one that was saved.

    `real` is one batch. What is saved goes through copies and through JSON, as in a checkpoint.
    """
    one, other = make(), make()
    for _ in range(2):
        one.step(real)
    saved = one.snapshot()  # refuses what would not come back
    facts = parse(dump(saved.facts))
    with untouched_randomness():
        other.restore(Snapshot(copy.deepcopy(saved.tensors), facts))
        other.step(real)
    one.step(real)
    found = difference(_without_randomness(one), _without_randomness(other))
    assert not found, f"saved and loaded, it goes another way: {'; '.join(found[:3])}"


def _without_randomness(engine: Engine) -> Snapshot:
    whole = engine.snapshot()
    tensors = {name: group for name, group in whole.tensors.items() if name != "random"}
    return Snapshot(tensors, {key: fact for key, fact in whole.facts.items() if key != "random"})
