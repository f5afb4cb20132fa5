"""Making room: what may go, what never does, and who is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gan_toolkit.errors import StorageError
from gan_toolkit.files import PIN
from gan_toolkit.pruning import all_runs, choose, remove, size_of
from gan_toolkit.runs import RunFolder


def make(parent: Path, name: str, status: str = "finished", days: float = 0) -> RunFolder:
    """Make a run that ended so many days ago, with a model, a picture and two checkpoints."""
    run = RunFolder.create(parent, "tiny", name=name)
    ended = datetime.now(UTC) - timedelta(days=days)
    run.update(status=status, ended=ended.isoformat())
    run.model.write_bytes(b"model")
    run.metrics.append({"event": "log", "step": 6})
    for number in (1, 2):
        folder = run.checkpoints / f"{number:06d}-step{number:08d}"
        folder.mkdir(parents=True)
        (folder / "critic.safetensors").write_bytes(b"x" * 1000)
    return run


def names(run: RunFolder) -> list[str]:
    return sorted(path.name for path in run.checkpoints.iterdir())


def prune(parent: Path, **how: object) -> list[str]:
    """Prune, and return the runs it took something of."""
    removals = choose(all_runs(parent), **how)  # type: ignore[arg-type]
    for removal in removals:
        remove(removal)
    return [removal.run.folder.name for removal in removals]


def test_checkpoints_of_a_finished_run_go_and_all_else_stays(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    before = {path for path in run.folder.rglob("*") if run.checkpoints not in path.parents}

    (removal,) = choose(all_runs(tmp_path))
    remove(removal)

    assert removal.bytes == 2000
    assert names(run) == []
    assert set(run.folder.rglob("*")) - {run.folder / "run.lock"} == before


@pytest.mark.parametrize("status", ["stopped", "failed", "running", "created"])
def test_a_run_that_did_not_finish_keeps_its_checkpoints(tmp_path: Path, status: str) -> None:
    make(tmp_path, "a", status=status)

    assert choose(all_runs(tmp_path)) == []


def test_without_a_model_checkpoints_are_all_there_is(tmp_path: Path) -> None:
    make(tmp_path, "a").model.unlink()

    assert choose(all_runs(tmp_path)) == []


def test_a_pinned_checkpoint_stays(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    (run.checkpoints / "000001-step00000001" / PIN).touch()

    prune(tmp_path)

    assert names(run) == ["000001-step00000001"]


def test_the_newest_of_each_recipe_and_what_is_young_are_spared(tmp_path: Path) -> None:
    for name, days in (("old", 9), ("middle", 5), ("new", 1)):
        make(tmp_path, name, days=days)
    lone = RunFolder.create(tmp_path, "other", name="lone")
    lone.update(status="finished", ended="2020-01-01T00:00:00+00:00")

    assert prune(tmp_path, keep=2) == ["old"]
    assert prune(tmp_path, older=7) == []
    assert prune(tmp_path, older=3) == ["middle"]
    assert prune(tmp_path, keep=9) == []


def test_whole_runs_go_whatever_became_of_them(tmp_path: Path) -> None:
    run = make(tmp_path, "a", status="failed", days=9)
    make(tmp_path, "b")

    assert prune(tmp_path, whole=True, older=1) == ["a"]

    assert not run.folder.exists()
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["b"]


@pytest.mark.parametrize("whole", [False, True])
def test_a_run_that_is_held_is_left_alone(tmp_path: Path, whole: bool) -> None:
    run = make(tmp_path, "a")
    (removal,) = choose(all_runs(tmp_path), whole=whole)

    with run.lock(), pytest.raises(StorageError, match="is in use by process"):
        remove(removal)

    assert len(names(run)) == 2


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to a shelf, a run or checkpoints elsewhere, nor from inside what goes."""
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "runs"
    outside = make(elsewhere, "outside")
    run = make(here, "a")
    (here / "linked_shelf").symlink_to(outside.folder.parent)
    (here / "tiny" / "linked_run").symlink_to(outside.folder)
    linked = make(here, "linked_checkpoints")
    for folder in linked.checkpoints.iterdir():
        (folder / "critic.safetensors").unlink()
        folder.rmdir()
    linked.checkpoints.rmdir()
    linked.checkpoints.symlink_to(outside.checkpoints)
    (run.checkpoints / "000001-step00000001" / "link").symlink_to(outside.folder)

    assert prune(here) == ["a"]
    assert prune(here, whole=True) == ["a", "linked_checkpoints"]

    assert len(names(outside)) == 2
    assert outside.model.read_bytes() == b"model"


def test_a_run_that_can_not_be_read_is_listed_and_stays(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    (run.folder / "run.json").write_text("{")

    (found,) = all_runs(tmp_path)

    assert found.status == "damaged"
    assert "is damaged" in found.fault
    assert choose([found], whole=True) == []


def test_a_run_whose_process_is_gone_has_died(tmp_path: Path) -> None:
    run = make(tmp_path, "a", status="running")
    assert [found.status for found in all_runs(tmp_path)] == ["died"]

    with run.lock():
        assert [found.status for found in all_runs(tmp_path)] == ["running"]


def test_sizes_count_links_as_themselves(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 5000)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file").write_bytes(b"x" * 10)
    (inside / "link").symlink_to(tmp_path / "large")

    assert size_of(inside) == 10 + (inside / "link").lstat().st_size


def test_what_is_no_run_is_not_listed(tmp_path: Path) -> None:
    run = make(tmp_path, "a")
    (tmp_path / "tiny" / "notes").mkdir()
    (tmp_path / "tiny" / "notes.txt").touch()

    assert [found.folder for found in all_runs(tmp_path)] == [run.folder]


def test_the_age_of_a_run_without_times_is_that_of_its_folder(tmp_path: Path) -> None:
    run = make(tmp_path, "a", days=9)
    run.update(ended="yesterday", created=None)

    (found,) = all_runs(tmp_path)

    assert (datetime.now(UTC) - found.changed()).total_seconds() < 60


def test_no_folder_of_runs_is_no_run(tmp_path: Path) -> None:
    assert all_runs(tmp_path / "nothing") == []
