"""Prepared data: made once, whole or absent."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_toolkit import preparation
from gan_toolkit.errors import DataError, Preempted, StorageError
from gan_toolkit.preparation import RowWriter, prepared


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


class Maker:
    """Counts how often it was called."""

    calls = 0

    def __call__(self, folder: Path) -> Mapping[str, Any]:
        self.calls += 1
        np.save(folder / "images.npy", np.arange(4, dtype=np.uint8))
        return {"call": self.calls}


def test_the_same_key_is_made_once() -> None:
    make = Maker()

    ready = [prepared("alpha", {"size": size}, make) for size in (1, 2, 1)]

    assert [one.facts["call"] for one in ready] == [1, 2, 1]
    assert ready[0].folder == ready[2].folder
    assert ready[0].arrays["images"].tolist() == [0, 1, 2, 3]


def test_writing_to_an_array_changes_no_file() -> None:
    ready = prepared("alpha", {}, Maker())

    ready.arrays["images"][0] = 9

    assert prepared("alpha", {}, Maker()).arrays["images"][0] == 0


def test_the_manifest_says_what_it_was_made_from() -> None:
    ready = prepared("alpha", {"size": 3}, Maker())

    manifest = json.loads((ready.folder / "manifest.json").read_text())
    assert manifest["key"]["size"] == 3
    assert manifest["files"]["images.npy"]["bytes"] == (ready.folder / "images.npy").stat().st_size
    assert len(manifest["files"]["images.npy"]["sha256"]) == 64


def test_a_maker_that_fails_leaves_nothing(cache: Path) -> None:
    def fail(folder: Path) -> Mapping[str, Any]:
        (folder / "half.npy").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepared("alpha", {}, fail)

    assert not [path for path in (cache / "alpha").iterdir() if path.is_dir()]
    assert prepared("alpha", {}, Maker()).facts == {"call": 1}


def test_what_a_killed_process_left_is_cleared() -> None:
    folder = prepared("alpha", {}, Maker()).folder
    folder.rename(folder.with_suffix(".unfinished"))

    assert prepared("alpha", {}, Maker()).facts == {"call": 1}
    assert not folder.with_suffix(".unfinished").exists()


def _cut(folder: Path) -> None:
    with (folder / "images.npy").open("r+b") as file:
        file.truncate(100)


def _lengthen(folder: Path) -> None:
    with (folder / "images.npy").open("ab") as file:
        file.write(b"\0")


def _edit(folder: Path) -> None:
    place = folder / "manifest.json"
    place.write_text(place.read_text().replace('"call": 1', '"call": 9'))


def _truncate_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def _replace_by_list(folder: Path) -> None:
    (folder / "manifest.json").write_text("[]")


def _remove(folder: Path) -> None:
    (folder / "images.npy").unlink()


def _pickled(folder: Path) -> None:
    """An array of objects is a pickle: numpy must refuse to open it."""
    place = folder / "images.npy"
    size = place.stat().st_size
    with place.open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": (4,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(size)


@pytest.mark.parametrize(
    "damage",
    [_cut, _lengthen, _edit, _truncate_manifest, _replace_by_list, _remove, _pickled],
)
def test_damaged_data_is_made_again_with_one_note(
    damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    folder = prepared("alpha", {}, Maker()).folder
    damage(folder)

    ready = prepared("alpha", {}, Maker())

    assert ready.arrays["images"].tolist() == [0, 1, 2, 3]
    assert ready.facts == {"call": 1}
    (note,) = caplog.messages
    assert "damaged" in note
    assert str(folder) in note


def test_a_disk_that_fills_up_leaves_nothing_half_done(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageError, match="No space left"):
        prepared("alpha", {}, Maker())

    assert not [path for path in (cache / "alpha").iterdir() if path.is_dir()]


def test_what_others_made_needs_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared("alpha", {}, Maker())
    monkeypatch.setattr(preparation, "_locked", lambda path: pytest.fail(f"locked {path}"))

    assert prepared("alpha", {}, Maker()).facts == {"call": 1}


def test_two_that_start_together_make_it_once() -> None:
    begun, go = threading.Event(), threading.Event()
    make = Maker()

    def slow(folder: Path) -> Mapping[str, Any]:
        begun.set()
        assert go.wait(20)
        return make(folder)

    found: list[Mapping[str, Any]] = []
    both = [
        threading.Thread(target=lambda: found.append(prepared("alpha", {}, slow).facts))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    assert begun.wait(20)
    go.set()
    for one in both:
        one.join(20)

    assert found == [{"call": 1}] * 2


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where a folder should be")

    with pytest.raises(StorageError, match=r"can't prepare data in .*GANTK_CACHE"):
        prepared("alpha", {}, Maker())


@pytest.mark.parametrize("name", ["source.bin", "cache/alpha.bin"])
def test_a_source_that_cannot_be_read_is_no_fault_of_the_cache(tmp_path: Path, name: str) -> None:
    source = tmp_path / name

    def make(folder: Path) -> Mapping[str, Any]:
        np.save(folder / "images.npy", np.frombuffer(source.read_bytes(), np.uint8))
        return {}

    with pytest.raises(DataError) as caught:
        prepared("alpha", {}, make)

    assert str(caught.value) == f"{source}: No such file or directory"


def test_what_cannot_fit_on_the_disk_is_not_begun(cache: Path) -> None:
    def make(folder: Path) -> dict[str, Any]:
        RowWriter(folder / "rows.npy", (1 << 40, 1 << 20))
        raise AssertionError("it had begun")

    with pytest.raises(
        StorageError, match=r"1,152,921,504,606,846,976 bytes are needed and [\d,]+ "
    ):
        prepared("alpha", {}, make)
    assert not [path for path in cache.rglob("*") if path.suffix != ".lock" and path.is_file()]


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "rows.npy", (3, 2, 2)) as rows:
        for row in (2, 0, 1):
            rows.write(row, np.full((1, 2, 2), row + 1, dtype=np.uint8))

    assert np.load(tmp_path / "rows.npy")[:, 0, 0].tolist() == [1, 2, 3]


class Stoppable:
    """Writes 8 rows, one at a time, and is stopped once by `error` before row 5."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error
        self.written: list[int] = []

    def __call__(self, folder: Path) -> Mapping[str, Any]:
        with RowWriter(folder / "images.npy", (8, 2), "alpha") as rows:
            seen = list(rows.notes.get("seen", []))
            for row in range(rows.done, 8):
                if row == 5 and self.error:
                    error, self.error = self.error, None
                    raise error
                rows.write(row, np.full((1, 2), row, np.uint8))
                seen.append(row)
                self.written.append(row)
                rows.mark(row + 1, {"seen": seen})
            rows.shorten(7)
        return {"seen": seen}


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (KeyboardInterrupt(), [5, 6, 7]),
        (Preempted(""), [5, 6, 7]),
        (OSError(28, "full"), [5, 6, 7]),
        (DataError("row 5 is bad"), [*range(8)]),
        (RuntimeError(), [*range(8)]),
    ],
)
def test_what_was_marked_before_a_stop_is_not_done_again(
    error: BaseException, again: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "_SYNC_BYTES", 1)
    make = Stoppable(error)

    with pytest.raises((type(error), StorageError)):
        prepared("alpha", {}, make)
    ready = prepared("alpha", {}, make)

    assert make.written == [0, 1, 2, 3, 4, *again]
    assert ready.facts == {"seen": [*range(8)]}
    assert ready.arrays["images"][:, 0].tolist() == [*range(7)]
    assert sorted(path.name for path in ready.folder.iterdir()) == ["images.npy", "manifest.json"]
    assert ready.fingerprint == prepared("alpha", {"other": 1}, Stoppable(None)).fingerprint


def test_little_work_is_marked_too_when_a_stop_ends_it() -> None:
    make = Stoppable(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        prepared("alpha", {}, make)
    prepared("alpha", {}, make)

    assert make.written == [*range(8)]


@pytest.mark.parametrize(("limit", "marked"), [(4, True), (5, False)])
def test_much_work_is_marked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, marked: bool
) -> None:
    monkeypatch.setattr(preparation, "_SYNC_BYTES", limit)

    with RowWriter(tmp_path / "rows.npy", (8, 2)) as rows:
        rows.write(0, np.zeros((2, 2), dtype=np.uint8))
        rows.mark(2)

        assert (tmp_path / "rows.marks").exists() == marked


def test_slow_work_is_marked_every_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "_SYNC_SECONDS", 0.0)

    with RowWriter(tmp_path / "rows.npy", (8, 2)) as rows:
        rows.mark(3)
        marked = json.loads((tmp_path / "rows.marks").read_text())

    assert marked["done"] == 3


def test_what_is_prepared_meanwhile_is_noted() -> None:
    before = prepared("alpha", {"size": 1}, Maker())

    with preparation.noting() as noted:
        made = prepared("alpha", {"size": 2}, Maker())
        prepared("alpha", {"size": 1}, Maker())
    prepared("alpha", {"size": 3}, Maker())

    assert [(one.folder, one.made) for one in noted] == [
        (made.folder, True),
        (before.folder, False),
    ]


def test_progress_is_told_now_and_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "gantk")
    monkeypatch.setattr(preparation, "_SECONDS", 0.0)

    with RowWriter(tmp_path / "rows.npy", (7, 2), "alpha") as rows:
        for done in (3, 6, 7):
            rows.mark(done)

    assert caplog.messages == [f"preparing alpha: {done}/7" for done in (3, 6, 7)]


def test_progress_counts_what_is_marked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "gantk")
    monkeypatch.setattr(preparation, "_SECONDS", 0.0)

    with RowWriter(tmp_path / "rows.npy", (40, 2), "alpha", items=2) as rows:
        rows.mark(1)

    assert caplog.messages == ["preparing alpha: 1/2"]


@pytest.mark.parametrize(
    "marks", ["{", "[]", '{"done": 3}', '{"shape": [9, 2], "done": 3, "notes": {"bad": 1}}']
)
def test_damaged_marks_are_as_good_as_none(tmp_path: Path, marks: str) -> None:
    (tmp_path / "rows.npy").touch()
    (tmp_path / "rows.marks").write_text(marks)

    with RowWriter(tmp_path / "rows.npy", (8, 2)) as rows:
        assert rows.done == 0
        assert not rows.notes


@pytest.mark.parametrize("row", [np.zeros((1, 2, 3), np.uint8), np.zeros((1, 2, 2), np.float32)])
def test_a_row_of_another_kind_is_refused(tmp_path: Path, row: Any) -> None:
    with (
        RowWriter(tmp_path / "rows.npy", (3, 2, 2)) as rows,
        pytest.raises(ValueError, match="a row is uint8"),
    ):
        rows.write(0, row)
