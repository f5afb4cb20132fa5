from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from gan_toolkit import Dataset, Factor, StorageError, preparation
from gantk_worlds import prepared
from gantk_worlds.prepared import dataset
from gantk_worlds.world import World


class Greys(World):
    """Pictures of one grey; counts how often it is asked to render."""

    name: ClassVar[str] = "greys"
    version: ClassVar[int] = 1
    notice: ClassVar[str] = "greys: nobody's"
    factors = (Factor("grey", "continuous", high=255.0),)
    sample_shape = (1, 4, 4)

    def __init__(self, shift: int = 0) -> None:
        self.shift = shift
        self.options = {"shift": shift}
        self.rendered = 0

    def draw(self, indices: Tensor) -> Tensor:
        return ((indices + self.shift) % 251).float()[:, None]

    def render(self, table: Tensor) -> Tensor:
        self.rendered += len(table)
        return table.to(torch.uint8)[:, :, None, None].expand(-1, 1, 4, 4).contiguous()


def folders(cache: Path) -> list[Path]:
    return sorted(path for path in (cache / "greys").iterdir() if path.is_dir())


def greys(data: Dataset) -> list[int]:
    samples = data.batch(torch.arange(len(data))).samples
    assert (samples == samples[:, :, :1, :1]).all()
    return samples[:, 0, 0, 0].tolist()


def test_samples_and_factors_are_those_of_the_world(tmp_path: Path) -> None:
    data = dataset(Greys(), 7, 3, tmp_path)

    kept, factors = data.held_out(), data.batch(torch.tensor([5, 2])).factors
    assert kept is not None
    assert factors is not None
    assert greys(data) == [0, 1, 2, 3, 4, 5, 6]
    assert greys(kept) == [(2**31 + i) % 251 for i in range(3)]
    assert torch.equal(factors, torch.tensor([[5.0], [2.0]]))
    assert (data.name, data.source, data.notice) == ("greys", "synthetic", "greys: nobody's")
    assert data.factors == kept.factors == Greys.factors


def test_as_many_held_out_samples_are_still_others(tmp_path: Path) -> None:
    data = dataset(Greys(), 7, 7, tmp_path)

    kept = data.held_out()
    assert kept is not None
    assert greys(kept) != greys(data)


def test_what_was_rendered_once_is_not_rendered_again(tmp_path: Path) -> None:
    first, second = Greys(), Greys()

    once, again = dataset(first, 7, 3, tmp_path), dataset(second, 7, 3, tmp_path)

    assert (first.rendered, second.rendered) == (10, 0)
    assert greys(once) == greys(again)
    assert once.fingerprint() == again.fingerprint()


@pytest.mark.parametrize(
    ("world", "count"), [(Greys(shift=1), 7), (Greys(), 8)], ids=["option", "count"]
)
def test_other_options_are_other_data(tmp_path: Path, world: Greys, count: int) -> None:
    dataset(Greys(), 7, 0, tmp_path)

    dataset(world, count, 0, tmp_path)

    assert len(folders(tmp_path)) == 2


def test_a_new_version_is_rendered_anew(tmp_path: Path) -> None:
    class Newer(Greys):
        version = 2

    dataset(Greys(), 7, 0, tmp_path)
    newer = Newer()

    dataset(newer, 7, 0, tmp_path)

    assert newer.rendered == 7


def test_the_cache_folder_is_used_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path))

    dataset(Greys(), 7, 0, None)

    assert len(folders(tmp_path)) == 1


def test_the_manifest_says_what_the_arrays_are(tmp_path: Path) -> None:
    data = dataset(Greys(), 7, 0, tmp_path)
    (folder,) = folders(tmp_path)

    manifest = json.loads((folder / "manifest.json").read_text())
    facts = manifest["facts"]

    assert facts["fingerprint"] == data.fingerprint()
    assert manifest["key"]["options"] == {"shift": 0}
    assert facts["shape"] == [7, 1, 4, 4]
    assert facts["factors"][0]["name"] == "grey"
    assert facts["notice"] == "greys: nobody's"
    assert set(facts["versions"]) == {"gan_toolkit", "torch", "numpy"}
    assert sorted(path.name for path in folder.iterdir()) == [
        "factors.npy",
        "images.npy",
        "manifest.json",
    ]


# --- a cache that can't be written ---------------------------------------------------------


def _check_in_memory(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gantk")

    data = dataset(Greys(), 7, 0, cache)

    assert greys(data) == [0, 1, 2, 3, 4, 5, 6]
    (line,) = (record for record in caplog.records if record.name == "gantk")
    assert line.levelno == logging.INFO
    assert str(cache) in line.getMessage()
    assert "GANTK_CACHE" in line.getMessage()


def test_a_cache_that_is_no_folder_is_told_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    _check_in_memory(blocked, caplog)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_cache_is_told_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tmp_path.chmod(0o500)
    try:
        _check_in_memory(tmp_path, caplog)
    finally:
        tmp_path.chmod(0o700)


def test_memory_and_cache_hold_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()

    assert dataset(Greys(), 7, 0, blocked).fingerprint() == (
        dataset(Greys(), 7, 0, tmp_path).fingerprint()
    )


def test_too_much_for_the_memory_is_not_drawn_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setattr(prepared, "_MOST_IN_MEMORY", 7 * 16 - 1)

    with pytest.raises(StorageError, match=r"can't prepare data in .*GANTK_CACHE"):
        dataset(Greys(), 7, 0, blocked)


# --- several at once -----------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_at_once_make_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from gantk_worlds.chairs import ChairWorld\n"
        "from gantk_worlds.prepared import dataset\n"
        "print(dataset(ChairWorld(16), 20, 0, Path(sys.argv[1])).fingerprint())\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    prints = [process.communicate(timeout=120)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert prints[0] == prints[1] != ""
    made = [path for path in (tmp_path / "chairs-synthetic").iterdir() if path.is_dir()]
    assert len(made) == 1


# --- progress ------------------------------------------------------------------------------


def test_a_stopped_rendering_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_FEWEST", 3)
    monkeypatch.setattr(prepared, "_MOST", 3)
    monkeypatch.setattr(preparation, "_SYNC_BYTES", 1)
    drawn: list[int] = []

    class Stopped(Greys):
        def render(self, table: Tensor) -> Tensor:
            drawn.append(len(table))
            if len(drawn) == 3:
                raise KeyboardInterrupt
            return super().render(table)

    with pytest.raises(KeyboardInterrupt):
        dataset(Stopped(), 10, 0, tmp_path)
    data = dataset(Stopped(), 10, 0, tmp_path)

    assert drawn == [3, 3, 3, 3, 1]
    assert greys(data) == [*range(10)]
    assert data.fingerprint() == dataset(Greys(), 10, 0, tmp_path / "other").fingerprint()


@pytest.mark.parametrize(
    ("seconds", "rendered"), [(0.1, [48, 96, 192, 264]), (5, [48] * 12 + [24])]
)
def test_what_renders_slowly_is_rendered_fewer_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, rendered: list[int]
) -> None:
    """A stop is heard between two renderings: it loses what one takes."""
    asked: list[int] = []
    now = [0.0]

    class Slow(Greys):
        def render(self, table: Tensor) -> Tensor:
            asked.append(len(table))
            now[0] += seconds
            return super().render(table)

    monkeypatch.setattr(prepared, "monotonic", lambda: now[0])
    dataset(Slow(), 600, 0, tmp_path)

    assert asked == rendered


def test_rendering_leaves_the_number_of_threads_alone(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Curious(Greys):
        def render(self, table: Tensor) -> Tensor:
            seen.append(torch.get_num_threads())
            return super().render(table)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        dataset(Curious(), 7, 0, tmp_path)
        after = torch.get_num_threads()
    finally:
        torch.set_num_threads(before)

    assert (seen, after) == ([1], 2)
