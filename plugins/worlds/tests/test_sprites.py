from __future__ import annotations

from math import tau
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gantk_worlds import sprites as module
from gantk_worlds.options import SpritesOptions
from gantk_worlds.sprites import ALL, GRID, ORIENTATIONS, SCALES, SHAPES, SpritesWorld, sprites

SQUARE, ELLIPSE, HEART = 0, 1, 2
WORLD = SpritesWorld()


def table(*rows: tuple[int, int, int, int, int]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def masks(world: SpritesWorld, *rows: tuple[int, int, int, int, int]) -> Tensor:
    return world.render(table(*rows))[:, 0] > 127


def test_the_grid_is_that_of_dsprites() -> None:
    assert [factor.name for factor in WORLD.factors] == ["shape", "scale", "orientation", "x", "y"]
    assert GRID == (3, 6, 40, 32, 32)
    assert ALL == 737_280
    np.testing.assert_allclose(SCALES, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert ORIENTATIONS[0] == 0
    assert ORIENTATIONS[1] == pytest.approx(0.16110732)
    assert ORIENTATIONS[-1] == pytest.approx(tau)


def test_the_grid_goes_through_all_combinations_with_the_last_factor_fastest() -> None:
    indices = torch.tensor([0, 1, 32, 1024, 40_960, 245_760, 123_456, ALL - 1])

    drawn = SpritesWorld(grid=True).draw(indices)

    expected = np.stack(np.unravel_index(indices.numpy(), GRID), axis=1)
    np.testing.assert_array_equal(drawn.numpy(), expected)


@pytest.mark.parametrize("size", [32, 64, 96])
def test_no_sprite_is_cut_off(size: int) -> None:
    corners = [(0, 0), (0, 31), (31, 0), (31, 31)]
    rows = [(s, 5, turn, x, y) for s in range(3) for turn in range(40) for x, y in corners]

    pictures = masks(SpritesWorld(size), *rows)

    for edge in (pictures[..., 0], pictures[..., -1], pictures[:, 0], pictures[:, -1]):
        assert not edge.any()


@pytest.mark.parametrize("shape", [SQUARE, ELLIPSE, HEART])
def test_a_step_is_a_pixel_to_the_right_and_down(shape: int) -> None:
    here, right, down = masks(
        WORLD, (shape, 2, 5, 10, 20), (shape, 2, 5, 11, 20), (shape, 2, 5, 10, 21)
    )

    assert torch.equal(right[:, 1:], here[:, :-1])
    assert torch.equal(down[1:], here[:-1])


def test_places_are_even_about_the_middle() -> None:
    first, last = masks(WORLD, (SQUARE, 5, 0, 0, 0), (SQUARE, 5, 0, 31, 31))

    assert torch.equal(first, last.flip(0, 1))


def test_area_grows_with_the_square_of_scale() -> None:
    soft = SpritesWorld(soft=True)
    for shape in range(3):
        small, large = soft.render(table((shape, 0, 7, 15, 15), (shape, 5, 7, 15, 15))).double()

        assert (large.sum() / small.sum()).item() == pytest.approx(4, rel=0.03)


def test_shapes_are_what_they_are_called() -> None:
    assert SHAPES == ("square", "ellipse", "heart")
    square, ellipse, heart = masks(WORLD, *((shape, 5, 0, 15, 15) for shape in range(3)))

    rows, columns = (square.any(dim=axis).sum() for axis in (1, 0))
    assert rows == columns
    assert square.sum() == rows * columns
    assert ellipse.any(dim=0).sum() > 1.8 * ellipse.any(dim=1).sum()
    filled = heart.any(dim=1).nonzero()
    top, bottom = heart[int(filled[0])], heart[int(filled[-1])]
    assert top.sum() > 2 * bottom.sum()  # two bows above, a tip below
    assert torch.equal(heart[:, :63], heart[:, :63].flip(1))  # centred on column 31


def test_sprites_turn_against_the_clock() -> None:
    ellipse = masks(WORLD, (ELLIPSE, 5, 5, 15, 15))[0]  # 46 degrees, about pixel (31, 31)

    assert ellipse[:31, 32:].sum() > 2 * ellipse[:31, :31].sum()


def test_the_first_and_the_last_orientation_look_the_same() -> None:
    for shape in range(3):
        first, last = masks(WORLD, (shape, 5, 0, 7, 9), (shape, 5, 39, 7, 9))

        assert torch.equal(first, last)


def test_all_other_orientations_of_the_heart_look_different() -> None:
    pictures = masks(WORLD, *((HEART, 0, turn, 15, 15) for turn in range(39)))

    assert len(pictures.flatten(1).unique(dim=0)) == 39


def test_pictures_are_black_and_white_unless_soft() -> None:
    drawn = WORLD.draw(torch.arange(50))

    assert WORLD.render(drawn).unique().tolist() == [0, 255]
    soft = SpritesWorld(soft=True).render(drawn)
    assert len(soft.unique()) > 10
    assert (soft.int() - WORLD.render(drawn)).abs().float().mean() < 2


def test_all_sprites_come_in_order_and_nothing_is_left_to_hold_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALL", 70)
    options = SpritesOptions(count="all", size=16, cache=str(tmp_path))

    data = sprites(**dict(options))

    factors = data.batch(torch.arange(70)).factors
    assert factors is not None
    assert factors[:, 3:].tolist() == [[i // 32, i % 32] for i in range(70)]
    assert data.held_out() is None


def test_random_sprites_have_held_out_ones(tmp_path: Path) -> None:
    data = sprites(**dict(SpritesOptions(count=20, held_out=10, cache=str(tmp_path))))

    kept = data.held_out()
    assert kept is not None
    assert (len(data), len(kept)) == (20, 10)
    assert (data.name, data.classes) == ("sprites-synthetic", SHAPES)
