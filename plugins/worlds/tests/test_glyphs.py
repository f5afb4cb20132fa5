from __future__ import annotations

from itertools import pairwise
from math import pi

import numpy as np
import pytest
import torch

from gantk_worlds.glyphs import FIRST, GLYPHS, SEGMENTS, STYLES, segments
from gantk_worlds.pen import Ends, distance, ends, glyph

NUMBERS = range(sum(STYLES))


def test_every_digit_has_its_styles() -> None:
    assert STYLES == (2, 3, 2, 2, 2, 2, 2, 3, 2, 2)
    assert FIRST == (0, 2, 5, 7, 9, 11, 13, 15, 18, 20)


def test_every_glyph_is_48_segments() -> None:
    assert segments().shape == (22, 48, 2, 2)
    assert SEGMENTS == 48


@pytest.mark.parametrize("number", NUMBERS)
def test_a_glyph_is_a_digit_high_and_about_the_middle(number: int) -> None:
    x, y = segments()[number].reshape(-1, 2).T

    assert y.max() == pytest.approx(0.8, abs=0.015)
    assert y.min() == pytest.approx(-0.8, abs=0.015)
    assert -0.55 < x.min() < 0.05
    assert -0.05 < x.max() < 0.55


@pytest.mark.parametrize("number", NUMBERS)
def test_segments_are_short_and_of_about_one_length(number: int) -> None:
    start, end = segments()[number].swapaxes(0, 1)

    lengths = np.hypot(*(end - start).T)
    assert lengths.max() < 0.14
    assert lengths.max() < 2.2 * lengths.min()


@pytest.mark.parametrize("number", NUMBERS)
def test_strokes_are_joined_where_a_piece_begins_at_the_end_of_another(number: int) -> None:
    styles = [glyph for styles in GLYPHS for glyph in styles]
    pieces = styles[number]
    lifts = sum(a.points[-1] != b.points[0] for a, b in pairwise(pieces))

    start, end = segments()[number].swapaxes(0, 1)

    gaps = np.hypot(*(start[1:] - end[:-1]).T) > 1e-9
    assert gaps.sum() == lifts


def test_round_pieces_have_no_corners() -> None:
    ovals = segments()[0]  # a zero is one closed curve

    directions = ovals[:, 1] - ovals[:, 0]
    angles = np.arctan2(directions[:, 1], directions[:, 0])
    turns = np.diff(np.append(angles, angles[0]))
    turns = np.abs(np.arctan2(np.sin(turns), np.cos(turns)))
    assert turns.max() < 0.45
    assert turns.sum() == pytest.approx(2 * pi, rel=0.05)


def test_straight_pieces_are_straight() -> None:
    stem = segments()[4]

    assert np.abs(stem[..., 0]).max() == 0
    np.testing.assert_allclose(stem[:, 0, 1], np.linspace(0.8, -0.8, 49)[:-1])


def test_a_curve_goes_through_its_points() -> None:
    control = np.array(GLYPHS[3][0][0].points)
    path = segments()[FIRST[3]]

    distances = np.linalg.norm(control[:, None] - path.reshape(1, -1, 2), axis=-1)
    assert distances.min(axis=1).max() < 0.05


# --- pen -----------------------------------------------------------------------------------


def test_styles_go_round() -> None:
    digit = torch.tensor([1.0, 1.0, 1.0, 1.0, 9.0, 9.0])
    style = torch.tensor([0.0, 2.0, 3.0, 5.0, 1.0, 4.0])

    assert glyph(digit, style).tolist() == [2, 4, 2, 4, 21, 20]


def line(*points: float) -> Ends:
    """Return one segment from (x, y) to (x, y), in pixels."""
    table = torch.tensor(points, dtype=torch.float64).view(1, 1, 2, 2)
    return Ends(table[..., 0], table[..., 1])


def test_the_distance_is_that_to_the_nearest_point_of_a_segment() -> None:
    found = distance(line(1.5, 2.5, 4.5, 2.5), 8)[0]

    assert found[2, 1:5].tolist() == [0, 0, 0, 0]
    assert found[5, 3].item() == 3  # beside it
    assert found[2, 7].item() == 3  # beyond its end
    assert found[6, 7].item() == 5  # 3 beyond and 4 beside


def test_the_nearest_of_several_segments_counts() -> None:
    left, right = line(0.5, 0.5, 0.5, 7.5), line(7.5, 7.5, 7.5, 0.5)
    both = Ends(torch.cat([left.x, right.x], dim=1), torch.cat([left.y, right.y], dim=1))

    assert distance(both, 8)[0, 4].tolist() == [0, 1, 2, 3, 3, 2, 1, 0]


def test_a_segment_without_length_is_a_point() -> None:
    found = distance(line(2.5, 2.5, 2.5, 2.5), 8)[0]

    assert found[2, 2] == 0
    torch.testing.assert_close(found[5, 6].item(), 5.0)


def test_moves_go_the_way_they_say() -> None:
    top = Ends(*(torch.full((1, 1, 2), value, dtype=torch.float64) for value in (0.0, 0.5)))
    one = torch.ones(1, dtype=torch.float64)

    turned, slanted = top.turned(one * pi / 2), top.slanted(0.4 * one)
    shifted, stretched = top.shifted(0.3 * one), slanted.stretched(2 * one)
    placed = top.placed(14 * one, 15 * one, 10 * one)

    for moved, place in (
        (turned, (-0.5, 0.0)),
        (slanted, (0.2, 0.5)),
        (shifted, (0.3, 0.5)),
        (stretched, (0.4, 0.5)),
        (placed, (14.0, 10.0)),
    ):
        assert moved.x[0, 0, 0].item() == pytest.approx(place[0], abs=1e-12)
        assert moved.y[0, 0, 0].item() == pytest.approx(place[1], abs=1e-12)


def test_the_table_of_glyphs_is_what_is_drawn() -> None:
    drawn = ends(torch.tensor([4, 21]))

    np.testing.assert_array_equal(drawn.x.numpy(), segments()[[4, 21]][..., 0])
    np.testing.assert_array_equal(drawn.y.numpy(), segments()[[4, 21]][..., 1])
