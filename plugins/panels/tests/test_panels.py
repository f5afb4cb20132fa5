from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gan_toolkit import LatentSpace, Picture, Registry
from gan_toolkit.testing.views import MemoryView
from gantk_panels.bound_curve import BoundCurve
from gantk_panels.sample_grid import SampleGrid
from gantk_panels.traversal import Traversal

MakeView = Callable[..., MemoryView]
PITCH, EDGE = 84 + 2, 16 + 2


def cells(picture: Picture, rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Return the colour in the middle of every cell of a sheet of 28-pixel images."""
    page = np.asarray(picture.image)
    top = page.shape[0] - EDGE - rows * PITCH + 2
    return page[top + 42 :: PITCH, EDGE + 42 :: PITCH][:rows, :columns]


def test_samples_are_the_same_at_every_step(view: MakeView) -> None:
    (first,) = SampleGrid(2, 3).draw(view(step=100))
    (second,) = SampleGrid(2, 3).draw(view(step=200))

    assert first.folder == "samples"
    assert np.array_equal(np.asarray(first.image), np.asarray(second.image))
    assert len(np.unique(cells(first, 2, 3).reshape(6, 3), axis=0)) == 6


def test_title_is_drawn(view: MakeView) -> None:
    (plain,) = SampleGrid(2, 3).draw(view(title="step 1"))
    (other,) = SampleGrid(2, 3).draw(view(title="step 2"))

    assert not np.array_equal(np.asarray(plain.image), np.asarray(other.image))


def test_a_code_varies_left_to_right_and_each_row_keeps_all_else(
    view: MakeView, space: LatentSpace
) -> None:
    (picture,) = Traversal(space, "level", rows=4, columns=5).draw(view())

    red, green, blue = cells(picture, 4, 5).transpose(2, 0, 1).astype(int)

    assert picture.folder == "traversals/level"
    assert (np.diff(green, axis=1) > 0).all()
    assert (green == green[0]).all()
    assert (red == red[:, :1]).all()
    assert (blue == blue[:, :1]).all()
    assert len(np.unique(red)) == 4


def test_a_group_gives_a_picture_for_each_member(view: MakeView, space: LatentSpace) -> None:
    pictures = Traversal(space, "style").draw(view())

    assert [picture.folder for picture in pictures] == ["traversals/style.0", "traversals/style.1"]
    blue = cells(pictures[0], 8, 3)[..., 2]
    assert (blue == [0, 128, 255]).all()


def test_unknown_latent_is_refused(space: LatentSpace) -> None:
    with pytest.raises(ValueError, match="did you mean 'style'"):
        Traversal(space, "stile")


@pytest.mark.parametrize("latent", ["turn", "shape", "level"])
def test_points_are_plotted(
    points_view: MemoryView, points_space: LatentSpace, latent: str
) -> None:
    (scatter,) = SampleGrid().draw(points_view)
    (coloured,) = Traversal(points_space, latent).draw(points_view)

    assert scatter.image.size[0] > 500
    assert coloured.folder == f"traversals/{latent}"
    assert len(np.unique(np.asarray(coloured.image).reshape(-1, 3), axis=0)) > 100


def test_categories_of_points_are_named_where_they_are(
    points_view: MemoryView, points_space: LatentSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The samples of this view do not follow the category: all four lie around the middle."""
    kept: list[Any] = []
    monkeypatch.setattr("gantk_panels.points.render", lambda made: kept.append(made))

    for latent in ("shape", "level"):
        Traversal(points_space, latent).draw(points_view)

    named, plain = ([text.get_text() for text in made.axes[0].texts] for made in kept)
    assert named == ["0", "1", "2", "3"]
    assert plain == []


def history(table: str = "information") -> list[dict[str, Any]]:
    steps = range(50, 1_001, 50)
    return [
        {"event": "start"},
        *(
            {
                "event": "log",
                "step": step,
                "critic": 1.0,
                f"{table}/style.0": math.log(3) * step / 1_000,
                f"{table}/level": None if step == 50 else step / 1_000,
            }
            for step in steps
        ),
    ]


def drawn(curve: BoundCurve, view: MemoryView, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the axes of the figure the panel draws."""
    kept: list[Any] = []
    monkeypatch.setattr("gantk_panels.bound_curve.render", lambda made: kept.append(made))
    curve.draw(view)
    return kept[0].axes[0]


def test_curves_and_entropies(view: MakeView, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = drawn(BoundCurve(), view(history=history()), monkeypatch)
    lines = {line.get_label(): line for line in axes.lines}

    assert lines["style.0"].get_ydata()[-1] == pytest.approx(math.log(3))
    assert list(lines["level"].get_xdata()) == list(range(100, 1_001, 50))
    ceiling, mark = lines["H(style.0) = 1.10"], lines["H(level) = 0.69, no ceiling"]
    assert ceiling.get_ydata()[0] == pytest.approx(math.log(3), abs=1e-6)
    assert (ceiling.get_linestyle(), mark.get_linestyle()) == ("--", ":")
    assert "style.1" not in lines


def test_curve_is_a_picture(view: MakeView) -> None:
    (picture,) = BoundCurve().draw(view(history=history(), title="word " * 60))

    assert picture.folder == "curves"
    edge = np.asarray(picture.image)[:, -8:]
    assert (edge == 255).all()


def test_nothing_is_drawn_before_the_first_log(view: MakeView) -> None:
    assert BoundCurve().draw(view(history=[{"event": "start"}])) == []


def test_wrong_table_is_named(view: MakeView) -> None:
    with pytest.raises(ValueError, match="logged: information; did you mean 'information'"):
        BoundCurve("informatoin").draw(view(history=history()))


def test_drawing_leaves_torch_and_matplotlib_alone(view: MakeView, space: LatentSpace) -> None:
    state = torch.random.get_rng_state()

    SampleGrid().draw(view())
    Traversal(space, "level").draw(view())

    assert torch.equal(torch.random.get_rng_state(), state)


def test_every_panel_is_offered_and_can_be_loaded() -> None:
    import gantk_panels

    registry = Registry()
    gantk_panels.gantk_register(registry)

    assert registry.names("panel") == [
        "bound_curve",
        "interpolation",
        "matrix",
        "pair_grid",
        "real_and_generated",
        "sample_grid",
        "traversal",
        "traversal_film",
    ]
    for component in registry.all("panel"):
        assert component.load().__name__ == component.build.split(":")[1]
