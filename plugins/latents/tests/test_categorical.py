from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_toolkit import Latent
from gan_toolkit.testing.conformance import LatentConformance
from gantk_latents.categorical import Categorical


class TestConformance(LatentConformance):
    def make(self) -> Latent:
        return Categorical(10)


class TestConformanceOfTwo(LatentConformance):
    def make(self) -> Latent:
        return Categorical(2)


@settings(deadline=None)
@given(st.integers(2, 40), st.integers(1, 20), st.integers(0, 2**32))
def test_samples_are_one_hot_rows(categories: int, count: int, seed: int) -> None:
    sample = Categorical(categories).sample(count, torch.Generator().manual_seed(seed))

    assert sample.shape == (count, categories)
    assert ((sample == 0) | (sample == 1)).all()
    assert (sample.sum(dim=1) == 1).all()


@pytest.mark.parametrize(("categories", "nats"), [(10, 2.302585), (20, 2.995732)])
def test_entropy_by_hand(categories: int, nats: float) -> None:
    assert Categorical(categories).entropy() == pytest.approx(nats, abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=2, max_size=12))
def test_posterior_sums_to_one(logits: list[float]) -> None:
    latent = Categorical(len(logits))
    every = latent.grid(0).values

    density = latent.posterior(torch.tensor([logits]).expand(len(logits), -1)).log_prob(every)

    assert density.exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("right", "bound"),
    [(1.0, 2.302585), (0.1, 0.0), (0.95, 1.994209)],
    ids=["perfect", "uninformed", "95 % right, errors even"],
)
def test_bound_by_hand(right: float, bound: float) -> None:
    """H + E log q for a calibrated q that is right with probability p."""
    latent, truth = Categorical(10), torch.eye(10)
    wrong = (1 - right) / 9
    chances = truth * right + (1 - truth) * wrong
    log_q = torch.stack(
        [
            latent.posterior(chances.clamp_min(1e-30).log()).log_prob(truth.roll(k, 0))
            for k in range(10)
        ]
    )
    weights = torch.tensor([right] + 9 * [wrong])

    found = latent.entropy() + (weights[:, None] * log_q).sum(dim=0).mean().item()

    assert found == pytest.approx(bound, abs=1e-5)


def test_estimate_and_bins_are_the_category() -> None:
    latent = Categorical(4)
    rows = latent.encode(2)[None]

    assert latent.estimate(rows * 3.0).tolist() == [[2]]
    assert latent.bins(rows, 20).tolist() == [[2]]


def test_grid_shows_every_category_whatever_the_count() -> None:
    values, labels, trained = Categorical(20).grid(10)

    assert torch.equal(values, torch.eye(20))
    assert labels == [str(i) for i in range(20)]
    assert all(trained)


@pytest.mark.parametrize("value", [10, -1, 2.5, "3", True, None])
def test_encode_says_what_would_work(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a category; an integer from 0 to 9$"):
        Categorical(10).encode(value)


def test_a_single_category_is_no_choice() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        Categorical(1)


def test_frequencies_are_those_of_the_entropy() -> None:
    sample = Categorical(5).sample(20_000, torch.Generator().manual_seed(0))
    shares = sample.mean(dim=0)

    assert -(shares * shares.log()).sum().item() == pytest.approx(math.log(5), abs=1e-3)
