"""What every `Generator` and every `Critic` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from unittest import SkipTest

import torch
from torch import Tensor, nn

from gan_toolkit.interfaces import Critic, Generator
from gan_toolkit.randomness import seeded
from gan_toolkit.testing.conformance.base import (
    Conformance,
    assert_all_reached,
    drawing_nothing,
    pretended_card,
    rng_of,
)


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


def _half_precision() -> torch.autocast:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def _twice(make: Callable[[], nn.Module]) -> tuple[nn.Module, nn.Module]:
    built = []
    for _ in range(2):
        with seeded(0):
            built.append(make())
    return built[0], built[1]


def _assert_same_state(one: nn.Module, other: nn.Module) -> None:
    mine, yours = one.state_dict(), other.state_dict()
    changed = [name for name in mine if not torch.equal(mine[name], yours[name])]
    assert not changed, f"drawn from the same seed, {changed} differ"
