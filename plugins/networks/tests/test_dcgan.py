from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrize

from gantk_networks.dcgan import DcganCritic, DcganGenerator, plan


@settings(deadline=None, max_examples=15)
@given(
    side=st.integers(4, 7),
    doublings=st.integers(1, 4),
    channels=st.integers(1, 4),
    width=st.integers(1, 24),
    features=st.integers(1, 40),
    norm=st.sampled_from(["batch", "spectral", "none"]),
    count=st.integers(2, 4),
)
def test_every_size_of_the_family_fits(
    side: int, doublings: int, channels: int, width: int, features: int, norm: str, count: int
) -> None:
    size = side * 2**doublings
    shape = (channels, size, size)
    with torch.device("meta"):
        generator = DcganGenerator(latent_width=5, sample_shape=shape, width=width)
        critic = DcganCritic(sample_shape=shape, width=width, features=features, norm=norm)  # type: ignore[arg-type]

        sample = generator(torch.empty(count, 5))
        judgement = critic(sample)

    assert sample.shape == (count, *shape)
    assert judgement.score.shape == (count,)
    assert judgement.features.shape == (count, features) == (count, critic.feature_width)


@settings(deadline=None)
@given(size=st.integers(1, 300), channels=st.integers(1, 4))
def test_a_size_fits_or_is_refused_with_neighbours_that_fit(size: int, channels: int) -> None:
    try:
        found, side, doublings = plan((channels, size, size))
    except ValueError as error:
        words = str(error).replace(";", "").split()
        offered = [int(word) for word in words[words.index("images") :] if word.isdigit()]
        assert offered
        assert any(offer > size for offer in offered)
        for offer in offered:
            assert plan((channels, offer, offer))
    else:
        assert found == channels
        assert 4 <= side <= 7
        assert doublings >= 1
        assert size == side * 2**doublings


@pytest.mark.parametrize(
    ("size", "expected"),
    [(8, (4, 1)), (28, (7, 2)), (32, (4, 3)), (48, (6, 3)), (64, (4, 4)), (96, (6, 4))],
)
def test_the_smallest_map_is_4_to_7_on_a_side(size: int, expected: tuple[int, int]) -> None:
    assert plan((3, size, size)) == (3, *expected)


def test_width_32_at_32_pixels_is_the_network_of_the_trials() -> None:
    generator = DcganGenerator(latent_width=62, sample_shape=(1, 32, 32), width=32)
    critic = DcganCritic(sample_shape=(1, 32, 32), width=32)

    def laid_out(network: nn.Module) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in network.parameters() if p.dim() > 1]

    assert laid_out(generator) == [
        (128 * 4 * 4, 62),
        (128, 64, 4, 4),
        (64, 32, 4, 4),
        (32, 1, 4, 4),
    ]
    assert laid_out(critic) == [
        (32, 1, 4, 4),
        (64, 32, 4, 4),
        (128, 64, 4, 4),
        (256, 128 * 4 * 4),
        (1, 256),
    ]
    # Batch norm on all but the last of the generator, the first and last of the critic.
    norms = (nn.BatchNorm1d, nn.BatchNorm2d)
    assert [m.num_features for m in generator.modules() if isinstance(m, norms)] == [128, 64, 32]
    assert [m.num_features for m in critic.modules() if isinstance(m, norms)] == [64, 128, 256]


@pytest.mark.parametrize(("norm", "batch", "spectral"), [("spectral", 0, 5), ("none", 0, 0)])
def test_the_norm_is_the_one_named(norm: str, batch: int, spectral: int) -> None:
    critic = DcganCritic(sample_shape=(1, 32, 32), width=4, norm=norm)  # type: ignore[arg-type]

    modules = list(critic.modules())

    assert sum(isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d) for m in modules) == batch
    assert sum(parametrize.is_parametrized(m, "weight") for m in modules) == spectral


def test_the_slope_reaches_every_activation() -> None:
    critic = DcganCritic(sample_shape=(1, 16, 16), width=4, slope=0.25)

    slopes = [m.negative_slope for m in critic.modules() if isinstance(m, nn.LeakyReLU)]

    assert slopes == [0.25] * 3


def test_images_fill_the_range() -> None:
    generator = DcganGenerator(latent_width=8, sample_shape=(1, 8, 8), width=4)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(30)

    images = generator(torch.randn(32, 8))

    assert images.min() >= -1
    assert images.max() <= 1
    assert images.min() < -0.99 < 0.99 < images.max()


def test_one_sample_is_a_batch_for_the_generator() -> None:
    generator = DcganGenerator(latent_width=8, sample_shape=(1, 8, 8), width=4)

    assert generator(torch.randn(1, 8)).isfinite().all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 30, 30), "dcgan can't make 30x30x1 images; the nearest sizes are 28 and 32"),
        ((3, 36, 36), "dcgan can't make 36x36x3 images; the nearest sizes are 32 and 40"),
        ((1, 6, 6), "dcgan can't make 6x6x1 images; the smallest size is 8"),
        ((1, 32, 64), "dcgan makes square images; the data has 32x64x1 images"),
        ((2,), "dcgan makes images; the data has points of 2 numbers; use mlp"),
    ],
)
def test_what_does_not_fit_is_refused(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        DcganGenerator(latent_width=2, sample_shape=shape)

    assert str(caught.value) == message
