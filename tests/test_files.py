from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gan_toolkit import files
from gan_toolkit.errors import StorageError
from gan_toolkit.testing.disks import FailingDisk, WatchedDisk

CODES = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT]


def complaint(act: Callable[[], object]) -> str:
    """Return the text of the StorageError that `act` raises; nothing when it succeeds."""
    try:
        act()
    except StorageError as error:
        return str(error)
    return ""


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_synced_before_it_gets_its_name_and_the_name_after(tmp_path, monkeypatch):
    disk = WatchedDisk()
    monkeypatch.setattr(files, "disk", disk)

    files.write_atomic(tmp_path / "note.txt", "Grüße")

    assert [what for what, _, _ in disk.done] == [
        "create",
        "write",
        "sync",
        "rename",
        "sync_folder",
    ]
    assert (tmp_path / "note.txt").read_bytes() == "Grüße".encode()
    assert inside(tmp_path) == ["note.txt"]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("lasting", [False, True])
def test_a_fault_at_any_operation_leaves_the_old_file_or_the_new_one(
    tmp_path, monkeypatch, code, lasting
):
    path = tmp_path / "note.txt"
    points = 0
    while True:
        path.write_text("old")
        disk = FailingDisk(points, code, lasting=lasting)
        monkeypatch.setattr(files, "disk", disk)
        text = complaint(partial(files.write_atomic, path, "new"))
        renamed = not disk.failed or disk.done[points][0] == "sync_folder"
        assert path.read_text() == ("new" if renamed else "old")
        assert (str(tmp_path) in text) == disk.failed
        assert inside(tmp_path) == ["note.txt"]
        if not disk.failed:
            break
        points += 1

    assert points == 5
    assert path.read_text() == "new"


def test_a_full_disk_is_told_with_path_needed_and_free(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "disk", FailingDisk(1))

    with pytest.raises(StorageError, match=r"disk full: .*: needed 2,000 bytes, [\d,]+ free") as e:
        files.write_atomic(tmp_path / "note.txt", b"x" * 2000)

    assert f"{tmp_path / 'note.txt'}: " in str(e.value)
    assert e.value.exit_code == 8


@pytest.mark.skipif(os.name == "nt", reason="RLIMIT_FSIZE")
def test_a_real_limit_on_file_size_is_told_the_same_way(tmp_path):
    import resource
    import signal

    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"disk full: .*needed 100,000 bytes"):
            files.write_atomic(tmp_path / "note.txt", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, former)
    assert inside(tmp_path) == []


def test_a_missing_folder_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="nowhere"):
        files.write_atomic(tmp_path / "nowhere" / "note.txt", "x")


def test_a_device_or_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(StorageError, match="pipe is not a regular file; choose another name"):
        files.write_atomic(tmp_path / "pipe", "new")

    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path):
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "note.txt").symlink_to(tmp_path / "precious")

    files.write_atomic(tmp_path / "note.txt", "new")

    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "note.txt").is_symlink()


def test_only_regular_files_are_read(tmp_path):
    (tmp_path / "real").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")

    assert files.read_bytes(tmp_path / "real", limit=3) == b"abc"
    with pytest.raises(StorageError, match="3 bytes, the limit is 2"):
        files.read_bytes(tmp_path / "real", limit=2)
    with pytest.raises(StorageError, match="links are not followed"):
        files.read_bytes(tmp_path / "link", limit=3)
    with pytest.raises(StorageError, match="not a regular file"):
        files.read_bytes(tmp_path / "pipe", limit=3)  # and does not wait for a writer
    with pytest.raises(StorageError, match="not a regular file"):
        files.read_bytes(tmp_path, limit=3)
    with pytest.raises(StorageError, match="No such file"):
        files.read_bytes(tmp_path / "none", limit=3)


def test_folders_are_made_with_those_above(tmp_path):
    files.make_folders(tmp_path / "a" / "b")
    files.make_folders(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below" / "deep"):
        with pytest.raises(StorageError, match=r"/file is not a folder"):
            files.make_folders(place)


def test_removing_a_tree_never_follows_a_link(tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    doomed = tmp_path / "doomed"
    (doomed / "inner").mkdir(parents=True)
    (doomed / "inner" / "file").write_text("")
    (doomed / "link").symlink_to(precious)

    files.remove_tree(doomed)
    files.remove_tree(tmp_path / "never there")

    assert inside(tmp_path) == ["precious"]
    assert inside(precious) == ["file"]


def test_what_dead_processes_left_is_removed_and_nothing_else(tmp_path):
    child = dead_process()
    for name in (f".tmp-{child}-0", f".tmp-{os.getpid()}-99999999", ".tmp-x", "file"):
        (tmp_path / name).write_text("")
    (tmp_path / f".tmp-{os.getppid()}-0").write_text("")  # its owner lives

    with files.temporary(tmp_path) as mine:
        mine.write_text("")
        removed = files.remove_stale(tmp_path)
        assert mine.exists()

    assert removed == sorted([f".tmp-{child}-0", f".tmp-{os.getpid()}-99999999"])
    assert inside(tmp_path) == sorted([".tmp-x", f".tmp-{os.getppid()}-0", "file"])


def test_a_left_over_of_our_own_number_is_not_in_the_way(tmp_path):
    with files.temporary(tmp_path) as first:
        number = int(first.name.rpartition("-")[2])
    (tmp_path / f".tmp-{os.getpid()}-{number + 1}").mkdir()

    files.write_atomic(tmp_path / "note.txt", "x")

    assert (tmp_path / "note.txt").read_text() == "x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text ü", "plain text ü"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\nb\tc", "a b c"),
        ("a\x00\x7f\x9bb", "ab"),
        ("a\u202eb\ud800", "ab"),
    ],
)
def test_printable_text_has_no_control_characters(text, shown):
    assert files.printable(text) == shown
