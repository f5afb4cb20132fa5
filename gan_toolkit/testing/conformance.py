"""The contract of each interface as a test class: subclass one, say what `make` makes, run pytest.

    class TestShape(LatentConformance):
        def make(self) -> Latent:
            return Shape(corners=5)

Every check here is one the engine, a measure or a checkpoint relies on.
"""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import math
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributions import Bernoulli, Distribution, Independent

from gan_toolkit.interfaces import (
    Critic,
    Generator,
    Judgement,
    Latent,
    Objective,
    Pass,
    Player,
    Regulariser,
    device_of,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.registry import Component, Registry

PHASES: tuple[Player, Player] = ("critic", "generator")


# --- latents -------------------------------------------------------------------------------


class LatentConformance(ABC):
    """What every `Latent` promises. Checks of an ability it does not have are skipped."""

    @abstractmethod
    def make(self) -> Latent:
        """Return the latent to check."""

    def test_sample_gives_rows_of_its_width(self) -> None:
        latent = self.make()

        for count in (1, 7):
            sample = latent.sample(count, _rng())
            assert sample.shape == (count, latent.width)
            assert sample.dtype == torch.float32
            assert sample.isfinite().all()

    def test_sample_follows_the_generator_it_is_given(self) -> None:
        latent = self.make()
        global_state = torch.get_rng_state()

        once, again, other = (latent.sample(64, _rng(seed)) for seed in (1, 1, 2))

        assert torch.equal(once, again)
        assert not torch.equal(once, other)
        assert torch.equal(global_state, torch.get_rng_state()), "it drew from the global generator"

    def test_sample_works_without_a_generator_on_the_default_device(self) -> None:
        latent = self.make()

        with torch.device("meta"):
            assert latent.sample(2, None).device.type == "meta"

    def test_posterior_scores_what_sample_gives(self) -> None:
        latent = _recoverable(self.make())
        raw = torch.randn(5, latent.posterior_width, generator=_rng(1))
        sample = latent.sample(5, _rng())

        posterior = latent.posterior(raw)
        alone = latent.posterior(raw[:1]).log_prob(sample[:1])

        assert posterior.batch_shape == (5,)
        assert posterior.event_shape == (latent.width,)
        assert posterior.log_prob(sample).shape == (5,)
        torch.testing.assert_close(alone, posterior.log_prob(sample)[:1])

    def test_posterior_has_finite_gradients(self) -> None:
        latent = _recoverable(self.make())

        for size in (0.0, 1.0, 30.0):
            raw = size * torch.randn(16, latent.posterior_width, generator=_rng(1))
            raw.requires_grad_()
            density = latent.posterior(raw).log_prob(latent.sample(16, _rng()))
            (slope,) = torch.autograd.grad(density.sum(), raw)

            assert density.isfinite().all()
            assert slope.isfinite().all()
            assert slope.any() or size > 1, "nothing can be learned from here"

    def test_posterior_never_reads_a_value_back(self) -> None:
        """A value read by Python makes the device wait in every step; a `meta` tensor has none."""
        latent = _recoverable(self.make())

        with torch.device("meta"):
            raw = torch.zeros(2, latent.posterior_width)
            assert latent.posterior(raw).log_prob(latent.sample(2, None)).shape == (2,)

    def test_a_posterior_that_has_seen_nothing_gains_nothing(self) -> None:
        """H + E[log q] <= 0 for the best constant q: entropy and density use one measure."""
        latent = _recoverable(self.make())
        sample = latent.sample(4096, _rng())
        raw = torch.zeros(1, latent.posterior_width, requires_grad=True)
        optimiser = torch.optim.Adam([raw], lr=0.1)

        for _ in range(100):
            optimiser.zero_grad()
            bound = latent.entropy() + _log_prob(latent, raw, sample).mean()
            (-bound).backward()
            optimiser.step()

        assert bound.item() <= 0.02

    def test_estimate_reads_one_row_per_sample(self) -> None:
        latent = _recoverable(self.make())
        raw = torch.randn(5, latent.posterior_width, generator=_rng(1))

        estimate = latent.estimate(raw)

        assert estimate.ndim == 2
        assert estimate.shape[0] == 5

    def test_entropy_is_a_finite_number(self) -> None:
        latent = _recoverable(self.make())

        assert isinstance(latent.entropy(), float)
        assert math.isfinite(latent.entropy())
        assert latent.entropy() > 0 or not latent.discrete

    def test_grid_gives_what_sample_would(self) -> None:
        latent = self.make()
        try:
            grid = _able(lambda: latent.grid(7))
        except ValueError as error:
            raise SkipTest(f"it can't be traversed: {error}") from error

        assert grid.values.shape == (len(grid.labels), latent.width)
        assert grid.values.dtype == torch.float32
        assert len(grid.labels) == len(set(grid.labels)) == len(grid.trained)
        assert any(grid.trained)

    def test_between_goes_from_one_value_to_the_other(self) -> None:
        """A discrete latent stays where it is: nothing lies between two of its values."""
        latent = self.make()
        first, last = latent.sample(6, _rng(1)), latent.sample(6, _rng(2))

        way = latent.between(first, last, torch.linspace(0, 1, 5))

        assert way.shape == (6, 5, latent.width)
        assert way.isfinite().all()
        torch.testing.assert_close(way[:, 0], first, atol=1e-5, rtol=0.0)
        torch.testing.assert_close(
            way[:, -1], first if latent.discrete else last, atol=1e-5, rtol=0.0
        )

    def test_encode_refuses_nonsense_in_one_line(self) -> None:
        latent = self.make()

        for value in ("much", None, True, math.nan, math.inf, [0.5] * 99):
            refusal = _able(partial(_refusal, latent, value))
            assert len(refusal.splitlines()) == 1, f"{value!r} was refused with {refusal!r}"

    def test_bins_are_equally_probable(self) -> None:
        latent = self.make()
        sample = latent.sample(8000, _rng())

        bins = _able(lambda: latent.bins(sample, 5))

        assert bins.ndim == 2
        assert not bins.is_floating_point()
        for column in bins.unbind(dim=1):
            shares = torch.bincount(column) / len(sample)
            deviation = math.sqrt(1 / len(shares) / len(sample))
            assert (shares - 1 / len(shares)).abs().max() < 5 * deviation
            assert latent.discrete or len(shares) == 5


# --- networks ------------------------------------------------------------------------------


class GeneratorConformance(ABC):
    """What every `Generator` promises."""

    latent_width: int = 6
    sample_shape: tuple[int, ...] = (1, 32, 32)

    @abstractmethod
    def make(self) -> Generator:
        """Return a generator of `latent_width` columns that makes samples of `sample_shape`."""

    def test_makes_one_sample_a_row(self) -> None:
        samples = self.make()(self._latent(3))

        assert samples.shape == (3, *self.sample_shape)
        assert samples.isfinite().all()

    def test_images_stay_in_range(self) -> None:
        if len(self.sample_shape) != 3:
            raise SkipTest("points have no range")

        samples = self.make()(20 * self._latent(3))

        assert samples.abs().max() <= 1

    def test_every_parameter_gets_a_gradient(self) -> None:
        generator = self.make()

        _assert_all_reached(generator, generator(self._latent(4)).square().sum())

    def test_samples_do_not_depend_on_their_neighbours(self) -> None:
        """In eval mode, where pictures are drawn and measures are taken."""
        generator, latent = self.make().eval(), self._latent(4)

        with torch.no_grad():
            together, alone, again = generator(latent), generator(latent[:1]), generator(latent)

        torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
        assert torch.equal(together, again)

    def test_computes_on_the_device_it_is_on(self) -> None:
        with pretended_card():
            assert self.make()(self._latent(2, seeded=False)).device.type == "cuda"

    def _latent(self, count: int, *, seeded: bool = True) -> Tensor:
        return torch.randn(count, self.latent_width, generator=_rng() if seeded else None)


class CriticConformance(ABC):
    """What every `Critic` promises."""

    sample_shape: tuple[int, ...] = (1, 32, 32)

    @abstractmethod
    def make(self) -> Critic:
        """Return a critic of samples of `sample_shape`."""

    def test_judges_each_sample(self) -> None:
        critic = self.make()

        score, features = critic(self._samples(3))

        assert score.shape == (3,)
        assert features.shape == (3, critic.feature_width)
        assert score.isfinite().all()

    def test_every_parameter_gets_a_gradient(self) -> None:
        critic = self.make()

        score, features = critic(self._samples(4))

        _assert_all_reached(critic, score.square().sum() + features.square().sum())

    def test_the_gradient_of_the_score_is_differentiable(self) -> None:
        critic, samples = self.make(), self._samples(4).requires_grad_()

        (slope,) = torch.autograd.grad(critic(samples).score.sum(), samples, create_graph=True)
        moved = torch.autograd.grad(
            slope.square().sum(), list(critic.parameters()), allow_unused=True
        )

        assert any(gradient is not None and gradient.any() for gradient in moved)

    def test_looking_in_eval_mode_changes_nothing(self) -> None:
        critic, samples = self.make().eval(), self._samples(4)
        before = {name: value.clone() for name, value in critic.state_dict().items()}

        with torch.no_grad():
            once, alone, again = critic(samples), critic(samples[:1]), critic(samples)

        assert torch.equal(once.score, again.score)
        torch.testing.assert_close(once.score[:1], alone.score, rtol=1e-4, atol=1e-5)
        assert all(torch.equal(before[name], now) for name, now in critic.state_dict().items())

    def test_computes_on_the_device_it_is_on(self) -> None:
        with pretended_card():
            score, features = self.make()(self._samples(2, seeded=False))

            assert score.device.type == features.device.type == "cuda"

    def _samples(self, count: int, *, seeded: bool = True) -> Tensor:
        return torch.randn(count, *self.sample_shape, generator=_rng() if seeded else None)


# --- the game ------------------------------------------------------------------------------


class ObjectiveConformance(ABC):
    """What every `Objective` promises."""

    @abstractmethod
    def make(self) -> Objective:
        """Return the objective to check."""

    def test_losses_are_finite_scalars_at_any_score(self) -> None:
        objective = self.make()

        for count, size in itertools.product((1, 5), (0.0, 1.0, 1e4)):
            real, fake = (size * torch.randn(count, generator=_rng(seed)) for seed in (1, 2))
            for loss in self._losses(objective, real, fake):
                assert loss.shape == ()
                assert loss.isfinite()

    def test_the_critic_learns_to_tell_real_from_fake(self) -> None:
        real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)

        self.make().critic_loss(real, fake).backward()

        assert (_slope(real) < 0).all(), "a higher score of a real sample must lower the loss"
        assert (_slope(fake) > 0).all(), "a higher score of a fake sample must raise the loss"

    def test_the_generator_learns_to_please_the_critic(self) -> None:
        objective, fake = self.make(), torch.zeros(4, requires_grad=True)
        real = torch.zeros(4) if objective.needs_real_for_generator else None

        objective.generator_loss(real, fake).backward()

        assert (_slope(fake) < 0).all(), "a higher score of a fake sample must lower the loss"

    def test_losses_are_means_over_the_batch(self) -> None:
        objective = self.make()
        real, fake = torch.randn(4, generator=_rng(1)), torch.randn(4, generator=_rng(2))

        once = self._losses(objective, real, fake)
        twice = self._losses(objective, real.repeat(2), fake.repeat(2))

        torch.testing.assert_close(once, twice)

    def _losses(self, objective: Objective, real: Tensor, fake: Tensor) -> list[Tensor]:
        shown = real if objective.needs_real_for_generator else None
        return [objective.critic_loss(real, fake), objective.generator_loss(shown, fake)]


class RegulariserConformance(ABC):
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

    def test_the_player_that_trains_it_reaches_all_its_parameters(self) -> None:
        regulariser = self.make()

        if any(parameter.requires_grad for parameter in regulariser.parameters()):
            term = self._term(regulariser, self._pass(regulariser.trained_by))

            assert term is not None, f"the {regulariser.trained_by} never trains it"
            _assert_all_reached(regulariser, term)

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

    def test_state_survives_json(self) -> None:
        regulariser = self.make()

        state = regulariser.state()
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
        self, phase: Player, *, generator: Generator | None = None, critic: Critic | None = None
    ) -> Pass:
        space = self.space()
        return Pass(
            phase,
            0,
            generator=generator or self.generator(),
            critic=critic or self.critic(),
            space=space,
            latent=space.sample(8, _rng()),
            real=torch.randn(8, *self.sample_shape, generator=_rng()),
            input_grad=phase == "critic" and self.make().needs_input_grad,
        )


# --- plugins -------------------------------------------------------------------------------


class PluginConformance(ABC):
    """What every plugin promises: a light module, and builders that take their own options."""

    @abstractmethod
    def module(self) -> str:
        """Return the name of the entry-point module."""

    def test_offering_loads_no_torch(self) -> None:
        code = f"import sys, {self.module()}; sys.exit('torch' in sys.modules)"

        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    def test_builders_take_the_options_and_agree_on_defaults(self) -> None:
        for component in self._offered():
            parameters = inspect.signature(component.load()).parameters
            fields = dict(component.options.model_fields)
            if component.kind == "optimiser":
                del fields["lr"]  # the engine's
            assert fields.keys() <= parameters.keys(), f"{component.build} takes not all options"
            for name, field in fields.items():
                default = field.get_default(call_default_factory=True, validated_data={})
                own = parameters[name].default
                if not field.is_required() and own is not inspect.Parameter.empty:
                    assert _same_default(own, default), f"{component.build}: {name} is {own!r}"

    def test_every_component_has_a_summary_and_every_option_a_text(self) -> None:
        for component in self._offered():
            assert component.summary, f"{component.kind} {component.name}"
            for name, field in component.options.model_fields.items():
                assert field.description, f"{component.kind} {component.name}: {name}"

    def _offered(self) -> list[Component]:
        registry = Registry()
        importlib.import_module(self.module()).gantk_register(registry)
        return registry.all()


# --- tiny parts ----------------------------------------------------------------------------


class TinyNoise(Latent):
    """Normal numbers that nobody recovers."""

    def __init__(self, width: int) -> None:
        self.width = width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, width)."""
        return torch.randn(count, self.width, device=device_of(rng), generator=rng)


class TinyCode(Latent):
    """A fair coin: 0 or 1."""

    width = 1
    posterior_width = 1
    discrete = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, 1)."""
        return torch.randint(2, (count, 1), device=device_of(rng), generator=rng).float()

    def posterior(self, raw: Tensor) -> Distribution:
        """Read one logit."""
        return Independent(Bernoulli(logits=raw, validate_args=False), 1, validate_args=False)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the likelier side."""
        return (raw > 0).long()

    def entropy(self) -> float:
        """Return log 2."""
        return math.log(2)


class TinyGenerator(Generator):
    """One linear layer."""

    def __init__(self, latent_width: int, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.sample_shape = sample_shape
        self.layer = nn.Linear(latent_width, math.prod(sample_shape))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return samples in [-1, 1]."""
        del condition
        return self.layer(latent).tanh().unflatten(1, self.sample_shape)


class TinyCritic(Critic):
    """A smooth hidden layer, read by a linear score."""

    feature_width = 7

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.trunk = nn.Linear(math.prod(sample_shape), self.feature_width)
        self.score = nn.Linear(self.feature_width, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score and features."""
        del condition
        features = nn.functional.softplus(self.trunk(sample.flatten(1)))
        return Judgement(self.score(features).squeeze(1), features)


# --- helpers -------------------------------------------------------------------------------


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


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _able(ability: Callable[[], Any]) -> Any:
    try:
        return ability()
    except NotImplementedError as error:
        raise SkipTest(str(error)) from error


def _refusal(latent: Latent, value: object) -> str:
    """Return what the latent says against `value`; nothing when it takes it."""
    try:
        latent.encode(value)
    except ValueError as error:
        return str(error)
    return ""


def _recoverable(latent: Latent) -> Latent:
    if latent.posterior_width == 0:
        raise SkipTest("nobody recovers this latent")
    return latent


def _log_prob(latent: Latent, raw: Tensor, sample: Tensor) -> Tensor:
    density = latent.posterior(raw.expand(len(sample), -1)).log_prob(sample)
    assert isinstance(density, Tensor)
    return density


def _same_default(own: object, option: object) -> bool:
    """Compare a builder's default with the option's, which is a list or dict where TOML has one."""
    if isinstance(own, tuple):
        own = list(own)
    return own == option or (own is None and not option)


def _slope(score: Tensor) -> Tensor:
    assert score.grad is not None
    return score.grad


def _assert_all_reached(module: nn.Module, loss: Tensor) -> None:
    named = {name: p for name, p in module.named_parameters() if p.requires_grad}
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    dead = [name for name, g in zip(named, gradients, strict=True) if g is None or not g.any()]
    assert not dead, f"no gradient reaches {dead}"


def _count_calls(module: nn.Module) -> list[None]:
    calls: list[None] = []
    module.register_forward_hook(lambda *_: calls.append(None))
    return calls
