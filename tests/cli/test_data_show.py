"""`gantk data show`: samples on a sheet."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gan_toolkit.cli import pictures

Gantk = Callable[..., Any]
CELL = pictures.SMALLEST_CELL + pictures.GAP
_numbers = itertools.count()

PLUGIN = """
import torch
from gan_toolkit import ArrayDataset, Factor, hookimpl

FACTORS = (
    Factor("tone", "continuous", low=0, high=90, unit="grey"),
    Factor("kind", "discrete", ("low", "middle", "high")),
    Factor("turn", "circular", low=0, high=6.4),
)


def values(count):
    index = torch.arange(count)
    return torch.stack([index * 90.0 / count, index % 3, index * 6.4 / count], dim=1)


def render(factors):
    grey = factors[:, 0] + 50 * factors[:, 1] + factors[:, 2]
    return grey.round().to(torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8).clone()


def greys(name, drawn):
    factors = values(100)
    return ArrayDataset(
        name, "synthetic", render(factors), factors[:, 1].long(), factors,
        classes=("low", "middle", "a name far too long for its picture"),
        descriptions=FACTORS, render=render if drawn else None,
    )


def drawn():
    return greys("drawn", True)


def fixed():
    return greys("fixed", False)


def plain():
    return ArrayDataset("plain", "real", torch.zeros(5, 3, 80, 80, dtype=torch.uint8))


def points():
    factors = values(500)
    return ArrayDataset(
        "points", "synthetic", torch.randn(500, 2, generator=torch.Generator().manual_seed(0)),
        factors=factors, descriptions=FACTORS,
    )


def layers():
    return ArrayDataset("layers", "real", torch.zeros(5, 4, 8, 8, dtype=torch.uint8))


@hookimpl
def gantk_register(registry):
    for name in ("drawn", "fixed", "plain", "points", "layers"):
        registry.add("dataset", name, build=f"{__name__}:{name}")
"""


@pytest.fixture
def show(gantk: Gantk, tmp_path: Path) -> Iterator[Gantk]:
    path = tmp_path / f"show_plugin_{next(_numbers)}.py"
    path.write_text(PLUGIN)

    def call(*arguments: str) -> Any:
        sys.modules.pop(path.stem, None)
        return gantk("data", "show", *arguments, "-P", path)

    yield call
    sys.modules.pop(path.stem, None)


def opened(name: str) -> Image.Image:
    with Image.open(name) as picture:
        picture.load()
    return picture


def test_a_sheet_bears_name_source_and_count(show: Gantk) -> None:
    result = show("fixed", "--count", "9", "-o", "sheet.png")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "sheet.png\n"
    assert "fixed (synthetic) · 9 of 100 samples, seed 0" in result.stderr
    picture = opened("sheet.png")
    height = 3 * (CELL + pictures.CAPTION) + pictures.GAP
    assert picture.height == height + pictures.MARGIN + 24 + pictures.MARGIN
    assert picture.width > 3 * CELL + 2 * pictures.MARGIN  # the title is wider than the pictures


def test_the_choice_depends_on_the_seed_alone(show: Gantk) -> None:
    for name, seed in (("a.npy", "1"), ("b.npy", "1"), ("c.npy", "2")):
        assert show("drawn", "-n", "20", "--seed", seed, "-o", name).exit_code == 0

    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    assert a.shape == (20, 1, 8, 8)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_no_more_than_there_are(show: Gantk) -> None:
    result = show("plain")

    assert "5 of 5 samples" in result.stderr
    assert opened("plain.png").height == 2 * 82 + 2 + 2 * pictures.MARGIN + 24
    assert opened("plain.png").mode == "RGB"


def test_a_factor_varies_along_each_row_and_all_else_is_held(show: Gantk) -> None:
    show("drawn", "--factor", "kind", "--count", "12", "-o", "kind.npy")

    greys = (np.load("kind.npy")[..., 0, 0, 0] + 1) * 127.5
    assert greys.shape == (4, 3)
    assert np.allclose(np.diff(greys, axis=1), 50)
    assert len(set(greys[:, 0].round(3))) == 4


def test_a_factor_of_numbers_goes_from_end_to_end_and_a_circle_not_quite(show: Gantk) -> None:
    show("drawn", "--factor", "tone", "-o", "tone.npy")
    show("drawn", "--factor", "turn", "-o", "turn.npy")

    tone, turn = (np.load(name)[0, :, 0, 0, 0] * 127.5 for name in ("tone.npy", "turn.npy"))
    assert len(tone) == len(turn) == 10
    assert round(tone[-1] - tone[0]) == 90
    assert round(turn[-1] - turn[0]) == 6  # 5.76; a whole turn would be 6.4 and the first again


def test_the_sheet_of_a_factor_is_drawn(show: Gantk) -> None:
    result = show("drawn", "--factor", "kind", "-n", "6", "-o", "kind.png")

    assert "drawn (synthetic) · kind · 2 of 100 samples" in result.stderr
    assert opened("kind.png").height == 2 * CELL + pictures.GAP + 2 * pictures.MARGIN + 48


def test_a_fixed_set_is_shown_in_the_order_of_the_factor(show: Gantk) -> None:
    show("fixed", "--factor", "tone", "-n", "10", "-o", "order.npy")
    result = show("fixed", "--factor", "kind", "-n", "10", "-o", "order.png")

    greys = np.load("order.npy")[:, 0, 0, 0]
    kinds = np.round((greys + 1) * 127.5) % 1
    assert result.exit_code == 0
    assert len(greys) == 10
    assert not kinds.any()


@pytest.mark.parametrize("factor", [(), ("--factor", "kind"), ("--factor", "tone")])
def test_points_are_a_scatter_plot(show: Gantk, factor: tuple[str, ...]) -> None:
    result = show("points", *factor, "-o", "points.png")

    assert result.exit_code == 0, result.stderr
    assert "500 of 500 samples" in result.stderr
    assert opened("points.png").size == (600, 600)


def test_a_caption_is_cut_to_the_width_of_its_picture() -> None:
    import torch

    row = torch.ones(2, 1, 64, 64)

    short = np.asarray(pictures.contact_sheet(row, "", ["", ""]))
    long = np.asarray(pictures.contact_sheet(row, "", ["a name far too long for it", ""]))

    changed = (short != long).any(axis=0).nonzero()[0]
    assert changed.min() >= pictures.MARGIN
    assert changed.max() < pictures.MARGIN + CELL


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("drawn", "--factor", "tine"), "known: tone, kind, turn; did you mean 'tone'?"),
        (("plain", "--factor", "tone"), "plain has no such factor; it has none"),
        (("drawn", "-o", "sheet.jpg"), "a picture is written as .png"),
        (("layers",), "samples of layers have 4 channels, a picture has 1 or 3; use -o layers.npy"),
        (("dawn",), "did you mean 'drawn'?"),
    ],
)
def test_show_explains(show: Gantk, arguments: tuple[str, ...], text: str) -> None:
    result = show(*arguments)

    assert result.exit_code == 2
    assert text in result.stderr


def test_a_file_is_not_replaced_unasked(show: Gantk) -> None:
    Path("drawn.png").write_text("mine")

    assert show("drawn").exit_code == 2
    assert show("drawn", "--force").exit_code == 0


def test_a_set_whose_real_twin_nobody_offers_is_made_here(gantk: Gantk, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    small = ("--set", "size=16", "--set", "count=4", "--set", "held_out=0")

    result = gantk("-P", "no:data", "data", "show", "faces", *small, "-o", str(sheet))

    assert result.exit_code == 0
    assert sheet.is_file()
    assert "data set 'dcign_faces' is offered by no plugin: using faces-synthetic" in result.stderr
