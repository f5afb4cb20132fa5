"""What every `Regulariser` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import json
from abc import abstractmethod

import torch
from torch import Tensor, nn

from gan_toolkit.device import Device, Precision
from gan_toolkit.engine import Engine, Term
from gan_toolkit.interfaces import Critic, Generator, Pass, Player, Regulariser
from gan_toolkit.latents import LatentSpace
from gan_toolkit.snapshot import unsound
from gan_toolkit.strict_json import fault
from gan_toolkit.testing.conformance.base import (
    Conformance,
    assert_all_reached,
    assert_same_next_step,
    drawing_nothing,
    rng_of,
)
from gan_toolkit.testing.conformance.tiny import TinyCode, TinyCritic, TinyGenerator, TinyNoise
from gan_toolkit.testing.parts import TinyObjective, adam

PHASES: tuple[Player, Player] = ("critic", "generator")


class RegulariserConformance(Conformance):
    """What every `Regulariser` promises, checked beside a tiny generator and a tiny critic."""

    sample_shape: tuple[int, ...] = (5,)

    @abstractmethod
    def make(self) -> Regulariser:
        """Return the term to check; `space`, `critic` and `sample_shape` are there to be read."""

    def space(self) -> LatentSpace:
        """Return the latents of the game: noise, and a code called `coin`."""
        return LatentSpace({"noise": TinyNoise(3), "coin": TinyCode()})

    def generator(self) -> Generator:
        """Return the generator of the game."""
        return TinyGenerator(self.space().width, self.sample_shape)

    def critic(self) -> Critic:
        """Return a fresh critic of the game."""
        return TinyCritic(self.sample_shape)

    def test_terms_are_finite_scalars(self) -> None:
        terms = [self._term(self.make(), self._pass(phase)) for phase in PHASES]

        assert any(term is not None for term in terms), "it adds to neither loss"
        for term in terms:
            assert term is None or (term.shape == () and bool(term.isfinite()))

    def test_what_it_logs_are_scalars(self) -> None:
        for phase in PHASES:
            seen = self._pass(phase)
            self._term(self.make(), seen)

            assert all(value.shape == () for value in seen.logged.values())

    def test_what_training_must_raise_is_logged(self) -> None:
        """Else a run would never hear that it did not rise."""
        gains = self.make().gains()
        logged: set[str] = set()
        for phase in PHASES:
            seen = self._pass(phase)
            self._term(self.make(), seen)
            logged |= seen.logged.keys()

        spoken = {name.partition("/")[2] or name for name in logged}
        assert set(gains) <= spoken, f"{set(gains) - spoken} is not logged"
        assert all(least > 0 for least in gains.values())

    def test_the_player_that_trains_it_reaches_all_its_parameters(self) -> None:
        regulariser = self.make()

        if any(parameter.requires_grad for parameter in regulariser.parameters()):
            term = self._term(regulariser, self._pass(regulariser.trained_by))

            assert term is not None, f"the {regulariser.trained_by} never trains it"
            assert_all_reached(regulariser, term)

    def test_param_groups_hold_each_trained_parameter_once(self) -> None:
        regulariser = self.make()

        grouped = [id(p) for _, group in regulariser.param_groups() for p in group]

        assert len(grouped) == len(set(grouped))
        assert set(grouped) >= {id(p) for p in regulariser.parameters() if p.requires_grad}

    def test_the_critics_phase_leaves_the_generator_alone(self) -> None:
        generator = self.generator()
        term = self._term(self.make(), self._pass("critic", generator=generator))

        if term is not None and term.requires_grad:
            parameters = list(generator.parameters())
            reached = torch.autograd.grad(term, parameters, allow_unused=True)
            assert all(gradient is None for gradient in reached)

    def test_it_makes_no_forward_of_its_own(self) -> None:
        """What both players compute is shared through the pass record."""
        for phase in PHASES:
            generator, critic = self.generator(), self.critic()
            made, judged = _count_calls(generator), _count_calls(critic)
            seen = self._pass(phase, generator=generator, critic=critic)
            self._term(self.make(), seen)
            _ = seen.on_real, seen.on_fake  # the objective's two: no term may cost a third

            assert len(made) == 1
            assert len(judged) == 2

    def test_every_parameter_has_one_owner(self) -> None:
        """The engine refuses an orphan, which would never learn, and one that is trained twice."""
        engine = self._engine()
        for _ in range(2):
            engine.step(self._real())

        idle = [name for name in engine.unmoved() if name.startswith("regularisers.")]
        assert not idle, f"no loss reaches {idle}"

    def test_saved_and_loaded_it_takes_the_same_next_step(self) -> None:
        assert_same_next_step(self._engine, self._real())

    def test_half_precision_stays_finite(self) -> None:
        """A loss or a gradient that is not finite stops the engine."""
        engine = self._engine("bf16")

        engine.step(self._real())

        assert not unsound(engine.snapshot())

    def test_what_it_draws_comes_from_the_pass(self) -> None:
        regulariser = self.make()

        for phase in PHASES:
            seen = self._pass(phase, seed=3)
            with drawing_nothing():
                self._term(regulariser, seen)

    def test_state_survives_json(self) -> None:
        regulariser = self.make()

        state = regulariser.state()
        assert not fault(state), f"its state is not JSON: {fault(state)}"
        regulariser.load_state(json.loads(json.dumps(state)))

        assert regulariser.state() == state

    def test_infer_gives_what_posteriors_read(self) -> None:
        space, seen = self.space(), self._pass("generator")

        for code, raw in self.make().infer(seen.fake, seen.on_fake).items():
            assert raw.shape == (seen.fake.shape[0], space[code].posterior_width)
            assert raw.dtype == torch.float32

    def _term(self, regulariser: Regulariser, seen: Pass) -> Tensor | None:
        critic_moves = seen.phase == "critic"
        return (regulariser.critic_term if critic_moves else regulariser.generator_term)(seen)

    def _pass(
        self,
        phase: Player,
        *,
        generator: Generator | None = None,
        critic: Critic | None = None,
        seed: int | None = None,
    ) -> Pass:
        space = self.space()
        return Pass(
            phase,
            0,
            generator=generator or self.generator(),
            critic=critic or self.critic(),
            space=space,
            latent=space.sample(8, rng_of()),
            real=self._real(),
            input_grad=phase == "critic" and self.make().needs_input_grad,
            rng=None if seed is None else lambda purpose: rng_of(seed + len(purpose)),
        )

    def _real(self) -> Tensor:
        return torch.randn(8, *self.sample_shape, generator=rng_of())

    def _engine(self, precision: Precision = "f32") -> Engine:
        return Engine(
            self.generator(),
            self.critic(),
            self.space(),
            TinyObjective(),
            {"generator": adam(), "critic": adam()},
            [Term("term", self.make())],
            device=Device(precision=precision),
        )


def _count_calls(module: nn.Module) -> list[None]:
    calls: list[None] = []
    module.register_forward_hook(lambda *_: calls.append(None))
    return calls
