from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gan_toolkit import Score
from gantk_measures.guard import Guard, Layout, broken, texture

RNG = torch.Generator().manual_seed(11)


def blind(samples: Tensor) -> Tensor:
    """Features that see nothing: what a probe may be to images it was never asked about."""
    return samples.flatten(1)[:, :1] * 0


@pytest.fixture(scope="module")
def guard(world: Any) -> Guard:
    return Guard(images(world, held_out=False), images(world), blind)


def images(world: Any, *, held_out: bool = True) -> Tensor:
    data = world.data.held_out() if held_out else world.data
    return data.batch(torch.arange(len(data))).samples / 127.5 - 1


def score(guard: Guard, samples: Tensor) -> Score:
    return guard.score(samples, np.random.default_rng(0))


def checkerboard(period: int) -> Tensor:
    place = torch.arange(16) // period
    return ((place[:, None] + place) % 2 * 2 - 1).float()


def noise(real: Tensor, sigma: float) -> Tensor:
    return (real + sigma * torch.randn(real.shape, generator=RNG)).clamp(-1, 1)


UNLIKE: dict[str, Callable[[Tensor], Tensor]] = {
    "noise of 0.1": lambda real: noise(real, 0.1),
    "noise of 0.2": lambda real: noise(real, 0.2),
    "noise of 0.3": lambda real: noise(real, 0.3),
    "uniform noise": lambda real: torch.rand(real.shape, generator=RNG) * 2 - 1,
    "checkerboards": lambda real: real.mean(dim=(1, 2, 3), keepdim=True) * checkerboard(1),
    "wide checkerboards": lambda real: real.mean(dim=(1, 2, 3), keepdim=True) * checkerboard(4),
    "checkerboards over real": lambda real: (real + 0.2 * checkerboard(1)).clamp(-1, 1),
    "constant": lambda real: real.mean(dim=(1, 2, 3), keepdim=True).expand_as(real),
    "black": lambda real: -torch.ones_like(real),
    "average": lambda real: real.mean(dim=0, keepdim=True).expand_as(real),
    "averages of eight": lambda real: real.view(-1, 8, 1, 16, 16).mean(dim=1),
    "blurred": lambda real: functional.avg_pool2d(real, 5, stride=1, padding=2),
    "inverted": lambda real: -real,
    "not a number": lambda real: real * float("nan"),
}


def test_unseen_real_samples_pass(guard: Guard, world: Any) -> None:
    found = score(guard, images(world))

    assert found.value > 0.6
    assert found.value == found.reference
    assert found.ceiling == 1
    assert not found.void


def test_a_grey_level_or_two_does_not_matter(guard: Guard, world: Any) -> None:
    assert not score(guard, noise(images(world), 0.01)).void


@pytest.mark.parametrize("kind", UNLIKE)
def test_what_is_unlike_the_data_is_void_whatever_the_features_say(
    guard: Guard, world: Any, kind: str
) -> None:
    found = score(guard, UNLIKE[kind](images(world)))

    assert found.void.startswith("the samples are not data-like")
    assert found.value < 0.05


def test_a_sample_in_ten_is_enough(guard: Guard, world: Any) -> None:
    """The threshold is on the share: a fifth of good samples passes, a twentieth does not."""
    real = images(world)
    bad = -torch.ones_like(real)

    assert not score(guard, torch.cat([real[:200], bad[:800]])).void
    assert score(guard, torch.cat([real[:50], bad[:950]])).void


def test_layout_sees_what_its_components_miss() -> None:
    real = torch.rand(50, 1, 16, 16, generator=RNG)
    real[..., 8:] = 0
    layout = Layout(real)
    strange = real.clone()
    strange[..., 12:] = 1

    assert (layout(strange)[:, -1] > layout(real)[:, -1] + 5).all()


def test_texture_knows_the_scale_of_a_checkerboard() -> None:
    """Period 1 shows in the finest diagonal band, period 2 in the next, neither elsewhere."""
    bands = [texture(checkerboard(period)[None, None])[0].view(6, 6)[:, 2] for period in (1, 2)]

    assert bands[0].argmax() == 1
    assert bands[1].argmax() == 3


def test_samples_that_are_not_finite_are_counted() -> None:
    samples = torch.zeros(4, 1, 2, 2)
    samples[1, 0, 0, 1] = float("nan")
    samples[3] = float("inf")

    assert broken(samples) == 2
    assert broken(samples[:1]) == 0
