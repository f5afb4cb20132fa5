from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gantk_networks.mlp import MlpCritic, MlpGenerator

SHAPES = st.one_of(
    st.tuples(st.integers(1, 9)),
    st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
)
HIDDEN = st.lists(st.integers(1, 40), min_size=1, max_size=4)


@settings(deadline=None, max_examples=40)
@given(shape=SHAPES, hidden=HIDDEN, width=st.integers(1, 20), count=st.integers(1, 4))
def test_any_shape_and_any_widths_fit(
    shape: tuple[int, ...], hidden: list[int], width: int, count: int
) -> None:
    with torch.device("meta"):
        generator = MlpGenerator(latent_width=width, sample_shape=shape, hidden=hidden)
        critic = MlpCritic(sample_shape=shape, hidden=hidden)

        sample = generator(torch.empty(count, width))
        score, features = critic(sample)

    assert sample.shape == (count, *shape)
    assert score.shape == (count,)
    assert features.shape == (count, hidden[-1]) == (count, critic.feature_width)


def test_points_are_unbounded_and_images_are_not() -> None:
    latent = 1000 * torch.randn(64, 8)

    points = MlpGenerator(latent_width=8, sample_shape=(2,))(latent)
    images = MlpGenerator(latent_width=8, sample_shape=(3, 4, 5))(latent)

    assert points.abs().max() > 10
    assert images.min() >= -1
    assert images.max() <= 1
    assert images.min() < -0.9 < 0.9 < images.max()


def test_hidden_layers_are_as_many_and_as_wide_as_said() -> None:
    critic = MlpCritic(sample_shape=(2,), hidden=[5, 7], norm="batch")

    widths = [(m.in_features, m.out_features) for m in critic.modules() if isinstance(m, nn.Linear)]

    assert widths == [(2, 5), (5, 7), (7, 1)]
    assert sum(isinstance(m, nn.BatchNorm1d) for m in critic.modules()) == 2


def test_weights_start_wide_enough_to_pass_a_signal_without_norm() -> None:
    generator = MlpGenerator(latent_width=16, sample_shape=(2,), hidden=[256] * 3)

    assert generator(torch.randn(512, 16)).std(dim=0).min() > 0.01


@pytest.mark.parametrize(("name", "kind"), [("relu", nn.ReLU), ("leaky_relu", nn.LeakyReLU)])
def test_the_activation_is_the_one_named(name: str, kind: type[nn.Module]) -> None:
    critic = MlpCritic(sample_shape=(2,), activation=name)  # type: ignore[arg-type]
    generator = MlpGenerator(latent_width=2, sample_shape=(2,), activation=name)  # type: ignore[arg-type]

    for network in (critic, generator):
        found = [m for m in network.modules() if isinstance(m, nn.ReLU | nn.LeakyReLU)]
        assert [type(m) for m in found] == [kind, kind]


def test_spectral_norm_keeps_every_layer_of_the_critic_from_stretching() -> None:
    critic = MlpCritic(sample_shape=(2,), hidden=[32, 32], norm="spectral")
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.mul_(10)
    for _ in range(50):
        critic(torch.randn(2, 2))
    critic.eval()

    layers = [m for m in critic.modules() if isinstance(m, nn.Linear)]

    assert [torch.linalg.matrix_norm(m.weight, 2).item() for m in layers] == pytest.approx(
        [1.0] * 3, rel=0.02
    )


def test_shapes_and_depths_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"points \(D,\) or images .* shape \(2, 3\)"):
        MlpGenerator(latent_width=2, sample_shape=(2, 3))
    with pytest.raises(ValueError, match="at least one hidden layer"):
        MlpCritic(sample_shape=(2,), hidden=[])


def test_an_image_critic_reads_every_pixel() -> None:
    critic = MlpCritic(sample_shape=(2, 3, 4))
    x = torch.randn(1, 2, 3, 4, requires_grad=True)

    (slope,) = torch.autograd.grad(critic(x).score.sum(), x)

    assert slope.count_nonzero() == math.prod((2, 3, 4))
