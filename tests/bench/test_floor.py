"""The products of a step, counted by hand, and computed again."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from gan_toolkit.bench.floor import Outline, Recorder, Replay

CPU = torch.device("cpu")


def recorded(act) -> Recorder:
    with Recorder() as recorder:
        act()
    return recorder


def test_a_linear_layer_forward_and_backward():
    layer, rows = nn.Linear(3, 5), torch.randn(2, 3)

    recorder = recorded(lambda: layer(rows).sum().backward())

    # 2 for each multiplication and addition: 2 x 2 rows x 3 in x 5 out, and again for the weights
    assert recorder.flops() == {"addmm": 60, "mm": 60}


def test_a_convolution_forward_and_backward():
    layer, images = nn.Conv2d(1, 2, 3, bias=False), torch.randn(4, 1, 5, 5, requires_grad=True)

    recorder = recorded(lambda: layer(images).sum().backward())

    # 2 x 4 images x 3x3 places x 2 maps x 1 map x 3x3 kernel; backward both for input and weights
    forward = 2 * 4 * 9 * 2 * 9
    assert recorder.flops() == {"convolution": forward, "convolution_backward": 2 * forward}


def test_a_frozen_layer_costs_no_gradient_of_its_weights():
    layer, rows = nn.Linear(3, 5), torch.randn(2, 3, requires_grad=True)

    recorder = recorded(lambda: torch.autograd.grad(layer(rows).sum(), rows))

    assert recorder.flops() == {"addmm": 60, "mm": 60}


def test_what_is_no_product_is_not_counted():
    assert recorded(lambda: torch.relu(torch.ones(3)) + torch.ones(3)).flops() == {}


def test_a_replay_computes_the_same_as_often():
    layer, rows = nn.Linear(3, 5), torch.randn(2, 3)

    def three_times() -> None:
        for _ in range(3):
            layer(rows).sum().backward()

    recorder = recorded(three_times)
    again = recorded(Replay(recorder, CPU))

    assert len(recorder.products) == 2
    assert again.products.keys() == recorder.products.keys()
    assert again.times == recorder.times
    assert set(recorder.times.values()) == {3}


def test_a_replay_keeps_types_and_expanded_gradients():
    layer, rows = nn.Linear(3, 5), torch.randn(2, 3)

    def in_half() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = layer(rows).sum()
        loss.backward()  # the gradient of a sum is one number, expanded

    recorder = recorded(in_half)

    assert {a.dtype for p in recorder.products.values() for a in p.arguments} == {torch.bfloat16}
    assert recorded(Replay(recorder, CPU)).flops() == recorder.flops()


def test_recording_changes_no_result_and_draws_nothing_from_the_global_generator():
    rows = torch.randn(4, 3)
    before = torch.get_rng_state()

    recorder = recorded(lambda: functional.linear(rows, rows))
    Replay(recorder, CPU)()

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_an_outline_is_filled_in_its_layout(dtype):
    outline = Outline((2, 3), (1, 2), dtype, CPU)

    tensor = outline.filled(torch.Generator().manual_seed(0))

    assert (tensor.shape, tensor.stride(), tensor.dtype) == ((2, 3), (1, 2), dtype)
    assert bool(tensor.bool().any()) == dtype.is_floating_point


def test_an_empty_tensor_can_be_filled():
    outline = Outline((0, 3), (3, 1), torch.float32, CPU)

    assert outline.filled(torch.Generator()).shape == (0, 3)
