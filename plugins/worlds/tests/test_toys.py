from __future__ import annotations

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from gan_toolkit import ArrayDataset, Options
from gantk_worlds.options import GridOptions, RingOptions, StrokesOptions
from gantk_worlds.toys import grid, ring


def content(data: ArrayDataset) -> tuple[Tensor, Tensor]:
    """Return the first 20,000 points (N, 2) and their modes (N,)."""
    points, _, factors = data.batch(torch.arange(20_000))
    assert factors is not None
    return points, factors[:, 0].long()


def a_ring(**options: Any) -> ArrayDataset:
    return ring(**dict(RingOptions(**({"count": 20_000} | options))))


def a_grid(**options: Any) -> ArrayDataset:
    return grid(**dict(GridOptions(**({"count": 20_000} | options))))


@pytest.mark.parametrize(("make", "modes", "sigma"), [(a_ring, 8, 0.02), (a_grid, 25, 0.0125)])
def test_clusters_have_the_spread_and_share_they_should(
    make: Any, modes: int, sigma: float
) -> None:
    data = make()

    points, mode = content(data)
    assert points.dtype == torch.float32
    assert data.sample_shape == (2,)
    assert [len(f.values) for f in data.factors] == [modes]
    for number in range(modes):
        own = points[mode == number]
        assert abs(len(own) * modes / len(points) - 1) < 0.15
        torch.testing.assert_close(own.std(dim=0), torch.full((2,), sigma), rtol=0.15, atol=0)


def test_the_ring_lies_on_the_unit_circle() -> None:
    points, modes = content(a_ring())

    for mode, place in ((0, (1.0, 0.0)), (2, (0.0, 1.0)), (5, (-(0.5**0.5), -(0.5**0.5)))):
        centre = points[modes == mode].mean(dim=0)
        torch.testing.assert_close(centre, torch.tensor(place), rtol=0, atol=0.003)


def test_the_grid_spans_the_unit_square_row_by_row() -> None:
    points, modes = content(a_grid())

    for mode, place in ((0, (-1.0, -1.0)), (1, (-0.5, -1.0)), (12, (0.0, 0.0)), (24, (1.0, 1.0))):
        centre = points[modes == mode].mean(dim=0)
        torch.testing.assert_close(centre, torch.tensor(place), rtol=0, atol=0.003)


@pytest.mark.parametrize("make", [a_ring, a_grid])
def test_points_depend_on_seed_and_index_alone(make: Any) -> None:
    some = torch.arange(100)

    long, short, other = make(), make(count=100), make(seed=1)

    assert torch.equal(long.batch(some).samples, short.batch(some).samples)
    assert not torch.equal(long.batch(some).samples, other.batch(some).samples)
    assert long.fingerprint() == make().fingerprint() != other.fingerprint()


@pytest.mark.parametrize("make", [a_ring, a_grid])
def test_held_out_points_are_others_from_the_same_clusters(make: Any) -> None:
    data = make(held_out=50)
    kept = data.held_out()
    assert kept is not None

    assert len(kept) == 50
    assert kept.factors == data.factors
    points = content(data)[0]
    assert not torch.isin(kept.batch(torch.arange(50)).samples[:, 0], points[:, 0]).all()
    assert make(held_out=0).held_out() is None


def test_coordinates_are_independent_normals() -> None:
    points, modes = content(a_ring(modes=2, sigma=1.0))

    noise = points - torch.tensor([[1.0, 0.0], [-1.0, 0.0]])[modes]

    assert abs(torch.corrcoef(noise.T)[0, 1]) < 0.03
    assert abs((noise**4).mean() - 3) < 0.2  # the fourth moment of a normal


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (RingOptions, {"modes": 10**11}),
        (RingOptions, {"count": 1 << 31}),
        (GridOptions, {"side": 10**6}),
        (StrokesOptions, {"held_out": 1 << 31}),
    ],
)
def test_what_would_fill_the_memory_is_no_option(
    options: type[Options], wrong: dict[str, int]
) -> None:
    with pytest.raises(ValidationError, match="less than or equal to"):
        options(**wrong)
