"""Two codes at once, ways between draws, real samples beside generated ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Picture
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_panels.interpolation import Interpolation
from gantk_panels.pair_grid import PairGrid
from gantk_panels.real_and_generated import RealAndGenerated, nearest

MakeView = Callable[..., MemoryView]
PITCH, EDGE = 84 + 2, 16 + 2


def cells(picture: Picture, rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Return (rows, columns, 3) of a sheet of 28-pixel images, counted from the lower right."""
    page = np.asarray(picture.image).astype(int)
    middle = EDGE + 42
    return page[-middle::-PITCH, -middle::-PITCH][:rows, :columns][::-1, ::-1]


def test_one_code_varies_across_and_one_down_and_all_else_stands_still(
    view: MakeView, space: LatentSpace
) -> None:
    panel = PairGrid(space, view().data, "level", "style.0", columns=5)

    (picture,) = panel.draw(view())

    red, green, blue = cells(picture, 3, 5).transpose(2, 0, 1)
    assert picture.folder == "pairs/level-style.0"
    assert (np.diff(green, axis=1) > 0).all()
    assert (green == green[0]).all()
    assert (blue == np.array([[0], [128], [255]])).all()
    assert len(np.unique(red)) == 1


def test_a_pair_needs_two_single_latents_and_images(
    view: MakeView, space: LatentSpace, points_view: MemoryView, points_space: LatentSpace
) -> None:
    data = view().data
    with pytest.raises(ValueError, match=r"style is a group; name a member, such as style\.0"):
        PairGrid(space, data, "style", "level")
    with pytest.raises(ValueError, match="both level; a pair needs two"):
        PairGrid(space, data, "level", "level")
    with pytest.raises(ValueError, match="did you mean 'level'"):
        PairGrid(space, data, "level", "levle")
    with pytest.raises(ValueError, match="shows images; the samples of ring are points"):
        PairGrid(points_space, points_view.data, "turn", "shape")


def test_a_way_leads_from_draw_to_draw_and_mixes_no_categories(view: MakeView) -> None:
    (picture,) = Interpolation(rows=5, columns=5).draw(view())

    red, green, blue = cells(picture, 5, 5).transpose(2, 0, 1)

    assert picture.folder == "interpolations"
    for colour in (red, green):
        steps = np.diff(colour, axis=1)
        assert np.abs(steps - steps.mean(axis=1, keepdims=True)).max() <= 1.5  # grey levels
        assert min(len(np.unique(colour[:, end])) for end in (0, -1)) >= 4
    assert set(np.unique(blue)) <= {0, 128, 255}
    assert (blue == blue[:, :1]).all()


def test_the_ends_of_a_way_are_draws(view: MakeView, space: LatentSpace) -> None:
    seen: list[Tensor] = []
    watched = view()
    generate = watched.generate
    watched.generate = lambda latent: (seen.append(latent), generate(latent))[1]  # type: ignore[method-assign,func-returns-value]

    Interpolation(rows=3, columns=4).draw(watched)

    rng = watched.rng("interpolation")
    first, last = space.sample(3, rng), space.sample(3, rng)
    columns = slice(0, 1), space.columns("level")
    for place in columns:
        assert torch.equal(seen[0].view(3, 4, -1)[:, 0, place], first[:, place])
        assert torch.allclose(seen[0].view(3, 4, -1)[:, -1, place], last[:, place])


def test_the_ways_of_points_are_paths(points_view: MemoryView) -> None:
    (picture,) = Interpolation().draw(points_view)

    assert len(np.unique(np.asarray(picture.image).reshape(-1, 3), axis=0)) > 100


def test_real_samples_stand_left_under_the_name_of_their_data(view: MakeView) -> None:
    shown = view(step=7, title="run")
    (picture,) = RealAndGenerated(shown.data, rows=1, columns=2).draw(shown)
    (other,) = RealAndGenerated(shown.data, rows=1, columns=2).draw(view(step=8, title="run"))

    page = np.asarray(picture.image)
    row = cells(picture, 1, 2)[0]
    left = page[-EDGE - 42, [EDGE + 42, EDGE + PITCH + 42]]
    assert picture.folder == "real_and_generated"
    assert (left == 0).all()  # the real ones are black
    assert row.max() > 0
    assert not np.array_equal(page, np.asarray(other.image))  # the step is told


def test_what_is_nearest_is_found_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gantk_panels.real_and_generated.CHUNK", 2)
    real = torch.tensor([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0], [0.0, 1.0], [11.0, 0.0]])

    place, distance = nearest(torch.tensor([[3.0, 3.0], [10.8, 0.0], [0.0, 0.0]]), real)
    other, apart = nearest(real[:3], real, itself=False)

    assert place.tolist() == [1, 4, 0]
    assert distance.tolist() == pytest.approx([1.0, 0.2, 0.0], abs=1e-5)
    assert other.tolist() == [3, 3, 4]
    assert apart.tolist() == pytest.approx([1.0, 18**0.5, 1.0], abs=1e-5)


def test_a_copy_stands_beside_what_it_was_copied_from() -> None:
    """Three greys are known; the generator makes the brightest again and again."""
    greys = torch.tensor([0, 120, 240], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 1, 28, 28)
    data = ArrayDataset("greys", "synthetic", greys.contiguous())
    space = LatentSpace({"noise": Level(), "shape": Choice(2)})
    view = MemoryView(space, data, lambda z: torch.full((len(z), 1, 28, 28), 240 / 127.5 - 1))

    both = RealAndGenerated(data, rows=1, columns=2, neighbours=3).draw(view)

    assert [picture.folder for picture in both] == ["real_and_generated", "neighbours"]
    assert cells(both[1], 1, 4)[0, :, 0].tolist() == [240] * 4
    # 120 levels in 784 pixels are 26.35 apart, of which all have a neighbour
    assert "nearest of 3 real samples by pixels: 0.00 away" in both[1].caption
    assert "a real sample is 26.35 from its nearest other" in both[1].caption


def test_points_have_a_sheet_of_their_own(points_view: MemoryView) -> None:
    with pytest.raises(ValueError, match="sample_grid draws them over real ones"):
        RealAndGenerated(points_view.data)


def test_torchs_own_generator_is_left_alone(view: MakeView, space: LatentSpace) -> None:
    state, shown = torch.random.get_rng_state(), view()

    PairGrid(space, shown.data, "level", "noise").draw(shown)
    Interpolation().draw(shown)
    RealAndGenerated(shown.data, neighbours=2).draw(shown)

    assert torch.equal(torch.random.get_rng_state(), state)
