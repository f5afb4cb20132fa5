from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_toolkit import Latent
from gan_toolkit.testing.conformance import LatentConformance
from gantk_latents.uniform import Uniform

HALF = 40.0
"""A raw spread that sigmoid saturates on."""


class TestConformance(LatentConformance):
    def make(self) -> Latent:
        return Uniform()


class TestConformanceOfSeveralElsewhere(LatentConformance):
    def make(self) -> Latent:
        return Uniform(size=3, low=10, high=14)


class TestConformanceWithFixedSpread(LatentConformance):
    def make(self) -> Latent:
        return Uniform(spread=1.0)


def bound(latent: Uniform, residual: float, raw_spread: list[float] | None = None) -> float:
    """H + E log q of a reader that is off by `residual`, one way or the other, around any code."""
    code = torch.linspace(-1, 1, 201)[:, None]
    found = []
    for side in (-1, 1):
        raw = torch.cat(
            [code + side * residual, torch.tensor([raw_spread or []]).expand(201, -1)], 1
        )
        found.append(latent.posterior(raw).log_prob(code).mean().item())
    return latent.entropy() + sum(found) / 2


@settings(deadline=None)
@given(st.integers(1, 5), st.floats(-9, 9), st.floats(0.1, 9), st.integers(0, 2**32))
def test_samples_lie_in_the_interval(size: int, low: float, width: float, seed: int) -> None:
    latent = Uniform(size, low, low + width)

    sample = latent.sample(16, torch.Generator().manual_seed(seed))

    assert sample.shape == (16, size)
    assert sample.min() >= low - 1e-5
    assert sample.max() <= low + width + 1e-5


def test_prior_has_mean_0_and_variance_a_third() -> None:
    sample = Uniform().sample(100_000, torch.Generator().manual_seed(0))

    assert sample.mean().item() == pytest.approx(0, abs=0.01)
    assert sample.var().item() == pytest.approx(1 / 3, abs=0.01)


def test_entropy_is_log_2_not_that_of_a_normal() -> None:
    """The authors' code scores it with a normal's density: 1.0856 instead."""
    assert Uniform().entropy() == pytest.approx(0.693147, abs=1e-6)
    assert Uniform(size=4).entropy() == pytest.approx(4 * 0.693147, abs=1e-5)
    assert Uniform(low=2, high=3).entropy() == pytest.approx(0)


def test_entropy_is_that_of_the_samples() -> None:
    sample = Uniform(low=-2, high=3).sample(200_000, torch.Generator().manual_seed(0))
    shares = torch.histc(sample, bins=100) / len(sample)

    in_nats = -(shares * shares.log()).sum().item() + math.log(5 / 100)

    assert in_nats == pytest.approx(Uniform(low=-2, high=3).entropy(), abs=0.01)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-5, 5))
def test_posterior_integrates_to_one(mean: float, spread: float) -> None:
    at = torch.linspace(-20, 20, 20_001)[:, None]

    raw = torch.tensor([[mean, spread]]).expand(len(at), -1)
    density = Uniform().posterior(raw).log_prob(at).exp()

    assert torch.trapezoid(density, at[:, 0]).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("residual", "nats"), [(0.3, 0.478181), (0.2, 0.883647), (0.1, 1.576794), (0.05, 2.269941)]
)
def test_bound_of_a_calibrated_reader_by_hand(residual: float, nats: float) -> None:
    """log 2 - log(s sqrt(2 pi e)) = -0.7258 - log s."""
    assert bound(Uniform(spread=residual), residual) == pytest.approx(nats, abs=1e-4)


def test_bound_crosses_zero_where_it_should() -> None:
    assert bound(Uniform(spread=0.483941), 0.483941) == pytest.approx(0, abs=1e-4)


def test_fixed_spread_1_can_never_show_information() -> None:
    assert bound(Uniform(spread=1.0), 0.0) == pytest.approx(-0.225791, abs=1e-5)


def test_a_useless_code_is_worth_less_than_nothing() -> None:
    """A normal is not the uniform prior: -0.1765 nats, not 0."""
    latent = Uniform(spread=math.sqrt(1 / 3))
    code = torch.linspace(-1, 1, 20_001)[:, None]

    log_q = latent.posterior(torch.zeros_like(code)).log_prob(code).mean().item()

    assert latent.entropy() + log_q == pytest.approx(-0.176485, abs=1e-4)


def test_learned_spread_has_a_floor_that_caps_the_bound() -> None:
    assert bound(Uniform(), 0.0, [-HALF]) == pytest.approx(2.076794, abs=1e-4)
    assert bound(Uniform(), 0.0, [-10.0]) < 2.076794


def test_learned_spread_stays_between_its_ends() -> None:
    raw = torch.tensor([[0.0, -HALF], [0.0, 0.0], [0.0, HALF]])

    spread = Uniform().posterior(raw).stddev[:, 0]

    torch.testing.assert_close(spread, torch.tensor([0.1, math.sqrt(0.1 * 2), 2.0]))


@pytest.mark.parametrize("raw_spread", [-10.0, 10.0])
def test_a_spread_at_its_end_can_come_back(raw_spread: float) -> None:
    """The authors' hard clip has no gradient there."""
    raw = torch.tensor([[0.0, raw_spread]], requires_grad=True)

    Uniform().posterior(raw).log_prob(torch.tensor([[0.3]])).sum().backward()

    assert raw.grad is not None
    assert raw.grad[0, 1] != 0


@pytest.mark.parametrize("spread", ["learned", 0.5])
def test_the_bound_does_not_depend_on_the_scale_of_the_interval(spread: Any) -> None:
    raw = torch.tensor([[0.2, -1.0]])

    here, there = Uniform(spread=spread), Uniform(low=0, high=255, spread=spread)
    near = here.entropy() + here.posterior(raw).log_prob(torch.tensor([[0.5]]))
    far = there.entropy() + there.posterior(raw).log_prob(torch.tensor([[127.5 * 1.5]]))

    torch.testing.assert_close(near, far)


def test_widths_of_its_outputs() -> None:
    assert (Uniform(size=3).width, Uniform(size=3).posterior_width) == (3, 6)
    assert Uniform(size=3, spread=1.0).posterior_width == 3


def test_grid_reaches_twice_the_interval_and_marks_the_trained_part() -> None:
    values, labels, trained = Uniform().grid(5)

    assert values[:, 0].tolist() == [-2, -1, 0, 1, 2]
    assert labels == ["-2", "-1", "0", "1", "2"]
    assert trained == [False, True, True, True, False]


def test_grid_of_another_interval() -> None:
    assert Uniform(low=0, high=4).grid(3).values[:, 0].tolist() == [-2, 2, 6]


def test_grid_of_several_numbers_says_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"write size = 1 and count = 3"):
        Uniform(size=3).grid(5)


def test_grid_of_one_column_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Uniform().grid(1)


def test_encode_takes_a_number_or_a_list() -> None:
    assert Uniform().encode(1.5).tolist() == [1.5]
    assert Uniform(size=2).encode([0.5, -1]).tolist() == [0.5, -1.0]
    with pytest.raises(ValueError, match="a list of 2 finite numbers"):
        Uniform(size=2).encode(0.5)


def test_bins_are_equal_parts_of_the_interval() -> None:
    value = torch.tensor([[-1.0], [-0.51], [0.0], [0.99], [1.0]])

    assert Uniform().bins(value, 4).flatten().tolist() == [0, 0, 2, 3, 3]


def test_estimate_is_the_mean() -> None:
    assert Uniform(low=0, high=4).estimate(torch.tensor([[0.5, 9.0]])).tolist() == [[3.0]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"low": 1.0, "high": 1.0}, "low must be below high"),
        ({"size": 0}, "at least 1"),
        ({"spread": 0.0}, "above 0"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Uniform(**options)
