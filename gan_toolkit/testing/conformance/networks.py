"""What every `Generator` and every `Critic` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar
from unittest import SkipTest

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_toolkit.interfaces import Critic, Generator, Pass
from gan_toolkit.latents import LatentSpace
from gan_toolkit.randomness import seeded
from gan_toolkit.testing.conformance.base import (
    Conformance,
    assert_all_reached,
    drawing_nothing,
    pretended_card,
    rng_of,
)
from gan_toolkit.testing.conformance.tiny import TinyNoise

M = TypeVar("M", bound=nn.Module)


class GeneratorConformance(Conformance):
    """What every `Generator` promises."""

    latent_width: int = 6
    sample_shape: tuple[int, ...] = (1, 32, 32)

    @abstractmethod
    def make(self) -> Generator:
        """Return a generator of `latent_width` columns that makes samples of `sample_shape`."""

    def test_makes_one_sample_a_row(self) -> None:
        samples = self.make()(self._latent(3))

        assert samples.shape == (3, *self.sample_shape)
        assert samples.dtype == torch.float32
        assert samples.isfinite().all()

    def test_images_stay_in_range(self) -> None:
        if len(self.sample_shape) != 3:
            raise SkipTest("points have no range")

        samples = self.make()(20 * self._latent(3))

        assert samples.abs().max() <= 1

    def test_every_parameter_gets_a_gradient(self) -> None:
        generator = self.make()

        assert_all_reached(generator, generator(self._latent(4)).square().sum())

    def test_half_precision_stays_finite(self) -> None:
        generator = self.make()

        with _half_precision():
            samples = generator(self._latent(4))

        assert samples.isfinite().all()
        assert_all_reached(generator, samples.float().square().sum())

    def test_samples_do_not_depend_on_their_neighbours(self) -> None:
        """In eval mode, where pictures are drawn and measures are taken."""
        generator, latent = self.make().eval(), self._latent(4)

        with torch.no_grad(), drawing_nothing():
            together, alone, again = generator(latent), generator(latent[:1]), generator(latent)

        torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)
        assert torch.equal(together, again)

    def test_takes_weights_that_lie_channels_last_if_it_says_so(self) -> None:
        generator = self.make()
        _assert_reordered(generator, generator.channels_last, lambda: generator(self._latent(3)))

    def test_the_same_seed_gives_the_same_weights(self) -> None:
        _assert_same_state(*_twice(self.make))

    def test_saved_and_loaded_it_makes_the_same_samples(self) -> None:
        saved, loaded, latent = self.make(), self.make(), self._latent(3)
        saved(self._latent(4))  # what batch norms remember is part of it

        loaded.load_state_dict(saved.state_dict())

        with torch.no_grad():
            assert torch.equal(saved.eval()(latent), loaded.eval()(latent))

    def test_computes_on_the_device_it_is_on(self) -> None:
        with pretended_card():
            samples = self.make()(self._latent(2, seeded=False))

            assert samples.device.type == "cuda"
            assert samples.shape == (2, *self.sample_shape)

    def _latent(self, count: int, *, seeded: bool = True) -> Tensor:
        return torch.randn(count, self.latent_width, generator=rng_of() if seeded else None)


class CriticConformance(Conformance):
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

        assert_all_reached(critic, score.square().sum() + features.square().sum())

    def test_half_precision_stays_finite(self) -> None:
        critic = self.make()

        with _half_precision():
            score, features = critic(self._samples(4))

        assert score.isfinite().all()
        assert features.isfinite().all()
        assert_all_reached(critic, score.float().square().sum() + features.float().square().sum())

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

        with torch.no_grad(), drawing_nothing():
            once, alone, again = critic(samples), critic(samples[:1]), critic(samples)

        assert torch.equal(once.score, again.score)
        torch.testing.assert_close(once.score[:1], alone.score, rtol=1e-4, atol=1e-5)
        assert all(torch.equal(before[name], now) for name, now in critic.state_dict().items())

    def test_real_and_fake_can_be_judged_in_one_call_if_it_says_so(self) -> None:
        critic, other = _twice(self.make)
        if not critic.separable:
            raise SkipTest("it says that real and fake samples are judged apart")

        apart = self._judged(critic, separable=False)
        together = self._judged(other, separable=True)

        for name, wanted in apart.items():
            torch.testing.assert_close(together[name], wanted, rtol=1e-3, atol=1e-4, msg=name)

    def test_takes_weights_that_lie_channels_last_if_it_says_so(self) -> None:
        critic = self.make()
        _assert_reordered(critic, critic.channels_last, lambda: critic(self._samples(3)).features)

    def test_the_same_seed_gives_the_same_weights(self) -> None:
        _assert_same_state(*_twice(self.make))

    def test_saved_and_loaded_it_gives_the_same_scores(self) -> None:
        saved, loaded, samples = self.make(), self.make(), self._samples(3)
        saved(self._samples(4))  # what its norms remember is part of it

        loaded.load_state_dict(saved.state_dict())

        with torch.no_grad():
            assert torch.equal(saved.eval()(samples).score, loaded.eval()(samples).score)

    def test_computes_on_the_device_it_is_on(self) -> None:
        with pretended_card():
            score, features = self.make()(self._samples(2, seeded=False))

            assert score.device.type == features.device.type == "cuda"
            assert score.shape == (2,)

    def _samples(self, count: int, *, seeded: bool = True) -> Tensor:
        return torch.randn(count, *self.sample_shape, generator=rng_of() if seeded else None)

    def _judged(self, critic: Critic, *, separable: bool) -> dict[str, Tensor]:
        """Return scores, gradients and what norms remember of a phase with far real samples."""
        space = LatentSpace({"noise": TinyNoise(3)})
        seen = Pass(
            "critic",
            0,
            generator=_Fixed(self._samples(4)),
            critic=critic,
            space=space,
            latent=space.sample(4, rng_of()),
            real=self._samples(4) * 2 + 1,
            norms=[m for m in critic.modules() if isinstance(m, _BatchNorm)],
            separable=separable,
        )
        real, fake = seen.on_real, seen.on_fake
        (real.score.mean() + fake.features.square().mean()).backward()
        gradients = {
            f"{n}.grad": p.grad for n, p in critic.named_parameters() if p.grad is not None
        }
        return {"real": real.score, "fake": fake.score, **gradients, **critic.state_dict()}


class _Fixed(nn.Module):
    """Stands for a generator: gives the same samples whatever it is asked."""

    def __init__(self, samples: Tensor) -> None:
        super().__init__()
        self.samples = samples

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        del latent, condition
        return self.samples


def _assert_reordered(network: nn.Module, says: bool, compute: Callable[[], Tensor]) -> None:
    """Compute with weights as they are and channels last, if a network says that it may."""
    if not says:
        raise SkipTest("it says that its weights lie row by row")
    network.eval()
    before = compute()
    network.to(memory_format=torch.channels_last)
    try:
        after = compute()
    except RuntimeError as error:
        raise AssertionError(f"its weights can't lie channels last: {error}") from error
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)


def _half_precision() -> torch.autocast:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def _twice(make: Callable[[], M]) -> tuple[M, M]:
    built = []
    for _ in range(2):
        with seeded(0):
            built.append(make())
    return built[0], built[1]


def _assert_same_state(one: nn.Module, other: nn.Module) -> None:
    mine, yours = one.state_dict(), other.state_dict()
    changed = [name for name in mine if not torch.equal(mine[name], yours[name])]
    assert not changed, f"drawn from the same seed, {changed} differ"
