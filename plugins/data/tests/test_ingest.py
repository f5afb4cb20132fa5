from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gan_toolkit import DataError, RowWriter
from gantk_data import ingest as module
from gantk_data.archives import open_tree
from gantk_data.ingest import ingest
from gantk_data.pictures import BadPictureError

COUNT = 7


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"{number}.bin").write_bytes(bytes([number]))
    return folder


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FILES_AT_ONCE", 2)
    monkeypatch.setattr(module, "_AHEAD", 2)


def picture(name: str, data: bytes) -> NDArray[np.uint8]:
    assert name == f"{data[0]}.bin"
    return np.full((1, 2, 2), data[0] * 10, dtype=np.uint8)


def odd_only(name: str, data: bytes) -> NDArray[np.uint8]:
    if data[0] % 2 == 0:
        raise BadPictureError(f"{data[0]} is even")
    return picture(name, data)


def levels(path: Path) -> list[int]:
    return np.load(path, allow_pickle=False)[:, 0, 0, 0].tolist()


def test_pictures_lie_in_the_order_of_the_tree(files: Path, tmp_path: Path) -> None:
    target = tmp_path / "images.npy"

    with open_tree(files) as tree, RowWriter(target, (COUNT, 1, 2, 2)) as images:
        bad = ingest(tree, tree.names(), picture, images)

    assert bad == {}
    assert images.done == COUNT
    assert levels(target) == [0, 10, 20, 30, 40, 50, 60]


def test_rows_say_where_pictures_lie_and_what_is_wanted_which(files: Path, tmp_path: Path) -> None:
    target = tmp_path / "images.npy"
    rows = {"5.bin": 0, "1.bin": 2, "2.bin": 1}

    with open_tree(files) as tree, RowWriter(target, (3, 1, 2, 2)) as images:
        wanted = [name for name in tree.names() if name in rows]
        ingest(tree, wanted, picture, images, rows)

    assert levels(target) == [50, 20, 10]


def test_bad_pictures_are_left_out_and_returned(files: Path, tmp_path: Path) -> None:
    target = tmp_path / "images.npy"

    with open_tree(files) as tree, RowWriter(target, (COUNT, 1, 2, 2)) as images:
        bad = ingest(tree, tree.names(), odd_only, images)
        images.shorten(COUNT - len(bad))

    assert bad == {f"{number}.bin": f"{number} is even" for number in (0, 2, 4, 6)}
    assert levels(target) == [10, 30, 50]


def test_other_errors_end_it(files: Path, tmp_path: Path) -> None:
    def fail(name: str, data: bytes) -> NDArray[np.uint8]:
        raise DataError(f"{name} is of another size")

    with (
        open_tree(files) as tree,
        RowWriter(tmp_path / "images.npy", (COUNT, 1, 2, 2)) as images,
        pytest.raises(DataError, match=r"0\.bin is of another size"),
    ):
        ingest(tree, tree.names(), fail, images)


def test_what_was_stopped_goes_on_and_gives_the_same(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_toolkit.preparation._SYNC_BYTES", 1)
    target, shape = tmp_path / "images.npy", (COUNT, 1, 2, 2)
    later = set()

    def stopping(name: str, data: bytes) -> NDArray[np.uint8]:
        if data[0] == 5:
            raise KeyboardInterrupt
        return odd_only(name, data)

    def noting(name: str, data: bytes) -> NDArray[np.uint8]:
        later.add(name)
        return odd_only(name, data)

    with (
        open_tree(files) as tree,
        RowWriter(target, shape) as images,
        pytest.raises(KeyboardInterrupt),
    ):
        ingest(tree, tree.names(), stopping, images)
    with open_tree(files) as tree, RowWriter(target, shape) as images:
        bad = ingest(tree, tree.names(), noting, images)
        images.shorten(COUNT - len(bad))

    assert later == {"4.bin", "5.bin", "6.bin"}
    assert sorted(bad) == ["0.bin", "2.bin", "4.bin", "6.bin"]
    assert levels(target) == [10, 30, 50]


def test_large_files_are_taken_a_few_at_a_time(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 1)
    files_each = []
    genuine = module._worked

    def noting(work: Any, some: Any) -> Any:
        files_each.append(len(some))
        return genuine(work, some)

    monkeypatch.setattr(module, "_worked", noting)

    with open_tree(files) as tree, RowWriter(tmp_path / "images.npy", (COUNT, 1, 2, 2)) as images:
        ingest(tree, tree.names(), picture, images)

    assert files_each == [1] * COUNT


def test_files_that_cannot_be_read_count_as_bad_when_asked(files: Path, tmp_path: Path) -> None:
    (files / "3.bin").unlink()
    (files / "3.bin").symlink_to(files / "nowhere")
    target = tmp_path / "images.npy"

    with open_tree(files) as tree, RowWriter(target, (COUNT, 1, 2, 2)) as images:
        with pytest.raises(DataError, match=r"3\.bin: No such file"):
            ingest(tree, tree.names(), picture, images)
        images.mark(0)
        bad = ingest(tree, tree.names(), picture, images, unreadable=True)

    assert bad == {"3.bin": "it can't be read: No such file or directory"}
