from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from gan_toolkit import Latent
from gan_toolkit.testing.conformance import LatentConformance
from gantk_latents.circular import Circular


class TestConformance(LatentConformance):
    def make(self) -> Latent:
        return Circular()

    def support(self) -> tuple[Tensor, float]:
        angles = torch.arange(10_000) * (math.tau / 10_000)
        return points(angles), math.tau / 10_000

    def coordinate(self, value: Tensor) -> Tensor:
        return torch.atan2(value[:, 1], value[:, 0])


class TestConformanceOfSeveral(LatentConformance):
    def make(self) -> Latent:
        return Circular(size=3, concentration_limit=5)


def points(angle: Tensor) -> Tensor:
    return torch.stack((angle.cos(), angle.sin()), dim=-1)


def log_density(a: float, b: float, angle: Tensor, limit: float = 25.0) -> Tensor:
    latent = Circular(concentration_limit=limit)
    posterior = latent.posterior(torch.tensor([[a, b]]).expand(len(angle), -1))
    log_prob = posterior.log_prob(points(angle))
    assert isinstance(log_prob, Tensor)
    return log_prob


def concentration(norm: float, limit: float = 25.0) -> float:
    return norm / math.sqrt(1 + (norm / limit) ** 2)


def test_samples_lie_on_circles() -> None:
    sample = Circular(size=2).sample(9, torch.Generator().manual_seed(0))

    assert sample.shape == (9, 4)
    torch.testing.assert_close(sample[:, 0] ** 2 + sample[:, 1] ** 2, torch.ones(9))
    torch.testing.assert_close(sample[:, 2] ** 2 + sample[:, 3] ** 2, torch.ones(9))


def test_samples_go_all_the_way_round() -> None:
    sample = Circular().sample(20_000, torch.Generator().manual_seed(0))

    quarters = torch.bincount(Circular().bins(sample, 4).flatten()) / len(sample)

    torch.testing.assert_close(quarters, torch.full((4,), 0.25), atol=0.02, rtol=0)


def test_entropy_by_hand() -> None:
    assert Circular().entropy() == pytest.approx(1.837877, abs=1e-6)
    assert Circular(size=2).entropy() == pytest.approx(2 * 1.837877, abs=1e-5)


def test_an_uninformed_head_is_worth_0_nats() -> None:
    """Raw outputs 0 are the prior itself, so its entropy is the mean of -log q."""
    latent = Circular(size=2)
    sample = latent.sample(16, torch.Generator().manual_seed(0))

    bound = latent.entropy() + latent.posterior(torch.zeros(16, 4)).log_prob(sample)

    torch.testing.assert_close(bound, torch.zeros(16), atol=1e-5, rtol=0)


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(-60, 60))
def test_posterior_integrates_to_one(a: float, b: float) -> None:
    angle = torch.arange(4096) / 4096 * 2 * math.pi

    total = log_density(a, b, angle).exp().mean() * 2 * math.pi

    assert total.item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.0), (-2.0, 1.0), (5.0, 12.0), (-80.0, -60.0)])
def test_posterior_is_von_mises(a: float, b: float) -> None:
    angle = torch.linspace(-3, 3, 50)
    k = concentration(math.hypot(a, b))

    expected = stats.vonmises(kappa=k, loc=math.atan2(b, a)).logpdf(angle.double().numpy())

    torch.testing.assert_close(
        log_density(a, b, angle), torch.tensor(expected).float(), atol=1e-4, rtol=1e-4
    )


def test_the_limit_caps_the_bound() -> None:
    """log 2 pi + 25 - log(2 pi I0(25)) = 2.5233 nats of a perfect direction."""
    bound = Circular().entropy() + log_density(1e6, 0.0, torch.zeros(1)).item()

    assert bound == pytest.approx(2.5233, abs=1e-3)
    assert bound == pytest.approx(-math.log(torch.special.i0e(torch.tensor(25.0))), abs=1e-4)


@pytest.mark.parametrize("norm", [0.0, 1e-8, 1e-4, 1e-2])
def test_gradient_is_right_down_to_no_concentration(norm: float) -> None:
    """d log q / d(a, b) = (cos c, sin c) - mean of the posterior; the mean is (k/2) u near 0."""
    angle = torch.tensor([0.7])
    raw = torch.tensor([[norm, 0.0]], requires_grad=True)

    Circular().posterior(raw).log_prob(points(angle)).sum().backward()

    expected = points(angle) - torch.tensor([[norm / 2, 0.0]])
    assert raw.grad is not None
    torch.testing.assert_close(raw.grad, expected, atol=1e-3, rtol=0)


def test_second_gradients_are_finite() -> None:
    raw = torch.zeros(2, 2, requires_grad=True)
    log_prob = Circular().posterior(raw).log_prob(points(torch.tensor([0.1, 2.0])))

    (slope,) = torch.autograd.grad(log_prob.sum(), raw, create_graph=True)
    (bend,) = torch.autograd.grad(slope.square().sum(), raw)

    assert bend.isfinite().all()


def test_encode_takes_fractions_of_a_turn() -> None:
    latent = Circular()

    torch.testing.assert_close(latent.encode(0.25), torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(latent.encode(1.25), latent.encode(0.25))
    torch.testing.assert_close(latent.encode(-0.75), latent.encode(0.25))


def test_grid_is_one_turn_without_its_end_in_degrees() -> None:
    values, labels, trained = Circular().grid(4)

    expected = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    torch.testing.assert_close(values, expected)
    assert labels == ["0°", "90°", "180°", "270°"]
    assert all(trained)


def test_grid_of_several_angles_says_what_to_write() -> None:
    with pytest.raises(ValueError, match="write size = 1 and count = 2"):
        Circular(size=2).grid(4)


def test_bins_are_arcs_from_0_degrees() -> None:
    angle = torch.tensor([0.0, 45.0, 95.0, 181.0, 359.0, -1.0]) / 180 * math.pi

    assert Circular().bins(points(angle), 4).flatten().tolist() == [0, 0, 1, 2, 3, 3]


def test_estimate_is_the_direction_in_radians() -> None:
    raw = torch.tensor([[0.0, 2.0, -5.0, 0.0]])

    torch.testing.assert_close(
        Circular(size=2).estimate(raw), torch.tensor([[math.pi / 2, math.pi]])
    )


@pytest.mark.parametrize(
    ("options", "said"), [({"size": 0}, "at least 1"), ({"concentration_limit": 0.0}, "above 0")]
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Circular(**options)


def test_the_way_between_two_directions_is_the_shorter_arc() -> None:
    """From 170 to 190 degrees over 180, not over 0; two angles go apart from each other."""
    latent = Circular(2)
    first, last = latent.encode([170 / 360, 0.1]), latent.encode([190 / 360, 0.3])

    (middle,) = latent.between(first[None], last[None], torch.tensor([0.5]))

    assert middle[0].tolist() == pytest.approx(latent.encode([0.5, 0.2]).tolist(), abs=1e-6)
