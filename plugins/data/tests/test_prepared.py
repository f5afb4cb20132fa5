from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan_toolkit import StorageError
from gantk_data.prepared import RowWriter, prepared


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
    assert ready[0].array("images").tolist() == [0, 1, 2, 3]


def test_writing_to_an_array_changes_no_file() -> None:
    ready = prepared("alpha", {}, Maker())

    ready.array("images")[0] = 9

    assert ready.array("images")[0] == 0


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


@pytest.mark.parametrize("name", ["manifest.json", "images.npy"])
def test_damaged_data_is_made_again_and_that_is_said(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = prepared("alpha", {}, Maker()).folder
    (folder / name).write_bytes(b"short")

    with caplog.at_level(logging.WARNING, logger="gantk"):
        ready = prepared("alpha", {}, Maker())

    assert ready.array("images").tolist() == [0, 1, 2, 3]
    assert "is damaged" in caplog.text


def test_a_cache_that_cannot_be_written_is_named(cache: Path) -> None:
    cache.write_text("a file where a folder should be")

    with pytest.raises(StorageError, match=r"can't prepare data in .*GANTK_CACHE"):
        prepared("alpha", {}, Maker())


def test_rows_come_in_any_order(tmp_path: Path) -> None:
    with RowWriter(tmp_path / "rows.npy", (3, 2, 2)) as rows:
        for row in (2, 0, 1):
            rows.write(row, np.full((2, 2), row + 1, dtype=np.uint8))

    assert np.load(tmp_path / "rows.npy")[:, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("row", [np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.float32)])
def test_a_row_of_another_kind_is_refused(tmp_path: Path, row: Any) -> None:
    with (
        RowWriter(tmp_path / "rows.npy", (3, 2, 2)) as rows,
        pytest.raises(ValueError, match="a row is uint8"),
    ):
        rows.write(0, row)
