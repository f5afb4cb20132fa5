from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gantk_worlds.options import Look, StrokesOptions
from gantk_worlds.pen import Ends
from gantk_worlds.strokes import DIGITS, StrokesWorld, _bent, strokes
from gantk_worlds.world import split


def plain(world: StrokesWorld, **moved: float) -> Tensor:
    """Return a straight 1 in the middle, as a table of one row, with some factors moved."""
    usual = {"digit": 1.0, "width": 1.0, "thickness": 1.0, "size": 11.5}
    values = [(usual | moved).get(factor.name, 0.0) for factor in world.factors]
    return torch.tensor([values])


def ink(world: StrokesWorld, **moved: float) -> Tensor:
    """Return its picture (28, 28) in 0 … 1."""
    return world.render(plain(world, **moved))[0, 0].double() / 255


def middle(grey: Tensor) -> float:
    """Return the mean column of the ink, from the middle of the picture."""
    return float((grey.sum(dim=0) * torch.arange(28)).sum() / grey.sum()) - 13.5


@pytest.mark.parametrize(
    ("world", "scored"),
    [
        (StrokesWorld(), ["digit", "rotation", "width", "thickness"]),
        (StrokesWorld(slant=True), ["digit", "rotation", "width", "thickness", "slant"]),
        (StrokesWorld(look="mnist"), ["digit"]),
    ],
    ids=["scored", "slant", "mnist"],
)
def test_what_is_scored(world: StrokesWorld, scored: list[str]) -> None:
    assert [factor.name for factor in world.factors if factor.scored] == scored


def test_a_further_factor_leaves_the_others_as_they_were() -> None:
    upright, leaning = StrokesWorld(), StrokesWorld(slant=True)

    before, after = (
        split(world.draw(torch.arange(50)), world.factors) for world in (upright, leaning)
    )

    assert set(after) - set(before) == {"slant"}
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_rotation_is_against_the_clock() -> None:
    turned = ink(StrokesWorld(), rotation=0.5)

    assert middle(turned[:14]) < -1.5
    assert middle(turned[14:]) > 1.5


def test_slant_leans_to_the_right() -> None:
    slanted = ink(StrokesWorld(slant=True), slant=0.4)

    assert middle(slanted[:14]) > 1
    assert middle(slanted[14:]) < -1


def test_shifts_go_right_and_up() -> None:
    world = StrokesWorld()

    moved = ink(world, x=2.0, y=1.0)

    assert torch.equal(moved[:-1, 2:], ink(world)[1:, :-2])


def test_thickness_is_half_the_width_of_a_stroke() -> None:
    row = ink(StrokesWorld(), thickness=2.0)[14]

    assert row.sum().item() == pytest.approx(4, abs=0.1)


def test_width_stretches_a_digit_and_not_its_strokes() -> None:
    slim, broad = (ink(StrokesWorld(), digit=0.0, width=width) for width in (0.7, 1.4))

    covered = [(grey.amax(dim=0) > 0.5).sum().item() for grey in (slim, broad)]
    # An oval is 0.96 sizes of 11.5 px wide, and half a stroke more on either side.
    assert covered == [pytest.approx(0.96 * 11.5 * w + 2, abs=1.1) for w in (0.7, 1.4)]
    assert slim[14].sum() == pytest.approx(broad[14].sum().item(), rel=0.1)


def test_bends_neither_shift_turn_stretch_nor_slant() -> None:
    places, weights = (torch.from_numpy(row) for row in np.polynomial.legendre.leggauss(8))
    u, v = (grid.reshape(1, 1, -1) for grid in torch.meshgrid(places, places, indexing="ij"))
    weight = torch.outer(weights, weights).flatten()
    flat = Ends(0.5 * u, 0.8 * v)
    names = [f.name for f in StrokesWorld().factors if f.name.startswith("bend")]
    assert len(names) == 10

    for bend in names:
        known = {name: torch.tensor([0.1 * (name == bend)]).double() for name in names}
        bent = _bent(flat, known)
        for change in (bent.x - flat.x, bent.y - flat.y):
            for motion in (torch.ones_like(u), u, v):
                assert abs((change * motion * weight).sum()) < 1e-12
        assert (bent.x - flat.x).abs().max() + (bent.y - flat.y).abs().max() > 0.05


def test_digits_are_white_on_black_and_rarely_cut() -> None:
    world = StrokesWorld()
    pictures = world.render(world.draw(torch.arange(2000)))

    edges = torch.cat(
        [pictures[..., 0], pictures[..., -1], pictures[..., 0, :], pictures[..., -1, :]], dim=-1
    )
    assert (edges.amax(dim=-1) > 128).float().mean() < 0.02
    covered = (pictures > 128).float().mean(dim=(1, 2, 3))
    assert covered.min() > 0.01
    assert covered.max() < 0.45


def test_the_look_of_mnist_has_its_brightness() -> None:
    """MNIST: mean 0.131, standard deviation 0.308."""
    world = StrokesWorld(look="mnist")

    pictures = world.render(world.draw(torch.arange(3000))).double() / 255

    assert pictures.mean().item() == pytest.approx(0.131, abs=0.01)
    assert pictures.std().item() == pytest.approx(0.308, abs=0.015)


def test_with_the_look_of_mnist_the_ink_is_in_the_middle() -> None:
    world = StrokesWorld(look="mnist")
    table = world.draw(torch.arange(500))
    for shift in ("x", "y"):
        table[:, world.column(shift)] = 0

    grey = world.render(table)[:, 0].double()

    weight = grey / grey.sum(dim=(1, 2), keepdim=True)
    places = (torch.arange(28) - 13.5).double()
    for axis in (1, 2):
        offset = weight.sum(dim=axis) @ places
        for digit in range(10):  # strokes that overlap count once: no single one is exact
            assert abs(offset[table[:, 0] == digit].mean()) < 0.6


@pytest.mark.parametrize("look", ["scored", "mnist"])
def test_both_ways_to_write_a_digit_come_up_equally_often(look: Look) -> None:
    world = StrokesWorld(look=look)
    drawn = split(world.draw(torch.arange(20_000)), world.factors)

    shares = torch.bincount((drawn["style"] % 2).long()) / 20_000

    assert (shares - 0.5).abs().max() < 0.02


def test_the_data_set_names_digits(tmp_path: Path) -> None:
    data = strokes(**dict(StrokesOptions(count=20, held_out=10, cache=str(tmp_path))))

    kept = data.held_out()
    assert (data.name, data.source, data.classes) == ("strokes-synthetic", "synthetic", DIGITS)
    assert kept is not None
    assert (len(data), len(kept), kept.classes) == (20, 10, DIGITS)


def test_an_option_without_effect_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gantk")
    given = StrokesOptions(look="mnist", slant=True, count=5, held_out=0, cache=str(tmp_path))

    data = strokes(**dict(given))

    assert "slant has no effect" in caplog.text
    usual = strokes(**dict(given.model_copy(update={"slant": False})))
    assert data.fingerprint() == usual.fingerprint()
    assert len([path for path in (tmp_path / "strokes-synthetic").iterdir() if path.is_dir()]) == 1
