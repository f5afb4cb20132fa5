from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import Mpi3dOptions, Mpi3dVariant
from gantk_data.readers.mpi3d import FILES, grid, mpi3d

NAMES = [
    "object_colour",
    "object_shape",
    "object_size",
    "camera_height",
    "background_colour",
    "horizontal",
    "vertical",
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def numbered(count: int) -> NDArray[np.uint8]:
    """Pictures of one colour, which is their number in the base of 256."""
    colours = np.stack([np.arange(count) % 256, np.arange(count) // 256, np.full(count, 9)], axis=1)
    return np.broadcast_to(colours.astype(np.uint8)[:, None, None], (count, 64, 64, 3))


def write(folder: Path, name: str, images: NDArray[Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / name, images=images)
    return folder / name


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = Mpi3dOptions(root=str(root), **options)
    return mpi3d(**{name: getattr(checked, name) for name in type(checked).model_fields})


def numbers(data: ArrayDataset) -> list[int]:
    corners = data.batch(torch.arange(len(data))).samples[:, :, 3, 3].int()
    assert corners[:, 2].unique().tolist() == [9]
    return (corners[:, 0] + 256 * corners[:, 1]).tolist()


def factors(data: ArrayDataset) -> list[list[float]]:
    values = data.batch(torch.arange(len(data))).factors
    assert values is not None
    return values.tolist()


@pytest.mark.parametrize("place", ["", "mpi3d"])
def test_pictures_and_factors_are_read_in_the_order_of_the_grid(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, "mpi3d_real.npz", numbered(648))

    data = read(tmp_path, variant="real")

    assert numbers(data) == list(range(648))
    assert data.name == "MPI3D real"
    assert data.sample_shape == (3, 64, 64)
    assert [factor.name for factor in data.factors] == NAMES
    assert data.factors[1].values[3] == "hexagonal"
    assert "CC BY 4.0" in data.notice
    rows = factors(data)
    assert rows[0] == [0] * 7
    assert rows[1] == [0, 0, 0, 0, 1, 0, 0]
    assert rows[108] == [1, 0, 0, 0, 0, 0, 0]
    assert rows[647] == [5, 5, 1, 2, 2, 0, 0]


@pytest.mark.parametrize("name", FILES["real_complex"])
def test_complex_shapes_have_their_own_grid(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, numbered(288))

    data = read(tmp_path, variant="real_complex")

    assert data.factors[0].values == ("yellow", "green", "olive", "red")
    assert data.factors[1].values[0] == "coffee cup"
    assert factors(data)[287] == [3, 3, 1, 2, 2, 0, 0]


@pytest.mark.parametrize(
    ("variant", "count", "sizes", "shapes"),
    [
        ("toy", 1_036_800, [6, 6, 2, 3, 3, 40, 40], "cone"),
        ("real", 1_036_800, [6, 6, 2, 3, 3, 40, 40], "cone"),
        ("real_complex", 460_800, [4, 4, 2, 3, 3, 40, 40], "coffee cup"),
        ("toy", 460_800, [4, 4, 2, 3, 3, 40, 40], "0"),
        ("toy", 2_592, [6, 6, 2, 3, 3, 2, 2], "cone"),
        ("real_complex", 2_592, [4, 4, 2, 3, 3, 3, 3], "coffee cup"),
    ],
)
def test_the_count_decides_the_grid(
    variant: Mpi3dVariant, count: int, sizes: list[int], shapes: str
) -> None:
    axes = grid(variant, count, Path("x.npz"))

    assert [len(axis.values) for axis in axes] == sizes
    assert axes[1].factor.values[0] == shapes
    assert (axes[6].values[0], axes[6].values[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("variant", "count"),
    [("toy", 1), ("toy", 647), ("toy", 649), ("real_complex", 648), ("toy", 648 * 41**2)],
)
def test_no_grid_is_an_error(variant: Mpi3dVariant, count: int) -> None:
    with pytest.raises(DataError, match=rf"x\.npz: it holds {count:,} images, which is no grid"):
        grid(variant, count, Path("x.npz"))


def test_a_subset_keeps_pictures_with_their_factors(tmp_path: Path) -> None:
    write(tmp_path, "mpi3d_toy.npz", numbered(648))
    whole = factors(read(tmp_path))

    some = read(tmp_path, subset=50)

    assert len(some) == 50
    assert factors(some) == [whole[number] for number in numbers(some)]
    assert len({tuple(row[:2]) for row in factors(some)}) > 20


def test_pictures_stand_upright(tmp_path: Path) -> None:
    images = numbered(648).copy()
    images[:, 0, :, 2] = 200
    write(tmp_path, "mpi3d_toy.npz", images)

    samples = read(tmp_path).batch(torch.tensor([300])).samples

    assert samples[0, 2, 0].unique().tolist() == [200]
    assert samples[0, 2, 1:].unique().tolist() == [9]


def test_pictures_are_scaled(tmp_path: Path) -> None:
    write(tmp_path, "mpi3d_toy.npz", numbered(648))

    data = read(tmp_path, size=8, subset=20)

    assert data.sample_shape == (3, 8, 8)
    assert numbers(data) == numbers(read(tmp_path, subset=20))


def test_what_is_not_as_published_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "mpi3d_toy.npz", numbered(648))

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path, subset=5)

    (record,) = caplog.records
    assert "the published file 55889cb7c7dfc655d6e0277beee88868" in record.getMessage()
    assert "holds 648 images, fewer than the complete set" in record.getMessage()


def test_a_missing_variant_is_named_by_all_its_names(tmp_path: Path) -> None:
    write(tmp_path, "mpi3d_toy.npz", numbered(648))

    with pytest.raises(DataError) as caught:
        read(tmp_path, variant="real_complex")

    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert "no mpi3d_real_complex.npz, real3d_complicated_shapes_ordered.npz in" in text
    assert f"{tmp_path} or {tmp_path / 'mpi3d'}" in text


def test_another_array_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "mpi3d_toy.npz", numbered(648)[:, :32])

    with pytest.raises(DataError, match=r"expected u1 \(N, 64, 64, 3\)"):
        read(tmp_path)


class TestConformance(DatasetConformance):
    of = "dataset mpi3d"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        write(self.root, "mpi3d_real.npz", numbered(648))

    def make(self) -> Dataset:
        return read(self.root, variant="real")
