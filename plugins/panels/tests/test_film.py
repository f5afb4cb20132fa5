"""Traversals as films."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, LatentSpace
from gan_toolkit.testing.views import Level, MemoryView, Turn
from gantk_panels.traversal import Traversal
from gantk_panels.traversal_film import TraversalFilm

MakeView = Callable[..., MemoryView]
EDGE = 16 + 2 + 42


def corner(frame: Image.Image) -> list[int]:
    """Return the colour of the last sample of a sheet of 28-pixel images."""
    return np.asarray(frame).astype(int)[-EDGE, -EDGE].tolist()  # type: ignore[no-any-return]


def test_a_number_goes_there_and_back_and_all_else_stands_still(
    view: MakeView, space: LatentSpace
) -> None:
    (picture,) = TraversalFilm(space, view().data, "level", samples=4, frames=8).draw(view())

    red, green, blue = zip(*map(corner, picture.frames), strict=True)

    assert picture.folder == "films/level"
    assert list(green) == [0, 64, 128, 191, 255, 191, 128, 64]
    assert len(set(red)) == len(set(blue)) == 1
    assert len({frame.size for frame in picture.frames}) == 1
    assert np.array_equal(np.asarray(picture.image), np.asarray(picture.frames[0]))


def test_its_samples_are_the_rows_of_a_traversal(view: MakeView, space: LatentSpace) -> None:
    (sheet,) = Traversal(space, "level", rows=4, columns=5).draw(view())
    (picture,) = TraversalFilm(space, view().data, "level", samples=4, frames=8).draw(view())

    assert [corner(picture.frames[4])] == [corner(sheet.image)]


def test_categories_come_in_their_order_and_stay_longer(view: MakeView, space: LatentSpace) -> None:
    made = TraversalFilm(space, view().data, "style", milliseconds=50).draw(view())

    assert [picture.folder for picture in made] == ["films/style.0", "films/style.1"]
    assert [corner(frame)[2] for frame in made[0].frames] == [0, 128, 255]
    assert made[0].milliseconds == 200


def test_a_direction_goes_round() -> None:
    space = LatentSpace({"turn": Turn(), "noise": Level()})
    data = ArrayDataset("flat", "synthetic", torch.zeros(2, 1, 28, 28, dtype=torch.uint8))
    view = MemoryView(space, data, lambda z: z[:, :1, None, None].expand(-1, 1, 28, 28))

    (picture,) = TraversalFilm(space, data, "turn", samples=1, frames=8).draw(view)

    greys = [corner(frame)[0] for frame in picture.frames]
    assert greys == [255, 218, 128, 37, 0, 37, 128, 218]


def test_points_have_no_films(points_view: MemoryView, points_space: LatentSpace) -> None:
    with pytest.raises(ValueError, match="a film shows images; the samples of ring are points"):
        TraversalFilm(points_space, points_view.data, "turn")
