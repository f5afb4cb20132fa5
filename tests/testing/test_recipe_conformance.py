"""A recipe that is well keeps the contract; one with a term that misbehaves does not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_toolkit.interfaces import Pass, Regulariser
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.testing.conformance import RecipeConformance

SMALL = ("data.count=256", "run.batch_size=16")


class TestRing(RecipeConformance):
    changes = SMALL

    def recipe(self) -> str:
        return "infogan_ring"


class Forgets(Regulariser):
    """Counts its calls, and keeps the count to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def critic_term(self, seen: Pass) -> Tensor:
        self.calls += 1
        return self.calls * seen.on_real.score.square().mean()


class Wild(Regulariser):
    def critic_term(self, seen: Pass) -> Tensor:
        seen.log("size", torch.tensor(float("inf")))
        return seen.on_real.score.mean()


class WithTerm(RecipeConformance):
    changes = (*SMALL, 'regularisers.odd={use = "odd"}')

    def __init__(self, term: type[Regulariser]) -> None:
        self.term = term

    def recipe(self) -> str:
        return "infogan_ring"

    def host(self) -> PluginHost:
        host = load_plugins()
        host.registry.offer("regulariser", "odd", self.term)
        return host


def test_a_term_that_forgets_is_noticed() -> None:
    with pytest.raises(AssertionError, match="saved and loaded, it goes another way"):
        WithTerm(Forgets).test_saved_and_loaded_it_takes_the_same_next_step()


def test_a_number_that_is_not_finite_is_named() -> None:
    with pytest.raises(AssertionError, match=r"after one step .*odd/size are not finite"):
        WithTerm(Wild).test_it_assembles_and_takes_a_step()
