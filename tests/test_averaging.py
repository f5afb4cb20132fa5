from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gan_toolkit.averaging import ExponentialAverage


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def disturb(module: nn.Module, step: int) -> None:
    """Change every tensor of `module` in a way that follows from `step`."""
    rng = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for value in [*module.parameters(), *module.buffers()]:
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=rng))
            else:
                value.add_(1)


def test_update_by_hand() -> None:
    generator = nn.Linear(1, 1, bias=False)
    nn.init.constant_(generator.weight, 1.0)
    average = ExponentialAverage(0.9, warmup=False)
    average.attach(generator)

    nn.init.constant_(generator.weight, 2.0)
    average.update(0)
    average.update(1)

    assert next(average.module.parameters()).item() == pytest.approx(0.81 * 1 + 0.19 * 2)


def test_it_starts_as_a_copy_that_no_step_can_move() -> None:
    generator = network()
    average = ExponentialAverage()
    average.attach(generator)

    disturb(generator, 0)

    pairs = zip(average.module.parameters(), generator.parameters(), strict=True)
    assert all(not torch.equal(mean, now) for mean, now in pairs)
    assert not any(parameter.requires_grad for parameter in average.module.parameters())
    assert not average.module.training
    assert generator.training
    assert all(parameter.requires_grad for parameter in generator.parameters())


def test_float_buffers_are_averaged_and_counters_copied() -> None:
    generator = network()
    average = ExponentialAverage(0.5, warmup=False)
    average.attach(generator)

    disturb(generator, 0)
    average.update(0)

    shown = average.module
    running = generator.get_buffer("1.running_mean")
    torch.testing.assert_close(shown.get_buffer("1.running_mean"), running / 2)
    assert shown.get_buffer("1.num_batches_tracked").item() == 1


def test_warm_up_by_hand() -> None:
    average = ExponentialAverage(0.999)

    assert average.decay_at(0) == pytest.approx(0.1)
    assert average.decay_at(8) == pytest.approx(0.5)
    assert average.decay_at(8990) == pytest.approx(8991 / 9000)
    assert average.decay_at(8991) == pytest.approx(0.999)
    assert average.decay_at(10**6) == 0.999
    assert ExponentialAverage(0.999, warmup=False).decay_at(0) == 0.999


def test_stopped_and_resumed_equals_uninterrupted() -> None:
    """All that must survive are the tensors of the module and the number of the step."""
    generator, twin = network(), network()
    twin.load_state_dict(generator.state_dict())
    whole, first, second = ExponentialAverage(), ExponentialAverage(), ExponentialAverage()
    whole.attach(generator)
    first.attach(twin)

    for step in range(10):
        disturb(generator, step)
        whole.update(step)
    for step in range(4):
        disturb(twin, step)
        first.update(step)
    second.attach(twin)
    second.module.load_state_dict(first.module.state_dict())
    for step in range(4, 10):
        disturb(twin, step)
        second.update(step)

    before, after = whole.module.state_dict(), second.module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@settings(deadline=None)
@given(st.integers(0, 10**7), st.floats(0, 0.9999))
def test_decay_never_exceeds_what_was_asked_for(step: int, decay: float) -> None:
    assert 0 <= ExponentialAverage(decay).decay_at(step) <= decay


def test_the_average_of_something_constant_is_that() -> None:
    generator = network()
    average = ExponentialAverage()
    average.attach(generator)

    for step in range(5):
        average.update(step)

    expected = generator.state_dict()
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(value, expected[name])


def test_nothing_attached_and_impossible_decay_are_refused() -> None:
    with pytest.raises(RuntimeError, match="no generator is attached"):
        _ = ExponentialAverage().module
    with pytest.raises(ValueError, match="up to, but not, 1"):
        ExponentialAverage(1.0)
