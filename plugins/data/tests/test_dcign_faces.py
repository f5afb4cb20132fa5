from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import DcignFacesOptions
from gantk_data.readers.dcign_faces import dcign_faces

ZIP = "dcign_facedataset_monovariant.zip"


def level(folder: str, split: str, number: int, place: int) -> int:
    return 100 * (split == "FT_test") + 50 * (folder == "th_EL_VARIED") + 20 * number + place


def pictures(folder: str, split: str, number: int) -> NDArray[np.float32]:
    levels = [level(folder, split, number, place) for place in range(20)]
    values = np.array(levels, dtype=np.float32)[:, None, None, None] / 255
    return np.broadcast_to(values, (20, 1, 150, 150))


def batch(values: NDArray[Any], claimed: tuple[int, ...] | None = None) -> bytes:
    """A Torch7 file; `claimed` sizes may be a lie."""
    sizes = claimed or values.shape
    strides = [int(np.prod(sizes[axis + 1 :])) for axis in range(len(sizes))]

    def head(number: int, name: str) -> bytes:
        return struct.pack(f"<iii3si{len(name)}s", 4, number, 3, b"V 1", len(name), name.encode())

    numbers = struct.pack(f"<{2 * len(sizes) + 1}q", *sizes, *strides, 1)
    data = np.ascontiguousarray(values, dtype="<f4").tobytes()
    length = struct.pack("<q", int(np.prod(sizes)))
    kind = struct.pack("<i", len(sizes))
    return (
        head(1, "torch.FloatTensor") + kind + numbers + head(2, "torch.FloatStorage") + length
    ) + data


def files(*folders: str) -> dict[str, bytes]:
    """Batches 2 and 10, so that sorting by name would be wrong, hence also 1 in FT_training."""
    numbers = {"FT_training": (0, 1), "FT_test": (0,)}
    return {
        f"{folder}/{split}/batch{(2, 10)[number]}": batch(pictures(folder, split, number))
        for folder in folders
        for split, some in numbers.items()
        for number in some
    }


BOTH = files("th_AZ_VARIED", "th_EL_VARIED")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    unpack(folder, BOTH | {"notes.txt": b"", "th_AZ_VARIED/FT_training/.batch3": b""})
    return folder


def unpack(folder: Path, contents: dict[str, bytes]) -> None:
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def pack(path: Path, contents: dict[str, bytes], above: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(above + name, data)


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = DcignFacesOptions(root=str(root), **{"size": 6, **options})
    return dcign_faces(**{name: getattr(checked, name) for name in type(checked).model_fields})


def levels(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 3, 3].tolist()


def expected(folder: str, split: str) -> list[int]:
    numbers = (0, 1) if split == "FT_training" else (0,)
    return [level(folder, split, number, place) for number in numbers for place in range(20)]


def check(data: ArrayDataset) -> None:
    held_out = data.held_out()
    assert levels(data) == expected("th_AZ_VARIED", "FT_training")
    assert data.name == "DC-IGN faces"
    assert data.sample_shape == (1, 6, 6)
    assert isinstance(held_out, ArrayDataset)
    assert levels(held_out) == expected("th_AZ_VARIED", "FT_test")


@pytest.mark.parametrize("place", [".", "dcign_faces"])
def test_folders_are_read(tmp_path: Path, place: str) -> None:
    unpack(tmp_path / place, BOTH)

    check(read(tmp_path))


@pytest.mark.parametrize("above", ["", "DATASET/"])
def test_the_archive_is_read_in_place(tmp_path: Path, above: str) -> None:
    pack(tmp_path / ZIP, BOTH, above)

    check(read(tmp_path))

    assert not (tmp_path / "th_AZ_VARIED").exists()


def test_factors_say_what_is_known_and_are_not_scored(root: Path) -> None:
    data = read(root, variations=["elevation", "azimuth"])

    factors = data.batch(torch.arange(80)).factors
    assert levels(data) == [
        *expected("th_AZ_VARIED", "FT_training"),
        *expected("th_EL_VARIED", "FT_training"),
    ]
    assert [f.name for f in data.factors] == ["variation", "batch", "place"]
    assert not any(f.scored for f in data.factors)
    assert data.factors[1].values[1:3] == ("azimuth FT_training 10", "elevation FT_training 2")
    assert factors is not None
    assert factors[[0, 19, 20, 79]].tolist() == [[0, 0, 0], [0, 0, 19], [0, 1, 0], [1, 3, 19]]


def test_pictures_stand_upright(tmp_path: Path) -> None:
    values = np.zeros((20, 1, 150, 150), dtype=np.float32)
    values[:, :, 0] = 1.0
    unpack(tmp_path, {"th_AZ_VARIED/FT_training/batch1": batch(values)})

    samples = read(tmp_path, size=150).batch(torch.tensor([3])).samples

    assert samples[0, 0, 0].unique().tolist() == [255]
    assert samples[0, 0, 1:].unique().tolist() == [0]


@pytest.mark.parametrize(
    ("split", "folders"),
    [("train", ["FT_training"]), ("test", ["FT_test"]), ("all", ["FT_training", "FT_test"])],
)
def test_splits_are_folders(root: Path, split: str, folders: list[str]) -> None:
    data = read(root, split=split)

    assert levels(data) == [v for folder in folders for v in expected("th_AZ_VARIED", folder)]
    assert (data.held_out() is not None) == (split == "train")


def test_without_test_batches_nothing_is_held_out(tmp_path: Path) -> None:
    unpack(tmp_path, {name: data for name, data in BOTH.items() if "FT_test" not in name})

    assert read(tmp_path).held_out() is None
    with pytest.raises(DataError, match=r"no th_AZ_VARIED/FT_test/batch<N> in"):
        read(tmp_path, split="test")


def test_limit_may_end_within_a_batch(root: Path) -> None:
    assert levels(read(root, limit=25)) == expected("th_AZ_VARIED", "FT_training")[:25]
    with pytest.raises(DataError, match="limit = 41 is more than the 40"):
        read(root, limit=41)


def test_other_variations_may_change_without_preparing_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(root)
    (root / "th_EL_VARIED/FT_training/batch2").write_bytes(b"changed")
    monkeypatch.setattr("gantk_data.readers.dcign_faces.read_tensor", None)

    assert read(root).fingerprint() == first.fingerprint()


def test_missing_variations_are_named(tmp_path: Path, root: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "empty", variations=["azimuth", "light"])
    assert caught.value.exit_code == 4
    assert f"no th_AZ_VARIED/, th_LIGHT_AZ_VARIED/, {ZIP} in" in str(caught.value)

    with pytest.raises(DataError, match=r"no th_SHAPE_VARIED/ in"):
        read(root, variations=["azimuth", "shape"])


def test_white_may_be_a_little_more_than_one(tmp_path: Path) -> None:
    white = np.full((20, 1, 150, 150), 1.0000002, dtype=np.float32)
    unpack(tmp_path, {"th_AZ_VARIED/FT_training/batch1": batch(white)})

    assert set(levels(read(tmp_path))) == {255}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "it ends too early"),
        (struct.pack("<ii", 8, 1), "it holds a function"),
        (batch(np.zeros((19, 1, 150, 150))), r"its sizes are \(19, 1, 150, 150\), expected \(20"),
        (batch(np.zeros((20, 1, 15, 15)), (20, 1, 150, 150)), "bytes of values are promised"),
        (batch(np.full((20, 1, 150, 150), 255.0)), "values go from 255 to 255, expected 0 to 1"),
        (batch(np.full((20, 1, 150, 150), -0.5)), "values go from -0.5"),
        (batch(np.full((20, 1, 150, 150), np.nan)), "values go from nan to nan"),
    ],
)
def test_damage_is_named(root: Path, data: bytes, complaint: str, cache: Path) -> None:
    (root / "th_AZ_VARIED/FT_training/batch10").write_bytes(data)

    with pytest.raises(DataError, match=complaint) as caught:
        read(root)

    assert "th_AZ_VARIED: FT_training/batch10: " in str(caught.value)
    assert caught.value.exit_code == 4


class TestConformance(DatasetConformance):
    of = "dataset dcign_faces"

    @pytest.fixture(autouse=True)
    def files(self, root: Path) -> None:
        self.root = root

    def make(self) -> Dataset:
        return read(self.root)
