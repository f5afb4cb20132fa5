from __future__ import annotations

import logging
import sys
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import Shapes3dOptions
from gantk_data.readers.shapes3d import shapes3d

NAME = "3dshapes.h5"
VALUES = ((0.0, 0.1, 0.9), (0.0, 0.5), (0.2,), (0.75, 1.25), (0.0, 3.0), (-30.0, 0.0, 30.0))
LABELS = np.array(list(product(*VALUES)))
COUNT = 72
IMAGES = np.broadcast_to(
    np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * 3, (COUNT, 64, 64, 3)
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def write(path: Path, labels: Any = LABELS, images: Any = IMAGES) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, compression="gzip", chunks=(10, 4, 8, 1))
        file.create_dataset("labels", data=labels)
    return path


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = Shapes3dOptions(root=str(root), **options)
    return shapes3d(**{name: getattr(checked, name) for name in type(checked).model_fields})


def levels(data: ArrayDataset) -> list[int]:
    samples = data.batch(torch.arange(len(data))).samples
    return [int(sample[1, 2, 2]) for sample in samples]


@pytest.mark.parametrize("place", ["", "shapes3d", "3dshapes"])
def test_pictures_and_labels_are_read(tmp_path: Path, place: str) -> None:
    write(tmp_path / place / NAME)

    data = read(tmp_path)

    batch = data.batch(torch.tensor([0, 1, 71]))
    assert levels(data) == [3 * number for number in range(COUNT)]
    assert data.name == "3D Shapes"
    assert data.sample_shape == (3, 64, 64)
    assert [(f.name, f.kind) for f in data.factors] == [
        ("floor_hue", "discrete"),
        ("wall_hue", "discrete"),
        ("object_hue", "discrete"),
        ("scale", "discrete"),
        ("shape", "discrete"),
        ("orientation", "discrete"),
    ]
    assert data.factors[0].values == ("0", "0.1", "0.9")
    assert (data.factors[5].values, data.factors[5].unit) == (("-30", "0", "30"), "deg")
    assert batch.factors is not None
    wanted = [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [2, 1, 0, 1, 1, 2]]
    assert batch.factors.tolist() == wanted


def test_pictures_stand_upright(tmp_path: Path) -> None:
    images = IMAGES.copy()
    images[:, 0, :, 2] = 250
    write(tmp_path / NAME, images=images)

    samples = read(tmp_path).batch(torch.tensor([7])).samples

    assert samples[0, 2, 0].unique().tolist() == [250]
    assert samples[0, :2].unique().tolist() == [21]
    assert samples[0, 2, 1:].unique().tolist() == [21]


def test_it_is_streamed_whatever_its_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gantk_data.streams._BYTES_AT_ONCE", 7 * 64 * 64 * 3)
    write(tmp_path / NAME)

    assert levels(read(tmp_path)) == [3 * number for number in range(COUNT)]


def test_a_subset_can_be_scaled(tmp_path: Path) -> None:
    write(tmp_path / NAME)

    data = read(tmp_path, size=4, subset=9)

    factors = data.batch(torch.arange(9)).factors
    assert factors is not None
    assert data.sample_shape == (3, 4, 4)
    assert factors[:, 5].tolist() == [
        (-30, 0, 30).index(LABELS[level // 3][5]) for level in levels(data)
    ]


def test_what_is_not_as_published_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / NAME)

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path)

    (record,) = caplog.records
    assert "the published file 099a2078d58cec4daad0702c55d06868" in record.getMessage()
    assert "holds 72 images, not 480,000" in record.getMessage()


def test_a_missing_file_is_named_with_its_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no 3dshapes\.h5 in .*shapes3d or ") as caught:
        read(tmp_path)

    assert caught.value.exit_code == 4


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / NAME)
    monkeypatch.setitem(sys.modules, "h5py", None)

    with pytest.raises(DataError, match=r"pip install 'gan-toolkit\[h5\]'"):
        read(tmp_path)


def astray(root: Path, way: str) -> None:
    """A file whose pictures lie elsewhere."""
    other = write(root / "other.h5")
    raw = root / "raw.bin"
    raw.write_bytes(IMAGES.tobytes())
    with h5py.File(root / NAME, "w") as file:
        file.create_dataset("labels", data=LABELS)
        if way == "external link":
            file["images"] = h5py.ExternalLink(str(other), "images")
        elif way == "soft link":
            file["here"] = h5py.ExternalLink(str(other), "images")
            file["images"] = h5py.SoftLink("/here")
        elif way == "external storage":
            storage = [(str(raw), 0, h5py.h5f.UNLIMITED)]
            file.create_dataset("images", IMAGES.shape, "u1", external=storage)
        else:
            layout = h5py.VirtualLayout(IMAGES.shape, "u1")
            layout[:] = h5py.VirtualSource(str(other), "images", IMAGES.shape)
            file.create_virtual_dataset("images", layout)


@pytest.mark.parametrize(
    ("way", "complaint"),
    [
        ("external link", "it is a ExternalLink"),
        ("soft link", "it is a SoftLink"),
        ("external storage", "its contents lie in other files"),
        ("virtual array", "its contents lie in other files"),
    ],
)
def test_a_file_that_leads_to_others_is_refused(tmp_path: Path, way: str, complaint: str) -> None:
    astray(tmp_path, way)

    with pytest.raises(DataError, match=complaint):
        read(tmp_path)


def test_a_group_is_no_array(tmp_path: Path) -> None:
    with h5py.File(tmp_path / NAME, "w") as file:
        file.create_group("labels")

    with pytest.raises(DataError, match="it is no array"):
        read(tmp_path)


def test_an_array_that_is_not_there_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / NAME, "w") as file:
        file.create_dataset("pictures", data=LABELS)

    with pytest.raises(DataError, match="labels can't be read: it is not there"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("labels", "images", "complaint"),
    [
        (LABELS[:-1], IMAGES[:-1], r"71 samples, yet its factors take 3 x 2 x 1 x 2 x 2 x 3 = 72"),
        (LABELS, IMAGES[:-1], "71 images and 72 rows of labels"),
        (LABELS[:, :5], IMAGES, r"labels is float64 \(72, 5\), expected f8 \(N, 6\)"),
        (LABELS, IMAGES.astype(np.int16), r"images is int16"),
        (np.where(LABELS == -30, np.nan, LABELS), IMAGES, "a label is not a number"),
        (np.arange(COUNT * 6.0).reshape(COUNT, 6), IMAGES, "floor_hue takes 72 values, expected"),
    ],
)
def test_another_content_is_named(tmp_path: Path, labels: Any, images: Any, complaint: str) -> None:
    write(tmp_path / NAME, labels, images)

    with pytest.raises(DataError, match=complaint) as caught:
        read(tmp_path)

    assert str(tmp_path / NAME) in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_a_cut_file_is_named(tmp_path: Path, share: float) -> None:
    data = write(tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(data[: int(len(data) * share)])

    with pytest.raises(DataError, match=r"3dshapes\.h5.* can't be read"):
        read(tmp_path)


class TestConformance(DatasetConformance):
    of = "dataset shapes3d"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        write(self.root / NAME)

    def make(self) -> Dataset:
        return read(self.root)
