from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from gantk_networks.layers import (
    SameConvolution,
    SameUpConvolution,
    block,
    convolution,
    leaky_relu,
    linear,
    map_norm,
    relu,
    up_convolution,
)


def same_by_hand(image: Tensor, weight: Tensor) -> Tensor:
    """Correlate one map (n, n) with (4, 4), one zero before and two after."""
    n = image.shape[0]
    padded = torch.zeros(n + 3, n + 3, dtype=image.dtype)
    padded[1 : n + 1, 1 : n + 1] = image
    rows = [[(padded[i : i + 4, j : j + 4] * weight).sum() for j in range(n)] for i in range(n)]
    return torch.stack([torch.stack(row) for row in rows])


def test_a_convolution_of_stride_1_pads_one_before_and_two_after() -> None:
    layer = SameConvolution(1, 1).double()
    image = torch.randn(5, 5, dtype=torch.float64)

    found = layer(image[None, None])[0, 0]

    assert layer.bias is not None
    expected = same_by_hand(image, layer.weight[0, 0]) + layer.bias
    torch.testing.assert_close(found, expected)


def test_an_up_convolution_of_stride_1_is_the_transpose_of_that_convolution() -> None:
    layer = SameUpConvolution(1, 1).double()
    maps = torch.randn(5, 5, dtype=torch.float64)
    image = torch.zeros(5, 5, dtype=torch.float64, requires_grad=True)

    found = layer(maps[None, None])[0, 0]

    forward = same_by_hand(image, layer.weight[0, 0])
    (transpose,) = torch.autograd.grad(forward, image, maps)
    assert layer.bias is not None
    torch.testing.assert_close(found, transpose + layer.bias)


def test_layers_of_stride_1_are_transposes_over_many_maps_too() -> None:
    """<conv(x), y> = <x, up(y)> for one kernel."""
    down, up = SameConvolution(3, 2).double(), SameUpConvolution(2, 3).double()
    x = torch.randn(2, 3, 6, 6, dtype=torch.float64)
    y = torch.randn(2, 2, 6, 6, dtype=torch.float64)
    with torch.no_grad():
        up.weight.copy_(down.weight)
        for layer in (down, up):
            assert layer.bias is not None
            layer.bias.zero_()

        torch.testing.assert_close((down(x) * y).sum(), (x * up(y)).sum())


@pytest.mark.parametrize("stride", [1, 2])
def test_strides_divide_and_multiply_the_size(stride: int) -> None:
    x = torch.randn(1, 2, 8, 8)

    assert convolution(2, 3, stride)(x).shape == (1, 3, 8 // stride, 8 // stride)
    assert up_convolution(2, 3, stride)(x).shape == (1, 3, 8 * stride, 8 * stride)


@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_start_from_a_normal_cut_off_at_two_deviations(stride: int) -> None:
    torch.manual_seed(0)

    weight = convolution(64, 64, stride).weight

    # A standard normal within two deviations has variance 1 - 4 phi(2) / (2 Phi(2) - 1).
    within = math.erf(2 / math.sqrt(2))
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    assert weight.abs().max() <= 0.04
    assert weight.abs().max() > 0.039
    assert weight.mean().item() == pytest.approx(0, abs=4e-4)
    assert weight.std().item() == pytest.approx(
        0.02 * math.sqrt(1 - 4 * density / within), rel=0.01
    )


@pytest.mark.parametrize("layer", [linear(300, 300), up_convolution(64, 64)], ids=["fc", "up"])
def test_other_layers_start_from_a_whole_normal(layer: nn.Linear | nn.ConvTranspose2d) -> None:
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert layer.weight.mean().item() == pytest.approx(0, abs=4e-4)
    assert layer.weight.abs().max() > 0.06


def test_biases_start_at_zero_and_gains_around_one() -> None:
    torch.manual_seed(0)
    norm = map_norm(10_000)
    unit = block(linear(1, 10_000), relu())[1]
    assert isinstance(unit, nn.BatchNorm1d)

    for layer in (linear(2, 3), convolution(2, 3), convolution(2, 3, 1), up_convolution(2, 3)):
        assert layer.bias is not None
        assert not layer.bias.any()
    for gains, offsets in ((norm.weight, norm.bias), (unit.weight, unit.bias)):
        assert gains.mean().item() == pytest.approx(1, abs=1e-3)
        assert gains.std().item() == pytest.approx(0.02, rel=0.05)
        assert not offsets.any()


def test_the_same_global_seed_gives_the_same_weights() -> None:
    torch.manual_seed(3)
    first = convolution(2, 3).weight
    torch.manual_seed(3)

    assert torch.equal(convolution(2, 3).weight, first)


def test_a_block_normalises_before_it_activates() -> None:
    layer = linear(4, 6)
    made = block(layer, leaky_relu(0.1))
    x = torch.randn(16, 4)

    found = made(x)

    raw = layer(x)
    centred = (raw - raw.mean(0)) / (raw.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(
        found, F.leaky_relu(centred * made[1].weight, 0.1), atol=1e-5, rtol=1e-4
    )


def test_batch_norm_forgets_a_tenth_each_time() -> None:
    layer = linear(4, 6)
    made = block(layer, relu())
    x = torch.randn(16, 4)

    made(x)

    torch.testing.assert_close(made[1].running_mean, 0.1 * layer(x).mean(0).detach())


def test_spectral_norm_takes_the_place_of_batch_norm() -> None:
    layer = linear(20, 30)
    made = block(layer, relu(), "spectral")

    for _ in range(50):
        made(torch.randn(2, 20))

    assert list(made) == [layer, made[-1]]
    assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1, rel=0.02)


def test_activations_in_place_keep_first_and_second_derivatives() -> None:
    def penalty(activation: nn.Module) -> list[Tensor]:
        torch.manual_seed(0)
        net = nn.Sequential(
            block(convolution(1, 2), activation),
            nn.Flatten(),
            block(linear(2 * 4 * 4, 3), activation, "none"),
        ).double()
        x = torch.randn(4, 1, 8, 8, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
        slope.square().sum().backward()
        return [p.grad for p in net.parameters() if p.grad is not None]

    found, expected = penalty(leaky_relu(0.1)), penalty(nn.LeakyReLU(0.1))

    assert len(found) == len(expected) > 4
    for ours, plain in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, plain)
