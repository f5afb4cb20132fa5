from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_fill_holes
from torch import Tensor

from gan_toolkit import Registry
from gantk_worlds import gantk_register
from gantk_worlds.faces import FaceWorld
from gantk_worlds.options import FacesOptions


def sweep(world: FaceWorld, name: str, *values: float) -> Tensor:
    """Render one sample with some values of one factor, seen and lit from the front."""
    table = world.draw(torch.full((len(values),), 3))
    for other, usual in (("azimuth", 0.0), ("elevation", 0.0), ("light_azimuth", 0.0)):
        table[:, world.column(other)] = usual
    table[:, world.column(name)] = torch.tensor(values)
    return world.render(table)[:, 0].float()


def covered(size: int, table: Tensor) -> Tensor:
    """Return which pixels (N, size, size) show no ground at all."""
    on_black, on_white = (FaceWorld(size, ground=g).render(table)[:, 0] for g in (0.0, 1.0))
    return on_black == on_white


def extremes(world: FaceWorld) -> Tensor:
    table = world.draw(torch.arange(64))
    for bit, name in enumerate(("azimuth", "elevation", "width")):
        factor = world.factors[world.column(name)]
        high = (torch.arange(64) >> bit) % 2 == 1
        table[:, world.column(name)] = torch.where(high, factor.high, factor.low)
    return table


def test_the_scored_factors_are_pose_light_and_width() -> None:
    scored = [factor.name for factor in FaceWorld().factors if factor.scored]

    assert scored == ["azimuth", "elevation", "light_azimuth", "width"]


def test_light_from_the_right_of_the_picture_makes_that_side_bright() -> None:
    left, right = sweep(FaceWorld(32), "light_azimuth", -1.2, 1.2)

    assert right[:, 20:].mean() > 1.5 * left[:, 20:].mean()
    assert left[:, :12].mean() > 1.5 * right[:, :12].mean()


def test_a_head_turned_to_a_positive_azimuth_looks_to_the_right_of_the_picture() -> None:
    ahead, turned = sweep(FaceWorld(64), "azimuth", 0.0, 1.2)

    def middle_of_eyes(picture: Tensor) -> float:
        # Pupils and irises are the darkest there is on a face lit from the front.
        dark = (picture[20:40, 10:54] < 40) & (picture[20:40, 10:54] > 0)
        return float(dark.nonzero()[:, 1].float().mean())

    assert middle_of_eyes(turned) > middle_of_eyes(ahead) + 5


def test_a_wide_head_covers_more_columns() -> None:
    world = FaceWorld(64)
    narrow, wide = ((picture > 0).any(dim=0).sum() for picture in sweep(world, "width", 0.75, 1.25))

    assert 1.4 < wide / narrow < 1.8


def test_heads_are_whole_and_stand_on_the_lower_border() -> None:
    """So nobody sees where the bust is cut."""
    inside = covered(32, extremes(FaceWorld(32)))

    assert inside[:, -1].any(dim=1).all()
    assert not inside[:, 0].any()
    assert not inside[:, :16, [0, -1]].any()
    assert inside.float().mean(dim=(1, 2)).min() > 0.2
    assert inside.float().mean(dim=(1, 2)).max() < 0.7


def test_there_is_no_hole_in_a_head() -> None:
    """What no view shows was left out of the mesh, and what looks away is not drawn."""
    inside = covered(96, extremes(FaceWorld(96))[::2]).numpy()

    for head in inside:
        assert np.array_equal(binary_fill_holes(head), head)


@pytest.mark.parametrize(("ground", "grey"), [(0.0, 0), (0.5, 128), (1.0, 255)])
def test_the_ground_has_the_grey_that_was_asked_for(ground: float, grey: int) -> None:
    world = FaceWorld(16, ground=ground)

    pictures = world.render(world.draw(torch.arange(4)))

    assert (pictures[:, 0, 0] == grey).all()


def test_the_component_gives_a_prepared_data_set(tmp_path: Path) -> None:
    registry = Registry()
    gantk_register(registry)
    options = FacesOptions(source="synthetic", size=16, count=4, held_out=2, cache=str(tmp_path))

    data = registry.get("dataset", "faces").load()(**dict(options), sibling=pytest.fail)

    kept = data.held_out()
    assert (data.name, data.source) == ("faces-synthetic", "synthetic")
    assert (len(data), data.sample_shape) == (4, (1, 16, 16))
    assert kept is not None
    assert len(kept) == 2
    assert data.factors == FaceWorld(16).factors
