from __future__ import annotations

import numpy as np
import pytest
import torch

from gantk_panels.sheet import BAR, Heading, sheet, to_pixels

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
    page = np.asarray(sheet(images, 2, title=""))

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
    page = np.asarray(sheet(images, columns, title=title, subtitle=title).convert("L"))
    short = sheet(images, columns, title="x")

    assert (page[:, :12] == 255).all()
    assert (page[:, -12:] == 255).all()
    assert page.shape[0] > short.height


def test_bar_spans_the_trained_columns_only() -> None:
    headings = [Heading(str(i), trained=2 <= i <= 4) for i in range(8)]
    page = np.asarray(sheet(torch.zeros(8, 1, 64, 64), 8, title="t", headings=headings))

    columns = np.flatnonzero((page == BAR).all(axis=2).any(axis=0))

    assert columns.min() == pytest.approx(16 + 2 * 66, abs=2)
    assert columns.max() == pytest.approx(16 + 5 * 66, abs=2)


def test_no_bar_when_every_column_was_trained() -> None:
    headings = [Heading(str(i)) for i in range(3)]
    page = np.asarray(sheet(torch.zeros(3, 1, 64, 64), 3, title="t", headings=headings))

    assert not (page == BAR).all(axis=2).any()
