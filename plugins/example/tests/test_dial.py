from __future__ import annotations

import pytest
import torch

from gan_toolkit import Latent
from gan_toolkit.testing.conformance import LatentConformance
from gantk_example.dial import Dial


class TestConformance(LatentConformance):
    def make(self) -> Latent:
        return Dial(steps=5)


class TestConformanceOfTwo(LatentConformance):
    def make(self) -> Latent:
        return Dial(steps=2)


def test_places_are_even_from_end_to_end() -> None:
    assert Dial(5).grid(99).values.flatten().tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]


@pytest.mark.parametrize("steps", [2, 7, 100, 1_000])
def test_every_place_is_read_as_its_step(steps: int) -> None:
    dial = Dial(steps)

    assert dial.bins(dial.grid(0).values, 20).flatten().tolist() == list(range(steps))
    assert torch.equal(dial.encode(steps - 1), torch.ones(1))


def test_the_posterior_by_hand() -> None:
    """Probabilities 1/2, 1/4, 1/4 of the three steps."""
    dial = Dial(3)
    raw = torch.tensor([[0.5, 0.25, 0.25]]).log().expand(3, -1)

    density = dial.posterior(raw).log_prob(dial.grid(0).values)

    assert density.exp().tolist() == pytest.approx([0.5, 0.25, 0.25])


def test_a_sure_reader_gains_the_entropy() -> None:
    dial = Dial(4)
    raw = 100 * torch.eye(4)

    bound = dial.entropy() + dial.posterior(raw).log_prob(dial.grid(0).values).mean()

    assert bound.item() == pytest.approx(dial.entropy()) == pytest.approx(1.386294)


@pytest.mark.parametrize("value", [4, -1, 0.5, "2"])
def test_encode_says_what_would_work(value: object) -> None:
    with pytest.raises(ValueError, match=r"not a step; an integer from 0 to 3$"):
        Dial(4).encode(value)
