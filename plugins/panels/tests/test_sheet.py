from __future__ import annotations

import numpy as np
import pytest
import torch

from gantk_panels.sheet import BAR, MARGIN, Cells, Heading, sheet, to_pixels

WORDS = "recipe · step 12,000 · data: a data set whose name goes on for a while, synthetic"


def test_pixels_are_rounded_and_clamped_and_nan_is_seen() -> None:
    values = torch.tensor([-2.0, -1.0, 0.0, 1.0, 5.0, float("nan")]).view(6, 1, 1, 1)

    pixels = to_pixels(values)[:, 0, 0]

    assert pixels[:, 0].tolist() == [0, 0, 128, 255, 255, 255]
    assert pixels[5].tolist() == [255, 0, 255]
    assert pixels[0].tolist() == [0, 0, 0]


def test_channels_that_can_not_be_shown_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or 3 channels, not 2"):
        to_pixels(torch.zeros(1, 2, 4, 4))


@pytest.mark.parametrize("side", [16, 28, 32, 64])
def test_a_pixel_becomes_a_square(side: int) -> None:
    """Each cell is at least 56 pixels and enlarged by a whole number: no new levels appear."""
    images = torch.rand(4, 1, side, side) * 2 - 1
    page = np.asarray(sheet(Cells(images, 2), title=""))

    times = -(-64 // side)
    cell = page[-16 - 2 - side * times : -16 - 2, -16 - 2 - side * times : -16 - 2]

    assert side * times >= 56
    assert np.array_equal(cell[::times, ::times], to_pixels(images)[3])
    assert np.array_equal(cell[times - 1 :: times, times - 1 :: times], to_pixels(images)[3])


@pytest.mark.parametrize("columns", [1, 2, 5, 10])
@pytest.mark.parametrize("title", [WORDS, "unbroken" * 30])
def test_titles_are_never_clipped(columns: int, title: str) -> None:
    """Nothing is written in the margins, and a longer title makes a higher sheet."""
    images = torch.zeros(columns, 1, 28, 28)
    page = np.asarray(sheet(Cells(images, columns), title=title, subtitle=title).convert("L"))
    short = sheet(Cells(images, columns), title="x")

    assert (page[:, :12] == 255).all()
    assert (page[:, -12:] == 255).all()
    assert page.shape[0] > short.height


def test_bar_spans_the_trained_columns_only() -> None:
    headings = [Heading(str(i), marked=2 <= i <= 4) for i in range(8)]
    page = np.asarray(sheet(Cells(torch.zeros(8, 1, 64, 64), 8, headings), title="t"))

    columns = np.flatnonzero((page == BAR).all(axis=2).any(axis=0))

    assert columns.min() == pytest.approx(16 + 2 * 66, abs=2)
    assert columns.max() == pytest.approx(16 + 5 * 66, abs=2)


def test_no_bar_when_every_column_was_trained() -> None:
    headings = [Heading(str(i)) for i in range(3)]
    page = np.asarray(sheet(Cells(torch.zeros(3, 1, 64, 64), 3, headings), title="t"))

    assert not (page == BAR).all(axis=2).any()


def test_bars_stand_beside_marked_rows_and_over_each_run_of_columns() -> None:
    """The ends of six columns, and the middle of three rows."""
    ends = [Heading(str(i), marked=i in (0, 5)) for i in range(6)]
    sides = [Heading("long label", marked=i == 1) for i in range(3)]
    page = np.asarray(sheet(Cells(torch.zeros(18, 1, 64, 64), 6, ends, sides), title="t"))

    blue = (page == BAR).all(axis=2)
    bottom, right = page.shape[0] - MARGIN, page.shape[1] - MARGIN
    over = np.flatnonzero(blue[: bottom - 3 * 66 - 2].any(axis=0)) - (right - 6 * 66 - 2)
    beside = np.flatnonzero(blue[bottom - 3 * 66 :].any(axis=1))

    assert sorted({int(place) // 66 for place in over}) == [0, 5]
    assert len(over) == pytest.approx(2 * 64, abs=4)
    assert (beside.min(), beside.max()) == (pytest.approx(66, abs=2), pytest.approx(132, abs=3))


def test_grids_stand_side_by_side_under_their_names() -> None:
    left, right = torch.full((4, 1, 64, 64), -1.0), torch.full((6, 1, 64, 64), 1.0)

    page = np.asarray(sheet(Cells(left, 2, name="left"), Cells(right, 2), title=WORDS))

    middle = page[-MARGIN - 2 - 32]
    assert page.shape[1] == 2 * MARGIN + 2 * 134 + 24
    assert middle[MARGIN + 2 : MARGIN + 66].max() == 0
    assert middle[MARGIN + 134 : MARGIN + 134 + 24].min() == 255
    third = page[-MARGIN - 2 - 3 * 66 + 32]  # only the grid to the right has this row
    assert third[MARGIN : MARGIN + 134].min() == 255
