"""Matrices of scores, drawn from the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from gan_toolkit import Matrix
from gan_toolkit.testing.views import MemoryView
from gantk_panels.matrix import MatrixPanel
from gantk_panels.plots import SERIES

MakeView = Callable[..., MemoryView]
SHARES = Matrix(("a", "b"), ("x", "y"), ((1.0, 0.0), (0.25, float("nan"))), "shares", ceiling=1.0)
SQUARES = Matrix(("a",), ("x", "y", "z"), ((1.0, 0.25, -1.0),), "weights", "hinton")


def evaluation(step: int, measure: str, name: str, matrix: Matrix) -> dict[str, Any]:
    score = {"measure": measure, "name": "best", "value": 1.0, "matrices": {name: asdict(matrix)}}
    return {"event": "evaluation", "step": step, "scores": [score]}


@pytest.fixture
def axes_of(monkeypatch: pytest.MonkeyPatch, view: MakeView) -> Callable[..., Any]:
    """Return what draws a matrix and gives the axes of its figure."""

    def draw(matrix: Matrix) -> Any:
        kept: list[Any] = []
        monkeypatch.setattr("gantk_panels.matrix.render", lambda made: kept.append(made))
        MatrixPanel([]).draw(view(history=[evaluation(1, "m", "all", matrix)]))
        return kept[0].axes[0]

    return draw


def test_the_newest_matrices_are_drawn(view: MakeView) -> None:
    history = [
        {"event": "start"},
        evaluation(5, "one", "all", SQUARES),
        evaluation(5, "two", "code/all", SHARES),
        evaluation(9, "one", "all", SHARES),
    ]
    shown = view(history=history, step=9)

    found = MatrixPanel([]).draw(shown)

    assert [picture.folder for picture in found] == ["matrices/one.all", "matrices/two.code.all"]
    assert "one: all. shares" in found[0].caption
    assert "two: code/all, of step 5. shares" in found[1].caption
    assert [picture.folder for picture in MatrixPanel(["two"]).draw(shown)] == [found[1].folder]


def test_nothing_is_drawn_before_anything_was_measured(view: MakeView) -> None:
    assert MatrixPanel([]).draw(view(history=[{"event": "start"}])) == []


def test_numbers_are_written_on_tones(axes_of: Callable[..., Any]) -> None:
    axes = axes_of(SHARES)

    assert [text.get_text() for text in axes.texts] == ["1.00", "0", "0.25", "–"]  # noqa: RUF001
    assert axes.texts[0].get_color() == "white"
    assert axes.images[0].get_clim() == (0.0, 1.0)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_a_scale_goes_as_far_below_zero_as_above(axes_of: Callable[..., Any]) -> None:
    axes = axes_of(Matrix(("a",), ("x", "y"), ((0.5, -0.1),), "differences"))

    assert axes.images[0].get_clim() == (-0.5, 0.5)


def test_the_area_of_a_square_is_its_number_and_one_below_zero_is_hollow(
    axes_of: Callable[..., Any],
) -> None:
    whole, quarter, below = axes_of(SQUARES).patches

    assert quarter.get_width() == pytest.approx(whole.get_width() / 2)
    assert whole.get_facecolor()[:3] == pytest.approx(to_rgb(SERIES[0]))
    assert below.get_facecolor()[3] == 0
    assert below.get_edgecolor()[:3] == pytest.approx(to_rgb(SERIES[1]))


def test_a_square_without_a_number_is_left_out(axes_of: Callable[..., Any]) -> None:
    axes = axes_of(Matrix(("a",), ("x", "y"), ((1.0, float("nan")),), "w", "hinton"))

    assert len(axes.patches) == 1
    assert axes.texts[1].get_text() == "–"  # noqa: RUF001


@pytest.mark.parametrize("style", ["heat", "hinton"])
def test_nothing_is_cut_off(view: MakeView, style: Any) -> None:
    names = [f"a rather long name {i}" for i in range(12)]
    matrix = Matrix(names, names, np.eye(12).tolist(), "words " * 40, style)

    (picture,) = MatrixPanel([]).draw(view(history=[evaluation(1, "m", "all", matrix)]))

    page = np.asarray(picture.image)
    for edge in (page[:, :4], page[:, -4:], page[:4], page[-4:]):
        assert (edge == 255).all()
