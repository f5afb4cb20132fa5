from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan_toolkit import Generator, LatentSpace, Pass, Regulariser
from gan_toolkit.testing.conformance import RegulariserConformance, TinyCritic, TinyNoise
from gantk_example.diversity import Diversity


class TestConformance(RegulariserConformance):
    def make(self) -> Regulariser:
        return Diversity(self.space())


class TestConformanceOnImages(TestConformance):
    sample_shape = (1, 4, 4)

    def make(self) -> Regulariser:
        return Diversity(self.space(), of=["noise"], eps=1e-3)


class Scale(Generator):
    """Samples are the first two columns of the latent, times a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(factor))

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.factor * latent[:, :2]


def term(generator: Generator, *, of: tuple[str, ...], eps: float) -> Tensor:
    space = LatentSpace({"seen": TinyNoise(2), "unseen": TinyNoise(2)})
    latent = space.sample(16, torch.Generator().manual_seed(0))
    seen = Pass(
        "generator", 0, generator=generator, critic=TinyCritic((2,)), space=space, latent=latent
    )
    return Diversity(space, of, eps).generator_term(seen)


def test_a_generator_that_triples_its_input_has_ratio_three() -> None:
    assert term(Scale(3.0), of=("seen",), eps=1e-5).item() == pytest.approx(1 / 3, rel=1e-4)


def test_a_generator_that_ignores_its_input_pays_the_most() -> None:
    assert term(Scale(0.0), of=("seen",), eps=0.01).item() == pytest.approx(100)


def test_following_it_spreads_the_samples() -> None:
    generator = Scale(1.0)

    term(generator, of=("seen", "unseen"), eps=1e-5).backward()

    assert generator.factor.grad is not None
    assert generator.factor.grad < 0, "a larger factor must lower the penalty"


def test_an_unknown_latent_is_named() -> None:
    with pytest.raises(ValueError, match=r"no latent is named 'sen'.*did you mean 'seen'"):
        term(Scale(1.0), of=("sen",), eps=1e-5)
