from __future__ import annotations

import io
import logging
import pickle  # noqa: TID251 - to write what must never be loaded
import zipfile
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import DspritesOptions
from gantk_data.readers.dsprites import dsprites

NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
SIZES = (1, 3, 2, 3, 2, 2)
COUNT = 72
SCALES, ORIENTATIONS, PLACES = (0.5, 1.0), (0.0, tau / 2, tau), (0.0, 1.0)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def arrays() -> dict[str, NDArray[Any]]:
    classes = np.stack(np.unravel_index(np.arange(COUNT), SIZES), axis=1)
    lists = ((1.0,), (1.0, 2.0, 3.0), SCALES, ORIENTATIONS, PLACES, PLACES)
    values = [np.array(v)[column] for v, column in zip(lists, classes.T, strict=True)]
    images = np.zeros((COUNT, 64, 64), dtype=np.uint8)
    for row, image in enumerate(images):
        image.flat[: row + 1] = 1
    return {
        "imgs": images,
        "latents_classes": classes.astype(np.int64),
        "latents_values": np.stack(values, axis=1),
    }


def write(path: Path, members: dict[str, NDArray[Any]], trap: Path | None = None) -> Path:
    """The archive in the layout of the real one: deflated, with a pickle first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if trap is not None:
            header = io.BytesIO()
            descr = {"descr": "|O", "fortran_order": False, "shape": ()}
            np.lib.format.write_array_header_1_0(header, descr)
            archive.writestr("metadata.npy", header.getvalue() + pickle.dumps(Trap(trap)))
        for name, array in members.items():
            file = io.BytesIO()
            np.lib.format.write_array(file, array, allow_pickle=True)
            archive.writestr(f"{name}.npy", file.getvalue())
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = DspritesOptions(root=str(root), **options)
    return dsprites(**{name: getattr(checked, name) for name in type(checked).model_fields})


def whites(data: ArrayDataset) -> list[int]:
    samples = data.batch(torch.arange(len(data))).samples
    assert set(samples.unique().tolist()) == {0, 255}
    return (samples == 255).sum(dim=(1, 2, 3)).tolist()


@pytest.mark.parametrize("place", ["", "dsprites"])
def test_sprites_and_factors_are_read(tmp_path: Path, place: str) -> None:
    write(tmp_path / place / NAME, arrays())

    data = read(tmp_path)

    factors = data.batch(torch.tensor([0, 1, 4, 71])).factors
    assert whites(data) == list(range(1, COUNT + 1))
    assert data.batch(torch.tensor([63])).samples[0, 0, 0].unique().tolist() == [255]
    assert data.name == "dSprites"
    assert data.sample_shape == (1, 64, 64)
    assert [f.name for f in data.factors] == ["shape", "scale", "orientation", "x", "y"]
    assert {f.kind for f in data.factors} == {"discrete"}
    assert data.factors[1].values == ("0.5", "1")
    assert data.factors[2].values == ("0", "3.142", "6.283")
    assert factors is not None
    assert factors.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [2, 1, 2, 1, 1]]


def test_the_pickle_beside_the_arrays_is_never_opened(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    path = write(tmp_path / NAME, arrays(), trap)

    assert len(read(tmp_path)) == COUNT

    assert not trap.exists()
    with np.load(path, allow_pickle=True) as archive:
        archive["metadata"]  # the trap is a trap
    assert trap.exists()


@pytest.mark.parametrize("name", ["imgs", "latents_classes"])
def test_objects_in_the_place_of_numbers_are_refused(tmp_path: Path, name: str) -> None:
    trap = tmp_path / "sprung"
    write(tmp_path / NAME, arrays() | {name: np.array([Trap(trap)], dtype=object)})

    with pytest.raises(DataError, match=f"array '{name}' can't be read: it holds Python objects"):
        read(tmp_path)

    assert not trap.exists()


def test_a_subset_is_spread_and_larger_ones_hold_smaller(tmp_path: Path) -> None:
    write(tmp_path / NAME, arrays())

    small, large = (read(tmp_path, subset=count) for count in (10, 20))

    factors = small.batch(torch.arange(10)).factors
    assert factors is not None
    assert set(whites(small)) < set(whites(large))
    assert whites(small) == sorted(whites(small))
    assert set(factors[:, 0].tolist()) == {0, 1, 2}
    rows = [white - 1 for white in whites(small)]
    assert factors[:, 0].tolist() == [row // 24 for row in rows]
    with pytest.raises(DataError, match="subset = 73 is more than the 72"):
        read(tmp_path, subset=73)


def test_the_archive_is_streamed_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / NAME, arrays())
    whole = read(tmp_path).fingerprint()
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr("gantk_data.streams._BYTES_AT_ONCE", 10 * 64 * 64)
    monkeypatch.setattr("gan_toolkit.preparation._SYNC_BYTES", 1)
    portions = []

    def stopping(path: Path, sprites: NDArray[np.uint8]) -> NDArray[np.uint8]:
        portions.append(len(sprites))
        if len(portions) == 4:
            raise KeyboardInterrupt
        return sprites[:, None] * np.uint8(255)

    monkeypatch.setattr("gantk_data.readers.dsprites._white", stopping)
    with pytest.raises(KeyboardInterrupt):
        read(tmp_path)
    again = read(tmp_path).fingerprint()

    assert max(portions) == 10
    assert portions == [10] * 3 + [10] + [10] * 4 + [2]
    assert again == whole


def test_what_is_not_as_published_is_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / NAME, arrays())

    with caplog.at_level(logging.WARNING, logger="gantk"):
        read(tmp_path)

    (record,) = caplog.records
    assert "the published file 7da33b31b13a06f4b04a70402ce90c2e" in record.getMessage()
    assert "holds 72 images, not 737,280" in record.getMessage()


def test_a_missing_file_is_named_with_its_places(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path)

    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert f"no {NAME} in {tmp_path} or {tmp_path / 'dsprites'}" in text
    assert "gantk data info dsprites" in text


def spoilt(fault: str) -> dict[str, NDArray[Any]]:
    members = arrays()
    if fault == "no array":
        del members["latents_values"]
    elif fault == "dtype":
        members["imgs"] = members["imgs"].astype(np.int16)
    elif fault == "side":
        members["imgs"] = members["imgs"][:, :32]
    elif fault == "fortran":
        members["imgs"] = np.asfortranarray(members["imgs"])
    elif fault == "fewer":
        members["imgs"] = members["imgs"][:-1]
    elif fault == "grid":
        members = {name: array[:-1] for name, array in members.items()}
    elif fault == "pixel":
        members["imgs"][5, 5, 5] = 7
    elif fault == "colour":
        members["latents_classes"][0, 0] = 1
    elif fault == "scale":
        members["latents_values"][0, 2] = 1.5
    elif fault == "nan":
        members["latents_values"][0, 2] = np.nan
    elif fault == "none":
        members = {name: array[:0] for name, array in members.items()}
    return members


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("no array", r"no array 'latents_values' in it; it holds imgs\.npy, latents_classes\.npy"),
        ("dtype", r"array 'imgs' is int16 \(72, 64, 64\), expected u1 \(N, 64, 64\)"),
        ("side", r"array 'imgs' is uint8 \(72, 32, 64\), expected u1"),
        ("fortran", r"array 'imgs' can't be read: its first axis is not the slowest"),
        ("fewer", r"71 images and 72 rows of latents"),
        ("grid", r"holds 71 samples, yet its factors take 3 x 2 x 3 x 2 x 2 = 72 combi"),
        ("pixel", r"a pixel is 7, expected 0 or 1"),
        ("colour", r"expected one colour, and the shapes 0, 1 and 2"),
        ("scale", r"scale goes from 0\.5 to 1\.5, expected 0\.5 to 1\.0"),
        ("nan", r"its latents are not numbers"),
        ("none", r"its header promises \(0, 6\)"),
    ],
)
def test_another_content_is_named(tmp_path: Path, fault: str, complaint: str) -> None:
    path = write(tmp_path / NAME, spoilt(fault))

    with pytest.raises(DataError, match=complaint) as caught:
        read(tmp_path)

    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_cut_archive_is_named(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / NAME, arrays())
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(DataError, match=r"dsprites_.*npz.* can't be read"):
        read(tmp_path)


def damage(path: Path, header: bytes) -> None:
    """An archive whose first array begins with these bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("latents_classes", "latents_values", "imgs"):
            archive.writestr(f"{name}.npy", header)


def npy(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\x93NUMPY\x03\x00",
        b"\x93NUMPY\x01\x00\xff\xff",
        npy("{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999, 6)}"),
        npy("{'descr': '<i8', 'fortran_order': False, 'shape': (-1, -6)}" + " " * 48),
        npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1, 6), 'x': __import__('os')}"),
        npy("(" * 9000),
        npy("'''"),
    ],
    ids=["empty", "version", "short", "huge", "negative", "code", "nested", "open"],
)
def test_a_dishonest_header_is_refused(tmp_path: Path, header: bytes) -> None:
    damage(tmp_path / NAME, header)

    with pytest.raises(DataError, match="array 'latents_classes' can't be read"):
        read(tmp_path)


class TestConformance(DatasetConformance):
    of = "dataset dsprites"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        write(self.root / NAME, arrays())

    def make(self) -> Dataset:
        return read(self.root)
