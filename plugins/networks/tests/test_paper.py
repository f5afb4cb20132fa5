"""The paper's networks against sizes and parameter counts worked out by hand from its tables."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from gantk_networks import paper


class Row(NamedTuple):
    generator: Any
    critic: Any
    shape: tuple[int, int, int]
    latent: int
    generator_count: int
    trunk_count: int
    score_count: int
    features: int


ROWS = {
    "paper_mnist": Row(
        paper.MnistGenerator, paper.MnistCritic, (1, 28, 28), 74,
        6_652_481, 6_558_144, 1_025, 1024,
    ),
    "paper_svhn": Row(
        paper.SvhnGenerator, paper.SvhnCritic, (3, 32, 32), 168,
        2_800_835, 659_648, 4_097, 4 * 4 * 256,
    ),
    "paper_celeba": Row(
        paper.CelebaGenerator, paper.CelebaCritic, (3, 32, 32), 228,
        2_908_355, 659_648, 4_097, 4 * 4 * 256,
    ),
    "paper_faces": Row(
        paper.FacesGenerator, paper.FacesCritic, (1, 32, 32), 133,
        8_684_737, 8_524_224, 1_025, 1024,
    ),
    "paper_chairs": Row(
        paper.ChairsGenerator, paper.ChairsCritic, (1, 64, 64), 189,
        19_778_625, 19_536_576, 1_025, 1024,
    ),
}  # fmt: skip
DENSE = {"paper_faces", "paper_chairs"}

every_row = pytest.mark.parametrize("name", ROWS)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def on_meta(name: str, **options: Any) -> tuple[Any, Any]:
    row = ROWS[name]
    with torch.device("meta"):
        generator = row.generator(latent_width=row.latent, sample_shape=row.shape)
        return generator, row.critic(sample_shape=row.shape, **options)


@every_row
def test_parameters_are_as_many_as_the_tables_say(name: str) -> None:
    row = ROWS[name]

    generator, critic = on_meta(name)

    assert count(generator) == row.generator_count
    assert count(critic.trunk) == row.trunk_count
    assert count(critic.score) == row.score_count
    assert count(critic) == row.trunk_count + row.score_count


@pytest.mark.parametrize("name", sorted(DENSE))
def test_without_dense_norm_the_trunk_loses_its_gains_and_offsets(name: str) -> None:
    _, critic = on_meta(name, dense_norm=False)

    assert count(critic.trunk) == ROWS[name].trunk_count - 2 * 1024


@every_row
def test_images_and_features_have_the_paper_sizes(name: str) -> None:
    row = ROWS[name]
    generator, critic = on_meta(name)

    images = generator(torch.empty(2, row.latent, device="meta"))
    score, features = critic(images)

    assert images.shape == (2, *row.shape)
    assert score.shape == (2,)
    assert features.shape == (2, row.features) == (2, critic.feature_width)


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("paper_mnist", [14, 28]),
        ("paper_svhn", [4, 8, 16, 32]),
        ("paper_celeba", [4, 8, 16, 32]),
        ("paper_faces", [16, 32]),
        ("paper_chairs", [8, 8, 16, 32, 64]),
    ],
)
def test_up_convolutions_pass_through_the_paper_sizes(name: str, sides: list[int]) -> None:
    generator, _ = on_meta(name)
    found: list[int] = []
    for module in generator.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.register_forward_hook(lambda *seen: found.append(seen[2].shape[-1]))

    generator(torch.empty(2, ROWS[name].latent, device="meta"))

    assert found == sides


@pytest.mark.parametrize(
    ("name", "generator_norms", "critic_norms"),
    [
        ("paper_mnist", [1024, 6272, 64], [128, 1024]),
        ("paper_svhn", [1792, 256], [128, 256]),
        ("paper_celeba", [1792, 256], [128, 256]),
        ("paper_faces", [1024, 8192, 64], [128, 1024]),
        ("paper_chairs", [1024, 16384, 256, 256, 128, 64], [128, 256, 256, 256, 1024]),
    ],
)
def test_batch_norm_stands_where_the_tables_put_it(
    name: str, generator_norms: list[int], critic_norms: list[int]
) -> None:
    for network, expected in zip(on_meta(name), (generator_norms, critic_norms), strict=True):
        norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]

        assert [m.num_features for m in norms] == expected
        assert {(m.eps, m.momentum) for m in norms} == {(1e-5, 0.1)}


@every_row
def test_the_slope_is_the_paper_one_or_that_of_the_code(name: str) -> None:
    for options, slope in (({}, 0.1), ({"slope": 0.01}, 0.01)):
        _, critic = on_meta(name, **options)

        leaks = [m.negative_slope for m in critic.modules() if isinstance(m, nn.LeakyReLU)]

        assert set(leaks) == {slope}
        assert len(leaks) == (6 if name == "paper_chairs" else 3)


def test_signed_and_unit_ranges_are_inverse_and_leave_the_paper_probability() -> None:
    logits = torch.linspace(-20, 20, 101, dtype=torch.float64)

    signed = paper.ToSigned()(logits)

    assert signed.min() == pytest.approx(-1)
    assert signed.max() == pytest.approx(1)
    torch.testing.assert_close(paper.ToUnit()(signed), torch.sigmoid(logits))


@every_row
def test_only_networks_that_end_in_a_sigmoid_move_to_the_unit_range(name: str) -> None:
    generator, critic = on_meta(name)
    bernoulli = name not in {"paper_svhn", "paper_celeba"}

    assert isinstance(generator.layers[-1], paper.ToSigned if bernoulli else nn.Tanh)
    assert isinstance(critic.trunk[0], paper.ToUnit) == bernoulli


@pytest.mark.parametrize("name", ["paper_mnist", "paper_svhn"])
def test_samples_fill_the_range(name: str) -> None:
    row = ROWS[name]
    generator = row.generator(latent_width=8, sample_shape=row.shape)
    with torch.no_grad():
        generator.layers[-2].weight.mul_(100)

    images = generator(torch.randn(4, 8))

    assert images.min() >= -1
    assert images.max() <= 1
    assert images.min() < -0.9 < 0.9 < images.max()


@every_row
def test_the_latent_may_have_any_width(name: str) -> None:
    row = ROWS[name]
    with torch.device("meta"):
        generator = row.generator(latent_width=3, sample_shape=row.shape)

        assert generator(torch.empty(2, 3)).shape == (2, *row.shape)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "paper_mnist",
            (1, 32, 32),
            "paper_mnist makes 28x28x1 images; the data has 32x32x1 images; "
            "use dcgan for other sizes",
        ),
        (
            "paper_celeba",
            (1, 32, 32),
            "paper_celeba makes 32x32x3 images; the data has 32x32x1 images; "
            "use dcgan for other sizes",
        ),
        (
            "paper_chairs",
            (2,),
            "paper_chairs makes 64x64x1 images; the data has points of 2 numbers; use mlp",
        ),
    ],
)
def test_other_shapes_are_refused(name: str, shape: tuple[int, ...], message: str) -> None:
    row = ROWS[name]

    for build, facts in ((row.generator, {"latent_width": 2}), (row.critic, {})):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
            build(**facts, sample_shape=shape)
        assert str(caught.value) == message
