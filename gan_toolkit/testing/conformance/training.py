"""What every optimiser, every `Schedule` and every `Averaging` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gan_toolkit.engine import Engine
from gan_toolkit.interfaces import Averaging, Schedule
from gan_toolkit.players import Optimiser
from gan_toolkit.testing.conformance.base import Conformance, assert_same_next_step, rng_of
from gan_toolkit.testing.parts import TinyGenerator, tiny_engine

STEPS = 50


class OptimiserConformance(Conformance):
    """What the builder of every optimiser promises."""

    lr: float = 1e-2

    @abstractmethod
    def make(self) -> Callable[[list[dict[str, Any]]], torch.optim.Optimizer]:
        """Return what builds a torch optimiser from groups, each of which has its `lr`."""

    def test_it_goes_downhill(self) -> None:
        place = nn.Parameter(torch.tensor([1.0, -2.0]))
        optimiser = self.make()([{"params": [place], "lr": self.lr}])

        for _ in range(STEPS):
            optimiser.zero_grad()
            place.square().sum().backward()
            optimiser.step()

        assert place.isfinite().all()
        assert place.square().sum() < 5.0

    def test_each_group_has_the_rate_it_is_given(self) -> None:
        """The engine writes the rate of every step into the groups."""
        still, moved = (nn.Parameter(torch.ones(3)) for _ in range(2))
        groups = [{"params": [still], "lr": self.lr}, {"params": [moved], "lr": self.lr}]
        optimiser = self.make()(groups)
        optimiser.param_groups[0]["lr"] = 0.0

        (still.square().sum() + moved.square().sum()).backward()
        optimiser.step()

        assert torch.equal(still, torch.ones(3)), "a rate of 0 moves it"
        assert not torch.equal(moved, torch.ones(3)), "a rate above 0 does not move it"

    def test_saved_and_loaded_it_takes_the_same_next_step(self) -> None:
        assert_same_next_step(self._engine, torch.randn(8, 2, generator=rng_of()))

    def _engine(self) -> Engine:
        optimisers = {player: Optimiser(self.make(), self.lr) for player in ("generator", "critic")}
        return tiny_engine(optimisers=optimisers)


class ScheduleConformance(Conformance):
    """What every `Schedule` promises."""

    @abstractmethod
    def make(self) -> Schedule:
        """Return the schedule to check."""

    def test_it_is_a_finite_number_at_every_step(self) -> None:
        schedule = self.make()

        for step in (0, 1, 2, 10, 999, 10**6, 10**9):
            value = schedule.at(step)
            assert isinstance(value, float | int), f"at {step} it is a {type(value).__name__}"
            assert math.isfinite(value), f"at {step} it is {value}"

    def test_it_depends_on_the_step_alone(self) -> None:
        """A resumed run asks for the middle first, and two players may share one schedule."""
        schedule = self.make()

        forwards = [schedule.at(step) for step in range(100)]
        backwards = [schedule.at(step) for step in reversed(range(100))]
        anew = [self.make().at(step) for step in range(100)]

        assert forwards == backwards[::-1] == anew


class AveragingConformance(Conformance):
    """What every `Averaging` promises."""

    @abstractmethod
    def make(self) -> Averaging:
        """Return the average to check, with nothing attached."""

    def test_it_starts_from_the_weights_it_is_attached_to(self) -> None:
        averaging, generator = self._attached()

        assert _distance(averaging.module, generator) == 0

    def test_it_is_a_copy_that_takes_no_gradient_and_is_shown(self) -> None:
        averaging, generator = self._attached()

        own = {t.data_ptr() for t in averaging.module.parameters()}
        assert own.isdisjoint(t.data_ptr() for t in generator.parameters())
        assert not any(p.requires_grad for p in averaging.module.parameters())
        assert not averaging.module.training

    def test_weights_that_stand_still_are_their_own_average(self) -> None:
        averaging, generator = self._attached()

        for step in range(STEPS):
            averaging.update(step)

        assert _distance(averaging.module, generator) < 1e-5

    def test_it_follows_weights_that_moved(self) -> None:
        averaging, generator = self._attached()
        _move(generator, 1.0)
        first = _distance(averaging.module, generator)

        for step in range(4 * STEPS):
            averaging.update(step)

        assert _distance(averaging.module, generator) < first

    def test_it_leaves_the_generator_alone(self) -> None:
        averaging, generator = self._attached()
        before = {name: value.clone() for name, value in generator.state_dict().items()}

        averaging.update(0)

        assert all(torch.equal(before[name], now) for name, now in generator.state_dict().items())
        assert generator.training
        assert all(p.requires_grad for p in generator.parameters())

    def test_all_it_knows_is_in_its_module(self) -> None:
        """So that a resumed average is the same to the bit."""
        saved, generator = self._attached()
        for step in range(3):
            _move(generator, 0.1)
            saved.update(step)
        loaded = self.make()
        loaded.attach(generator)
        loaded.module.load_state_dict(saved.module.state_dict())

        _move(generator, 0.1)
        for averaging in (saved, loaded):
            averaging.update(3)

        assert _distance(saved.module, loaded.module) == 0

    def _attached(self) -> tuple[Averaging, nn.Module]:
        averaging, generator = self.make(), TinyGenerator(3)
        averaging.attach(generator)
        return averaging, generator


@torch.no_grad()
def _move(module: nn.Module, by: float) -> None:
    for parameter in module.parameters():
        parameter.add_(by)


def _distance(one: nn.Module, other: nn.Module) -> float:
    """Return the largest difference between two modules of one shape, buffers included."""
    mine, yours = one.state_dict(), other.state_dict()
    gaps: list[Tensor] = [(mine[name] - yours[name]).abs().max().float() for name in mine]
    return float(torch.stack(gaps).max())
