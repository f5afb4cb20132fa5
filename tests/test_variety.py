"""A look at the samples: spread, twins and coverage of generators for which they are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan_toolkit.alarms import COVERAGE, SPREAD, TWINS
from gan_toolkit.batches import ArrayDataset
from gan_toolkit.latents import LatentSpace
from gan_toolkit.testing.parts import Noise
from gan_toolkit.testing.views import Choice, MemoryView
from gan_toolkit.variety import COUNT, Variety


def view_of(generate, latents=None, real: Tensor | None = None) -> MemoryView:
    rng = torch.Generator().manual_seed(1)
    points = torch.randn(500, 2, generator=rng) if real is None else real
    data = ArrayDataset("points", "synthetic", points)
    space = LatentSpace({"noise": latents or Noise(2)})
    return MemoryView(space, data, generate=generate)


def look(view: MemoryView) -> dict[str, float]:
    return dict(Variety(view).look(view))


def test_a_generator_that_makes_the_data_has_its_spread_and_covers_it():
    found = look(view_of(lambda latent: latent))

    assert found[SPREAD] == pytest.approx(1.0, abs=0.2)
    assert found[TWINS] < 0.2
    assert found[COVERAGE] > 0.7


def test_a_constant_generator_has_no_spread_only_twins_and_covers_nothing():
    found = look(view_of(lambda latent: torch.full((len(latent), 2), 5.0)))

    assert found == {SPREAD: 0.0, TWINS: 1.0, COVERAGE: 0.0}


def test_two_clusters_far_apart_have_spread_and_twins():
    found = look(view_of(lambda latent: latent.sign() * 3))

    assert found[SPREAD] > 1
    assert found[TWINS] == 1.0


def test_the_spread_is_the_ratio_of_mean_distances():
    real = torch.tensor([[0.0, 0.0], [3.0, 4.0]])

    found = look(view_of(lambda latent: latent * 0 + torch.arange(len(latent))[:, None], real=real))

    # |i - j| sqrt 2, of which the mean over pairs of 64 is 65 / 3
    assert found[SPREAD] == pytest.approx(math.sqrt(2) * (COUNT + 1) / 3 / 5, rel=1e-5)


def test_equal_latents_make_no_twins():
    def corners(latent: Tensor) -> Tensor:
        return latent @ torch.tensor([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]])

    assert look(view_of(corners, Choice(4)))[TWINS] == 0.0
    assert TWINS not in look(view_of(lambda latent: latent.repeat(1, 2), Choice(1)))


def test_what_can_not_be_said_is_left_out():
    same = torch.zeros(100, 2)

    assert look(view_of(lambda latent: latent / 0)) == {}
    assert set(look(view_of(lambda latent: latent, real=same))) == {COVERAGE}
    assert set(look(view_of(lambda latent: latent, real=same[:1]))) == {COVERAGE}


def test_the_same_samples_are_looked_at_each_time():
    asked = []
    view = view_of(lambda latent: asked.append(latent) or latent)
    variety = Variety(view)

    variety.look(view)
    variety.look(view)

    assert torch.equal(*asked)
    assert len(asked[0]) == COUNT
