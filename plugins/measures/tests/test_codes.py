"""What went into a generator, as the measures take it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gan_toolkit import ArrayDataset, Latent, LatentSpace
from gan_toolkit.testing.views import Choice, Level, Turn
from gantk_measures.codes import factor_place, put_in


class Point(Latent):
    """Two numbers, as wide as a direction."""

    width = 2

    def sample(self, count: int, rng: torch.Generator | None) -> torch.Tensor:
        return torch.rand(count, 2, generator=rng)


SPACE = LatentSpace({"turn": Turn(), "shape": Choice(3), "level": Level(), "point": Point()})


def test_a_category_is_its_index_a_number_itself_a_direction_its_angle() -> None:
    latent = torch.zeros(1, SPACE.width)
    given = {"turn": math.radians(-100), "shape": 2, "level": 0.25}

    found = put_in(SPACE, [*given], SPACE.assign(latent, given))

    assert [(each.name, each.kind) for each in found] == [
        ("turn", "circular"),
        ("shape", "discrete"),
        ("level", "continuous"),
    ]
    np.testing.assert_allclose([each.values[0] for each in found], [*given.values()], atol=1e-6)


def test_two_numbers_are_no_direction() -> None:
    latent = SPACE.sample(5, torch.Generator().manual_seed(0))

    found = put_in(SPACE, ["point"], latent)

    assert [(each.name, each.kind) for each in found] == [
        ("point[0]", "continuous"),
        ("point[1]", "continuous"),
    ]
    np.testing.assert_allclose(found[1].values, latent[:, SPACE.columns("point")][:, 1])


def test_where_there_are_no_factors_none_is_known() -> None:
    with pytest.raises(ValueError, match=r"'plain' has no factor 'mode'; known: none$"):
        factor_place(ArrayDataset("plain", "synthetic", torch.zeros(2, 1)), "mode")
