from __future__ import annotations

import math

import pytest
import torch

from gan_toolkit import Latent
from gan_toolkit.testing.conformance import LatentConformance
from gantk_latents.gaussian import Gaussian


class TestConformance(LatentConformance):
    def make(self) -> Latent:
        return Gaussian()


class TestConformanceOfSeveral(LatentConformance):
    def make(self) -> Latent:
        return Gaussian(size=5, spread=1.0)


def test_entropy_by_hand() -> None:
    assert Gaussian().entropy() == pytest.approx(1.418939, abs=1e-6)
    assert Gaussian(size=3).entropy() == pytest.approx(3 * 1.418939, abs=1e-5)


def test_entropy_is_that_of_the_samples() -> None:
    """The prior is a posterior of mean 0 and spread 1."""
    latent = Gaussian(size=2, spread=1.0)
    sample = latent.sample(100_000, torch.Generator().manual_seed(0))

    log_prior = latent.posterior(torch.zeros_like(sample)).log_prob(sample)

    assert -log_prior.mean().item() == pytest.approx(latent.entropy(), abs=0.01)


def test_bound_of_a_reader_that_is_off_by_a_tenth() -> None:
    """-log 0.1."""
    latent = Gaussian(spread=0.1)
    code = latent.sample(1000, torch.Generator().manual_seed(0))

    bound = latent.entropy() + latent.posterior(code + 0.1).log_prob(code).mean().item()

    assert bound == pytest.approx(2.302585, abs=1e-4)


def test_grid_is_two_deviations_all_of_it_trained() -> None:
    values, labels, trained = Gaussian().grid(9)

    assert values[:, 0].tolist() == [-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2]
    assert labels[0] == "-2"
    assert labels[4] == "0"
    assert all(trained)


def test_grid_of_several_numbers_says_what_to_write() -> None:
    with pytest.raises(ValueError, match="write size = 1 and count = 2"):
        Gaussian(size=2).grid(5)


def test_bins_are_quartiles() -> None:
    value = torch.tensor([[-9.0], [-0.68], [-0.67], [0.1], [0.68], [9.0]])

    assert Gaussian().bins(value, 4).flatten().tolist() == [0, 0, 1, 2, 3, 3]


def test_estimate_and_encode() -> None:
    assert Gaussian().estimate(torch.tensor([[0.5, 9.0]])).tolist() == [[0.5]]
    assert Gaussian().encode(-3).tolist() == [-3.0]


def test_the_way_between_two_values_keeps_their_length() -> None:
    """A quarter turn in the plane; a straight line would pass at 0.71 of the length."""
    first, last = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])

    way = Gaussian(2).between(first, last, torch.tensor([0.0, 1 / 3, 0.5, 1.0]))[0]

    assert way[1].tolist() == pytest.approx([math.sqrt(3), 1.0], abs=1e-6)
    assert way[2].tolist() == pytest.approx([math.sqrt(2)] * 2, abs=1e-6)
    assert way.norm(dim=1).tolist() == pytest.approx([2.0] * 4, abs=1e-6)


@pytest.mark.parametrize("last", [[-1.0, -1.0], [3.0, 3.0], [1.0, 1.0]])
def test_where_there_is_no_circle_the_way_is_straight(last: list[float]) -> None:
    first = torch.tensor([[1.0, 1.0]])

    middle = Gaussian(2).between(first, torch.tensor([last]), torch.tensor([0.5]))

    assert middle[0, 0].tolist() == pytest.approx([(1 + last[0]) / 2] * 2, abs=1e-5)


def test_the_way_of_a_single_number_is_straight() -> None:
    way = Gaussian().between(torch.tensor([[-1.0]]), torch.tensor([[2.0]]), torch.tensor([0.5]))

    assert way.tolist() == [[[0.5]]]
