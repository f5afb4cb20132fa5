from __future__ import annotations

import io
import logging
import tarfile
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset, MissingFilesError, preparation
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import Cars3dOptions
from gantk_data.readers.cars3d import cars3d

TAR = "nips2015-analogy-data.tar.gz"
CARS = ("car_002_mesh", "car_001_mesh")  # list.txt is in no sorted order
AZIMUTHS, ELEVATIONS = 24, 4


def views(car: int) -> NDArray[np.uint8]:
    """Pictures of one colour: (azimuth, elevation, car)."""
    colours = np.zeros((3, AZIMUTHS, ELEVATIONS), dtype=np.uint8)
    colours[0] = 10 * np.arange(AZIMUTHS)[:, None]
    colours[1] = 50 * np.arange(ELEVATIONS)
    colours[2] = 100 * car
    return np.broadcast_to(colours, (128, 128, *colours.shape))


def mat(im: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    mask = np.ones((2, 2), dtype=np.uint8)
    scipy.io.savemat(file, {"im": im, "mask": mask}, do_compression=True)
    return file.getvalue()


MATS = [mat(views(car)) for car in (0, 1)]


def files() -> dict[str, bytes]:
    whole = {"data/cars/list.txt": "".join(f"{car}\n" for car in CARS).encode()}
    whole |= {f"data/cars/{car}.mat": data for car, data in zip(CARS, MATS, strict=True)}
    whole |= {"data/sprites/sprites_1.mat": b"another set", "data/shapes48.mat": b"a third"}
    return whole


def pack(path: Path, contents: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name, data in reversed(contents.items()):  # the list comes last
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def unpack(folder: Path, contents: dict[str, bytes]) -> None:
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = Cars3dOptions(root=str(root), **{"size": 4, **options})
    return cars3d(**{name: getattr(checked, name) for name in type(checked).model_fields})


def check(data: ArrayDataset, count: int = 192) -> None:
    batch = data.batch(torch.arange(count))
    assert len(data) == count
    assert data.name == "Cars3D"
    assert data.sample_shape == (3, 4, 4)
    assert [(f.name, f.kind, f.scored) for f in data.factors] == [
        ("model", "discrete", False),
        ("azimuth", "circular", True),
        ("elevation", "discrete", True),
    ]
    assert data.factors[0].values == CARS
    assert batch.factors is not None
    model, azimuth, elevation = batch.factors.T
    assert model.tolist() == [row // 96 for row in range(count)]
    turns = (azimuth * AZIMUTHS / tau).round()
    colours = batch.samples[:, :, 2, 2].float()
    torch.testing.assert_close(colours, torch.stack([10 * turns, 50 * elevation, 100 * model], 1))
    assert azimuth[4].item() == pytest.approx(tau / AZIMUTHS)


@pytest.mark.parametrize("place", ["", "cars3d"])
def test_the_tar_is_read_in_place(tmp_path: Path, place: str) -> None:
    pack(tmp_path / place / TAR, files())

    check(read(tmp_path))

    assert [path.name for path in (tmp_path / place).iterdir() if path.is_file()] == [TAR]


@pytest.mark.parametrize("place", ["", "cars3d"])
@pytest.mark.parametrize("inner", ["data/cars", "cars"])
def test_a_folder_is_read(tmp_path: Path, place: str, inner: str) -> None:
    contents = {name.replace("data/cars", inner): data for name, data in files().items()}
    unpack(tmp_path / place, contents)

    check(read(tmp_path))


@pytest.mark.parametrize("limit", [5, 96, 100])
def test_limit_takes_the_first_in_the_order_of_the_list(tmp_path: Path, limit: int) -> None:
    pack(tmp_path / TAR, files())

    check(read(tmp_path, limit=limit), limit)


def test_pictures_keep_their_size_when_asked(tmp_path: Path) -> None:
    pack(tmp_path / TAR, files())

    assert read(tmp_path, size=128, limit=2).sample_shape == (3, 128, 128)


def test_pictures_stand_upright(tmp_path: Path) -> None:
    im = views(0).copy()
    im[0, :, 2] = 255
    unpack(tmp_path, files() | {f"data/cars/{CARS[0]}.mat": mat(im)})

    samples = read(tmp_path, size=128, limit=10).batch(torch.tensor([9])).samples

    assert samples[0, 2, 0].unique().tolist() == [255]
    assert samples[0, 2, 1:].unique().tolist() == [0]
    assert samples[0, 0].unique().tolist() == [20]


def test_what_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(tmp_path / TAR, files())
    monkeypatch.setattr("gan_toolkit.preparation._SYNC_BYTES", 1)
    genuine = scipy.io.loadmat
    seen = []

    def stopping(*args: Any, **options: Any) -> Any:
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return genuine(*args, **options)

    monkeypatch.setattr(scipy.io, "loadmat", stopping)
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path)
    check(read(tmp_path))

    assert len(seen) == 3


def test_what_is_not_as_published_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pack(tmp_path / TAR, files())

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path)

    (record,) = caplog.records
    assert "the published file 4e866a7919c1beedf53964e6f7a23686" in record.getMessage()
    assert "lists 2 cars, not 183" in record.getMessage()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)

    assert caught.value.exit_code == 4
    assert f"no {TAR}, data/cars, cars in {tmp_path} or {tmp_path / 'cars3d'}" in str(caught.value)


def without(name: str) -> dict[str, bytes]:
    return {other: data for other, data in files().items() if not other.endswith(name)}


def other(name: str, data: bytes) -> dict[str, bytes]:
    return files() | {f"data/cars/{name}": data}


def test_a_set_without_its_list_counts_as_missing(tmp_path: Path) -> None:
    unpack(tmp_path, without("list.txt"))

    with pytest.raises(MissingFilesError, match=r"no cars/list\.txt in .*data/cars; to get it"):
        read(tmp_path)


def test_progress_counts_cars(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gantk")
    pack(tmp_path / TAR, files())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "_SECONDS", 0.0)
        read(tmp_path)

    told = [text for text in caplog.messages if text.startswith("preparing Cars3D: ")]
    assert told == ["preparing Cars3D: 1/2", "preparing Cars3D: 2/2"]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        (other("old/cars/list.txt", b"car_001_mesh"), r"there are 2 files cars/list\.txt"),
        (without("car_001_mesh.mat"), r"list\.txt: .*car_001_mesh\.mat is not there"),
        (other("list.txt", b""), r"list\.txt: it is empty or repeats"),
        (other("list.txt", b"car_001_mesh\ncar_001_mesh"), r"list\.txt: it is empty or repeats"),
        (other("list.txt", b"../\xff\x1b[2J"), r"list\.txt: .*is not there"),
        (other("car_001_mesh.mat", b""), r"car_001_mesh\.mat can't be read"),
        (other("car_001_mesh.mat", MATS[1][:-100]), r"car_001_mesh\.mat can't be read"),
        (other("car_001_mesh.mat", MATS[1][:3000]), r"car_001_mesh\.mat can't be read"),
        (other("car_001_mesh.mat", mat(views(1)[:64])), r"im is \(\(64, 128, 3, 24, 4\)"),
        (other("car_001_mesh.mat", mat(views(1).astype("f4"))), r"'single'\), expected"),
    ],
)
def test_damage_is_named(
    tmp_path: Path, contents: dict[str, bytes], complaint: str, packed: bool
) -> None:
    if packed:
        pack(tmp_path / TAR, contents)
    else:
        unpack(tmp_path, contents)

    with pytest.raises(DataError, match=complaint) as caught:
        read(tmp_path)

    assert caught.value.exit_code == 4
    assert str(caught.value).isprintable()


class TestConformance(DatasetConformance):
    of = "dataset cars3d"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        unpack(self.root, files())

    def make(self) -> Dataset:
        return read(self.root)
