from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gan_toolkit import ArrayDataset, DataError, Dataset, Registry
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data import gantk_register
from gantk_data.options import ArraysOptions, Layout
from gantk_data.readers.arrays import arrays, layout_of


def read(file: Path, **options: Any) -> ArrayDataset:
    checked = ArraysOptions(file=str(file), **options)
    return arrays(**{name: getattr(checked, name) for name in type(checked).model_fields})


def saved(path: Path, array: NDArray[Any], **others: NDArray[Any]) -> Path:
    if path.suffix == ".npz":
        np.savez_compressed(path, x=array, **others)
        return path
    np.save(path, array)
    for name, other in others.items():
        np.save(path.parent / f"{name}.npy", other)
    return path


def images(count: int = 5, side: int = 8, channels: int = 3) -> NDArray[np.uint8]:
    """(N, C, H, W) of distinct values."""
    size = count * channels * side * side
    return (np.arange(size) % 251).astype(np.uint8).reshape(count, channels, side, side)


def samples(data: ArrayDataset) -> NDArray[Any]:
    return data.batch(torch.arange(len(data))).samples.numpy()


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (images(), images()),
        (images().transpose(0, 2, 3, 1), images()),
        (images(channels=1), images(channels=1)),
        (images(channels=1)[:, 0], images(channels=1)),
        (images(channels=1)[:, 0] > 100, (images(channels=1) > 100) * 255),
    ],
    ids=["NCHW", "NHWC", "one channel", "NHW", "bool"],
)
def test_images_of_every_layout(
    tmp_path: Path, name: str, stored: NDArray[Any], expected: NDArray[Any]
) -> None:
    data = read(saved(tmp_path / name, np.ascontiguousarray(stored)))

    assert np.array_equal(samples(data), expected)
    assert data.name == name
    assert data.source == "real"
    assert data.batch(torch.tensor([0])).samples.dtype == torch.uint8


def test_images_in_the_order_of_fortran_are_read(tmp_path: Path) -> None:
    data = read(saved(tmp_path / "a.npy", np.asfortranarray(images())))

    assert np.array_equal(samples(data), images())


def test_a_uint8_array_is_mapped_and_not_copied(tmp_path: Path, cache: Path) -> None:
    data = read(saved(tmp_path / "a.npy", images()), limit=3)

    assert np.array_equal(samples(data), images()[:3])
    assert not list(cache.iterdir())


def test_what_must_be_changed_is_prepared_once(tmp_path: Path, cache: Path) -> None:
    path = saved(tmp_path / "a.npy", images().transpose(0, 2, 3, 1).copy())

    prints = {read(path).fingerprint(), read(path).fingerprint()}

    assert len(prints) == 1
    assert len(list((cache / "arrays").glob("*/manifest.json"))) == 1


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int16"])
def test_a_range_says_what_is_black_and_white(tmp_path: Path, kind: str) -> None:
    values = np.array([-2, -1, 0, 1, 2]).astype(kind)
    path = saved(tmp_path / "a.npy", np.tile(values[:, None, None], (1, 4, 4)))

    data = read(path, range=[-2, 2])

    assert samples(data)[:, 0, 0, 0].tolist() == [0, 64, 128, 191, 255]


def test_a_range_stretches_bytes_too(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", np.ones((2, 4, 4), dtype=np.uint8))

    assert samples(read(path, range=[0, 1])).max() == 255


@pytest.mark.parametrize("value", [1.1, -0.01, np.nan, np.inf])
def test_a_value_outside_the_range_is_refused(tmp_path: Path, value: float) -> None:
    stored = np.zeros((3, 4, 4), dtype=np.float32)
    stored[2, 1, 1] = value
    path = saved(tmp_path / "a.npy", stored)

    with pytest.raises(DataError, match=r"a\.npy: it has a value .*, outside data\.range \[0, 1\]"):
        read(path, range=[0, 1])


@pytest.mark.parametrize(
    ("shape", "asked", "found"),
    [
        ((9, 28, 28), "auto", "NHW"),
        ((9, 32, 32, 3), "auto", "NHWC"),
        ((9, 3, 32, 32), "auto", "NCHW"),
        ((9, 3, 3, 3), "NCHW", "NCHW"),
        ((9, 1, 1, 1), "NHWC", "NHWC"),
        ((9, 3, 8, 1), "NHWC", "NHWC"),
    ],
)
def test_layouts(shape: tuple[int, ...], asked: Layout, found: Layout) -> None:
    assert layout_of(shape, asked, "a") == found


@pytest.mark.parametrize(
    ("shape", "asked", "complaint"),
    [
        ((9, 3, 32, 3), "auto", 'both could be channels; set data.layout = "NHWC" or "NCHW"'),
        ((9, 8, 32, 8), "auto", "neither is 1 or 3 channels"),
        ((9, 4, 32, 32), "NCHW", "4 channels; expected 1 or 3"),
        ((9, 28, 28), "NCHW", "no images as data.layout = 'NCHW' says"),
        ((9, 784), "auto", "no images as data.layout = 'auto' says; images are"),
        ((9,), "auto", "no images"),
    ],
)
def test_what_is_uncertain_is_refused(
    shape: tuple[int, ...], asked: Layout, complaint: str
) -> None:
    with pytest.raises(DataError) as caught:
        layout_of(shape, asked, "a.npy")

    assert f"a.npy is {shape}" in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_points(tmp_path: Path, name: str, kind: str) -> None:
    points = np.random.default_rng(0).normal(size=(7, 2)).astype(kind)

    data = read(saved(tmp_path / name, points))

    assert data.sample_shape == (2,)
    assert np.array_equal(samples(data), points.astype(np.float32))


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "f4"), (np.inf, "f4"), (1e300, "f8")])
def test_a_point_that_is_not_finite_is_named(tmp_path: Path, value: float, kind: str) -> None:
    points = np.zeros((7, 2), dtype=kind)
    points[5, 1] = value

    with pytest.raises(DataError, match=r"a\.npy: point 5 is not finite"):
        read(saved(tmp_path / "a.npy", points))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_labels_and_factors_stand_beside_the_images(tmp_path: Path, name: str) -> None:
    path = saved(
        tmp_path / name,
        images(),
        y=np.array([7, 3, 7, 7, 3]),
        z=np.array([[0.5, 2.0], [1.5, 2.0], [0.0, 3.0], [0.0, 3.0], [0.0, 3.5]]),
        k=np.array([4, 2, 4, 2, 2]),
    )
    end = ".npy" if name.endswith("npy") else ""
    chosen = {} if end else {"images": "x"}

    data = read(path, labels=f"y{end}", factors=f"z{end}", factor_names=["a", "b"], **chosen)
    other = read(path, factors=f"k{end}", limit=4, **chosen)

    batch = data.batch(torch.arange(5))
    assert data.classes == ("3", "7")
    assert batch.labels is not None
    assert batch.labels.tolist() == [1, 0, 1, 1, 0]
    assert batch.factors is not None
    assert batch.factors[1].tolist() == [1.5, 2.0]
    assert [(f.name, f.kind, f.low, f.high) for f in data.factors] == [
        ("a", "continuous", 0.0, 1.5),
        ("b", "continuous", 2.0, 3.5),
    ]
    assert [(f.name, f.kind, f.values) for f in other.factors] == [
        ("factor 1", "discrete", ("2", "4"))
    ]
    factors = other.batch(torch.arange(4)).factors
    assert factors is not None
    assert factors[:, 0].tolist() == [1, 0, 1, 0]


def test_labels_may_be_texts_or_have_names(tmp_path: Path) -> None:
    texts = np.array(["dog", "cat", "dog", "ant", "ant"])
    path = saved(tmp_path / "a.npy", images(), t=texts, y=np.array([2, 0, 2, 0, 0]))

    named = read(path, labels="y.npy", classes=["zero", "one", "two"])

    assert read(path, labels="t.npy").classes == ("ant", "cat", "dog")
    assert named.classes == ("zero", "one", "two")
    found = named.batch(torch.arange(5)).labels
    assert found is not None
    assert found.tolist() == [2, 0, 2, 0, 0]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, r"a\.npz holds 5 arrays \(x, y, f, short, bad\); say which in data\.images"),
        ({"images": "X"}, "no array 'X' in it"),
        ({"images": "x", "labels": "f"}, r"array 'f' is float64 .*; labels are whole numbers"),
        ({"images": "x", "labels": "short"}, "array 'short' has 2 rows, there are 5 samples"),
        ({"images": "x", "limit": 2, "labels": "short"}, "has 2 rows, there are 5 samples"),
        ({"images": "x", "labels": "y", "classes": ["a"]}, "from 0 to 1, but .* 1 classes"),
        ({"images": "x", "classes": ["a"]}, r"data\.classes names data\.labels"),
        ({"images": "x", "factor_names": ["a"]}, r"data\.factor_names names data\.factors"),
        ({"images": "x", "factors": "f", "factor_names": ["a"]}, "has 2 columns, .* names 1"),
        ({"images": "x", "factors": "bad"}, "factor 1 holds a value that is not finite"),
        ({"images": "x", "factors": "x"}, "factors are numbers"),
        ({"images": "x", "range": [1, 0]}, "its first number must be the smaller one"),
        ({"images": "x", "limit": 6}, "limit = 6 is more than the 5 samples"),
        ({"images": "f", "layout": "NHW"}, ""),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    path = saved(
        tmp_path / "a.npz",
        images(),
        y=np.array([0, 1, 0, 1, 1]),
        f=np.zeros((5, 2)),
        short=np.array([0, 1]),
        bad=np.array([0, np.nan, 0, 0, 0]),
    )
    if not complaint:
        assert read(path, **options).sample_shape == (2,)
        return

    with pytest.raises(DataError, match=complaint):
        read(path, **options)


def test_a_type_without_a_range_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", np.zeros((2, 4, 4), dtype=np.float32))

    with pytest.raises(DataError, match=r"holds float32; set data\.range = \[low, high\]"):
        read(path)


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros(2, dtype="c8"), np.zeros(2, "M8[s]")])
def test_what_is_no_number_is_refused(tmp_path: Path, array: NDArray[Any]) -> None:
    with pytest.raises(DataError, match="expected numbers"):
        read(saved(tmp_path / "a.npy", array))


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("/tmp/executed"),))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_objects_are_never_loaded(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    if name == "a.npy":
        (tmp_path / name).write_bytes(file.getvalue())
    else:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("x.npy", file.getvalue())
    touched: list[Any] = []
    monkeypatch.setattr(Path, "touch", lambda *rest: touched.append(rest))

    with pytest.raises(DataError, match=r"pickle, which is never read|objects, which are never"):
        read(tmp_path / name)

    assert not touched


@pytest.mark.parametrize("length", [0, 5, 60, 130, 1000])
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_cut_file_is_refused(tmp_path: Path, name: str, length: int) -> None:
    path = saved(tmp_path / name, np.random.default_rng(0).integers(0, 255, (5, 3, 8, 8), np.uint8))
    assert len(path.read_bytes()) > length
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(DataError, match=name):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.file: there is no file .*nowhere\.npy"):
        read(tmp_path / "nowhere.npy")


def test_a_name_of_an_array_needs_an_archive(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", images())

    with pytest.raises(DataError, match=r"data\.images names an array of an \.npz"):
        read(path, images="x")
    with pytest.raises(DataError, match=r"'y' is no \.npy file"):
        read(path, labels="y")


@pytest.mark.parametrize("shape", [(0, 4, 4), (4, 0)])
def test_an_empty_array_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"a\.npy: it holds nothing"):
        read(saved(tmp_path / "a.npy", np.zeros(shape, dtype=np.float32)))


def test_a_table_of_no_factors_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npy", images())
    np.save(tmp_path / "none.npy", np.zeros((5, 0)))

    with pytest.raises(DataError, match=r"none\.npy: it holds nothing"):
        read(path, factors="none.npy")


def test_the_option_is_offered() -> None:
    registry = Registry()
    gantk_register(registry)

    assert registry.get("dataset", "arrays").load() is arrays


@pytest.mark.parametrize("shape", [(0, 8, 8), (20, 8, 0), (20, 0), ()], ids=str)
def test_a_npy_without_a_value_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = saved(tmp_path / "void.npy", np.zeros(shape, dtype=np.float32))

    with pytest.raises(DataError, match=r"void\.npy: it holds nothing, \("):
        read(file)


class TestConformance(DatasetConformance):
    of = "dataset arrays"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        self.root.mkdir()
        saved(self.root / "a.npz", images(), y=np.arange(5) % 2)

    def make(self) -> Dataset:
        return read(self.root / "a.npz", images="x", labels="y")
