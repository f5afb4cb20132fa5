from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import Dataset
from gantk_worlds.glyphs import STYLES
from gantk_worlds.house_numbers import (
    CONTEXTS,
    SIZE,
    HouseNumbersWorld,
    _colours,
    house_numbers,
)
from gantk_worlds.options import HouseNumbersOptions
from gantk_worlds.world import split

WORLD = HouseNumbersWorld()


def moved(table: Tensor, **factors: float) -> Tensor:
    table = table.clone()
    for name, value in factors.items():
        table[:, WORLD.column(name)] = value
    return table


def rows(count: int) -> Tensor:
    return WORLD.draw(torch.arange(count))


def columns_that_differ(one: Tensor, other: Tensor) -> Tensor:
    """Return which columns of which pictures differ, (N, 32)."""
    return (one != other).any(dim=1).any(dim=1)


def test_digit_context_and_light_are_scored() -> None:
    assert [f.name for f in WORLD.factors if f.scored] == ["digit", "context", "light"]
    assert WORLD.factors[1].values == CONTEXTS == ("none", "left", "right", "both")


def test_neighbours_stand_on_the_side_that_is_named() -> None:
    table = rows(50)
    none, left, right, both = (WORLD.render(moved(table, context=which)) for which in range(4))

    assert not columns_that_differ(none, left)[:, 18:].any()
    assert not columns_that_differ(none, right)[:, :14].any()
    assert torch.equal(columns_that_differ(right, both), columns_that_differ(none, left))


def test_every_neighbour_is_seen_beside_every_digit() -> None:
    """Even the slimmest glyph beside the broadest digit, with all proportions at either end."""
    glyphs = [(d, s) for d, styles in enumerate(STYLES) for s in range(styles)]
    ends = {name: (f.low, f.high) for f in WORLD.factors for name in [f.name]}
    wide = {name: ends[name][1] for name in ("width", "size", "gap", "softness")}
    thin = {"thickness": ends["thickness"][0], "contrast": 0.5, "x": 1.4, "y": 0.0}
    plain = moved(rows(1), **wide, **thin, rotation=0, slant=0, light=0, level=0.3)
    table = plain.repeat(len(glyphs) ** 2, 1)
    for row, (middle, beside) in enumerate(product(glyphs, glyphs)):
        for name, (digit, style) in (("", middle), ("right_", beside)):
            table[row, WORLD.column(f"{name}digit")] = digit
            table[row, WORLD.column(f"{name}style")] = style

    alone, beside_it = (WORLD.render(moved(table, context=which)).int() for which in (0, 2))

    seen = ((beside_it - alone).abs().amax(dim=1) > 25).flatten(1).sum(dim=1)
    assert seen.min() >= 4


def test_a_neighbour_that_is_not_there_does_not_matter() -> None:
    table = moved(rows(20), context=0)

    others = moved(table, left_digit=3, right_digit=7, left_style=1, right_style=2, gap=0.3)

    assert torch.equal(WORLD.render(others), WORLD.render(table))


def test_light_above_zero_comes_from_the_right() -> None:
    table = moved(rows(30), context=0, level=0.4)

    for light, brighter in ((0.4, slice(16, 32)), (-0.4, slice(0, 16))):
        pictures = WORLD.render(moved(table, light=light)).double()
        halves = pictures.mean(dim=(1, 2)) / pictures.mean(dim=(1, 2, 3))[:, None]
        assert (halves[:, brighter].mean(dim=1) > 1.05).all()


def test_ink_always_stands_out_from_the_wall() -> None:
    known = split(rows(5000), WORLD.factors)

    wall, ink = _colours(known)

    difference = (ink.mean(dim=1) - wall.mean(dim=1)).flatten()
    assert difference.abs().min() > 0.21
    assert ((difference > 0) == (known["level"] < 0.5)).all()


def test_noise_depends_on_its_number_alone() -> None:
    table = moved(rows(1), light=0, level=0.5, wall_tint=0, context=0)
    picture, again, other = (
        WORLD.render(moved(table, grain=number)).double()[0] for number in (5.0, 5.0, 6.0)
    )

    assert torch.equal(picture, again)
    wall = (picture - other)[:, :4] / 255  # two independent numbers in each pixel
    assert wall.std().item() == pytest.approx(0.012 * 2**0.5, rel=0.2)


def nobody(use: str, **options: Any) -> Dataset:
    raise AssertionError("no file is looked for")


def test_the_data_set_names_digits(tmp_path: Path) -> None:
    options = HouseNumbersOptions(source="synthetic", count=10, held_out=5, cache=str(tmp_path))

    data = house_numbers(**dict(options), sibling=nobody)

    assert (data.name, data.source) == ("house-numbers-synthetic", "synthetic")
    assert data.sample_shape == (3, SIZE, SIZE)
    assert data.classes == tuple("0123456789")
