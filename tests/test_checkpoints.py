from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import time
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_toolkit import files
from gan_toolkit.checkpoints import MANIFEST, PIN, Checkpoint, CheckpointStore
from gan_toolkit.errors import StorageError
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.disks import FailingDisk, HastyDisk, WatchedDisk


def snapshot(step: int) -> Snapshot:
    """Return a snapshot every value of which says its step, so that tearing shows."""
    value = torch.full((8,), float(step))
    return Snapshot(
        {
            "generator": {"weight": value, "bias": value[:1]},
            "critic": {"weight": value.bfloat16()},
            "random": {"torch": torch.full((16,), step % 256, dtype=torch.uint8)},
        },
        {"steps_done": step, "rate": 0.1 * step},
    )


def save(store: CheckpointStore, step: int) -> Path:
    return store.save(snapshot(step), step=step, extra={"recipe_digest": "abc"})


def newest_step(folder: Path) -> int:
    """Return the step of the newest checkpoint, once it is seen to be whole and of one step."""
    checkpoint = CheckpointStore(folder, "run").newest([])
    if checkpoint is None:
        return 0
    assert difference(checkpoint.load(), snapshot(checkpoint.step)) == []
    return checkpoint.step


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", "run", keep=2)


# --- what a checkpoint is ------------------------------------------------------------------


def test_what_is_saved_comes_back_bit_for_bit(store):
    rich = Snapshot(
        {
            "generator": {"a": torch.randn(3, 4).t(), "nan": torch.tensor([float("nan"), -0.0])},
            "optimisers": {"step": torch.tensor(7.0), "empty": torch.zeros(0, 3)},
            "nothing": {},
        },
        {"rate": 0.1 + 0.2, "big": 2**80, "text": "ü\ud800", "list": [1, 1.0, True, None, -0.0]},
    )

    store.save(rich, step=3, extra={})

    checkpoint = store.newest([])
    assert checkpoint is not None
    assert difference(checkpoint.load(), rich) == []


def test_tensors_that_share_memory_are_kept_apart(store):
    weight = torch.arange(4.0)
    shared = Snapshot({"generator": {"a": weight, "b": weight, "c": weight[2:]}})

    store.save(shared, step=1, extra={})

    checkpoint = store.newest([])
    assert checkpoint is not None
    assert difference(checkpoint.load(), shared) == []


def test_later_changes_of_the_tensors_do_not_reach_the_file(store):
    changing = snapshot(1)
    store.save(changing, step=1, extra={})
    for tensors in changing.tensors.values():
        for tensor in tensors.values():
            tensor.zero_()

    assert newest_step(store.folder) == 1


def test_the_folder_and_its_manifest_say_what_they_hold(store):
    folder = save(store, 21_000)

    manifest = json.loads((folder / MANIFEST).read_text())
    assert folder.name == "000001-step00021000"
    assert sorted(p.name for p in folder.iterdir()) == sorted([MANIFEST, *manifest["files"]])
    assert (manifest["run"], manifest["sequence"], manifest["step"]) == ("run", 1, 21_000)
    assert manifest["recipe_digest"] == "abc"
    assert manifest["versions"].keys() == {"gan-toolkit", "torch"}
    facts = manifest["files"]["generator.safetensors"]
    assert facts["tensors"] == 2
    assert facts["bytes"] == (folder / "generator.safetensors").stat().st_size
    assert len(facts["sha256"]) == 64


def test_equal_snapshots_give_equal_files_whatever_the_run(store, tmp_path):
    one, other = save(store, 5), save(CheckpointStore(tmp_path / "other", "another"), 5)

    for path in one.iterdir():
        if path.name != MANIFEST:
            assert path.read_bytes() == (other / path.name).read_bytes()


def test_extra_facts_may_not_hide_our_own(store):
    with pytest.raises(ValueError, match="manifest writes run, step itself"):
        store.save(snapshot(1), step=1, extra={"run": "x", "step": 2})
    assert list(store.folder.iterdir()) == []


def test_nothing_is_no_checkpoint(store):
    notes: list[str] = []

    assert store.newest(notes) is None
    assert notes == []
    assert not store.folder.exists()  # reading changes nothing


# --- order and retention -------------------------------------------------------------------


def test_everything_is_synced_before_it_is_renamed_and_removed_only_after(store, monkeypatch):
    save(store, 1)
    save(store, 2)
    disk = WatchedDisk()
    monkeypatch.setattr(files, "disk", disk)

    final = save(store, 3)

    calls = [(what, path.name) for what, path, _ in disk.done]
    unfinished = calls[0][1]
    commit = calls.index(("rename", unfinished))
    written = [name for what, name in calls if what == "write"]
    assert calls[0] == ("make_folder", unfinished)
    assert written[-1] == MANIFEST
    assert all(calls.index(("sync", name)) < commit for name in written)
    assert calls[commit - 1] == ("sync_folder", unfinished)
    assert calls[commit + 1] == ("sync_folder", store.folder.name)
    assert disk.done[commit][2] == final
    assert "remove" not in [what for what, _ in calls[: commit + 2]]
    assert calls[commit + 2] == ("rename", "000001-step00000001")


def test_only_the_newest_are_kept(store):
    for step in (1, 2, 3, 4):
        save(store, step)

    assert sorted(p.name for p in store.folder.iterdir()) == [
        "000003-step00000003",
        "000004-step00000004",
    ]


def test_what_will_not_fit_is_refused_before_it_is_written(store, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(0, 0, 300))

    store.require_room(100)  # keep = 2, and one more while the oldest is still there
    with pytest.raises(StorageError, match=r"3 checkpoints of 101 bytes don't fit into 300 free"):
        store.require_room(101)
    save(store, 1)
    store.require_room(101)


def test_the_newest_is_found_by_number_whatever_the_clock_or_the_step_says(store):
    for step, moment in ((30, 2e9), (20, 1e9), (10, 1)):
        os.utime(save(store, step), (moment, moment))

    checkpoint = store.newest([])
    assert checkpoint is not None
    assert (checkpoint.sequence, checkpoint.step) == (3, 10)


def test_retention_touches_only_what_is_proved_to_be_ours(store):
    foreign = CheckpointStore(store.folder, "another", keep=1)
    theirs = save(foreign, 1)
    pinned = save(store, 2)
    (pinned / PIN).touch()
    unreadable = save(store, 3)
    (unreadable / MANIFEST).write_text("{")
    (store.folder / "000000-step00000000").mkdir()
    (store.folder / "notes").mkdir()
    (store.folder / "file").write_text("")

    for step in range(4, 9):
        save(store, step)

    assert sorted(p.name for p in store.folder.iterdir()) == sorted(
        [
            theirs.name,
            pinned.name,
            unreadable.name,
            "000000-step00000000",
            "notes",
            "file",
            "000007-step00000007",
            "000008-step00000008",
        ]
    )


def test_a_new_number_is_above_every_old_one_damaged_ones_included(store):
    (save(store, 1) / MANIFEST).unlink()
    (store.folder / "000041-step00000002").mkdir()

    assert save(store, 3).name == "000042-step00000003"


def test_a_checkpoint_of_another_run_is_not_resumed_from(store):
    save(store, 1)
    save(CheckpointStore(store.folder, "another"), 2)
    notes: list[str] = []

    checkpoint = store.newest(notes)

    assert checkpoint is not None
    assert checkpoint.step == 1
    assert ["another run" in note for note in notes] == [True]


def test_nothing_is_followed_behind_a_link(tmp_path):
    outside = tmp_path / "outside"
    save(CheckpointStore(outside, "run"), 1)
    before = sorted(outside.rglob("*"))
    linked = CheckpointStore(tmp_path / "checkpoints", "run", keep=1)
    linked.folder.symlink_to(outside)

    for act in (lambda: save(linked, 2), lambda: linked.newest([]), linked.clean):
        with pytest.raises(StorageError, match="is a link"):
            act()

    real = CheckpointStore(tmp_path / "real", "run", keep=1)
    save(real, 5)
    (real.folder / "000000-step00000000").symlink_to(outside / "000001-step00000001")
    save(real, 6)
    assert sorted(outside.rglob("*")) == before


def test_what_a_dead_writer_left_is_removed_at_the_first_save(store):
    (store.folder / f".tmp-{os.getpid()}-99999999").mkdir(parents=True)

    save(store, 1)

    assert [p.name for p in store.folder.iterdir()] == ["000001-step00000001"]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.sampled_from(["save", "damage", "copy", "pin", "touch"]), max_size=10),
    st.randoms(use_true_random=False),
)
def test_in_any_history_the_newest_whole_checkpoint_exists_at_every_instant(
    tmp_path_factory, acts, draw
):
    store = CheckpointStore(tmp_path_factory.mktemp("run") / "checkpoints", "run", keep=2)
    step, whole = 1, 1
    save(store, 1)
    for act in acts:
        folder = draw.choice(store.all([])).folder
        if act == "save":
            step += 1
            whole = step
            save(store, step)
        elif act == "damage" and newest_step(store.folder) != folder_step(folder):
            (folder / "state.json").write_text("{}")
        elif act == "copy":
            shutil.copytree(folder, folder.with_name(f"copy of {folder.name}"), dirs_exist_ok=True)
        elif act == "pin":
            (folder / PIN).touch()
        else:
            os.utime(folder, (draw.randrange(2**31), draw.randrange(2**31)))
        assert newest_step(store.folder) == whole


def folder_step(folder: Path) -> int:
    return int(folder.name.rpartition("step")[2])


# --- damage --------------------------------------------------------------------------------


def test_a_damaged_file_is_named_and_the_checkpoint_before_it_is_used(store):
    save(store, 1)
    names = [path.name for path in save(store, 2).iterdir()]
    for name in names:
        for cut in ("gone", "short", "empty", "longer", "flipped"):
            folder = save(store, 3)
            damage(folder / name, cut)
            notes: list[str] = []

            checkpoint = store.newest(notes)

            assert checkpoint is not None, (name, cut)
            assert checkpoint.step < 3
            assert len(notes) == 1
            assert str(folder / name) in notes[0]
            shutil.rmtree(folder)
            save(store, 2)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    if how == "gone":
        path.unlink()
    elif how == "short":
        path.write_bytes(content[:-2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "longer":
        path.write_bytes(content + b"x")
    else:
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 0x80]) + content[middle + 1 :])


def test_every_changed_byte_of_a_body_is_found(store):
    folder = save(store, 1)
    path = folder / "generator.safetensors"
    content = bytearray(path.read_bytes())
    checkpoint = Checkpoint(folder, store.all([])[0].manifest)
    with path.open("r+b", buffering=0) as file:
        for place in range(len(content)):
            changed = content.copy()
            changed[place] ^= 1
            file.seek(0)
            file.write(changed)
            with pytest.raises(StorageError, match=r"generator\.safetensors"):
                checkpoint.verify()


def test_files_of_two_steps_are_not_mixed_and_both_are_named(store):
    one, two = save(store, 1), save(store, 2)
    shutil.copy(one / "generator.safetensors", two / "generator.safetensors")
    notes: list[str] = []

    checkpoint = store.newest(notes)

    assert checkpoint is not None
    assert checkpoint.step == 1
    assert "belongs to step 1, this checkpoint is step 2" in notes[0]


def test_a_file_that_changes_after_the_check_is_still_found(store):
    folder = save(store, 1)
    checkpoint = store.newest([])
    assert checkpoint is not None
    path = folder / "critic.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x55")  # a value, not the header

    with pytest.raises(StorageError, match=r"critic\.safetensors"):
        checkpoint.load()


def test_a_linked_file_is_not_read(store, tmp_path):
    folder = save(store, 1)
    shutil.move(folder / "state.json", tmp_path / "elsewhere")
    (folder / "state.json").symlink_to(tmp_path / "elsewhere")
    notes: list[str] = []

    assert store.newest(notes) is None
    assert "links are not followed" in notes[0]


NAMES = ["..", "../x", "/etc/passwd", "a/b", "a\\b", "c:x", "a\0b", "x" * 300, "CON", ".", ""]


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}.safetensors" for name in NAMES)])
def test_a_manifest_can_not_name_a_place_elsewhere(store, name):
    folder = save(store, 1)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = manifest["files"]["generator.safetensors"]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    notes: list[str] = []

    assert store.newest(notes) is None
    assert len(notes) == 1
    assert "lists a file named" in notes[0]
    assert notes[0].isprintable()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", None),
        ("format", 2),
        ("format", "1"),
        ("run", ["os.system"]),
        ("sequence", "1"),
        ("sequence", True),
        ("step", -1),
        ("step", 1.5),
        ("files", []),
        ("files", {}),
        ("files", {"state.json": {"bytes": 10**15, "sha256": 1}}),
        ("files", {"state.json": "x"}),
    ],
)
def test_a_manifest_of_the_wrong_kind_is_refused_and_named(store, key, value):
    folder = save(store, 1)
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, key: value}))
    notes: list[str] = []

    assert store.newest(notes) is None
    assert [str(folder / MANIFEST) in note for note in notes] == [True]


def test_a_pickle_in_the_folder_is_never_opened(store, tmp_path):
    folder = save(store, 1)
    content = b"cposix\nsystem\n(S'touch " + str(tmp_path / "marker").encode() + b"'\ntR."
    for name in ("model.pt", "extra.pkl", "random.npy"):
        (folder / name).write_bytes(content)
    (folder / "critic.safetensors").write_bytes(content)

    assert store.newest([]) is None
    (folder / "critic.safetensors").write_bytes(safetensors.torch.save({}))
    assert store.newest([]) is None
    assert not (tmp_path / "marker").exists()


# --- faults at every operation -------------------------------------------------------------


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("lasting", [False, True])
def test_a_fault_at_any_operation_leaves_a_whole_checkpoint(
    tmp_path, monkeypatch, code, lasting, record_testsuite_property
):
    points = 0
    while True:
        folder = tmp_path / f"at {points}" / "checkpoints"
        store = CheckpointStore(folder, "run", keep=1)
        save(store, 1)
        disk = FailingDisk(points, code, lasting=lasting)
        monkeypatch.setattr(files, "disk", disk)
        text = complaint(partial(save, store, 2))
        monkeypatch.setattr(files, "disk", HastyDisk())
        assert not text or (str(folder) in text)
        assert not text or ("disk full" in text) == (code == errno.ENOSPC)
        assert newest_step(folder) == (2 if committed(disk) else 1)
        save(CheckpointStore(folder, "run", keep=1), 3)  # it goes on, and nothing is left over
        assert [path.name[6:] for path in folder.iterdir()] == ["-step00000003"]
        if not disk.failed:
            break
        points += 1

    record_testsuite_property(f"fault points, errno {code}, lasting {lasting}", points)
    assert points > 20


def complaint(act: Callable[[], object]) -> str:
    """Return the text of the StorageError that `act` raises; nothing when it succeeds."""
    try:
        act()
    except StorageError as error:
        return str(error)
    return ""


def committed(disk: FailingDisk) -> bool:
    """Return whether the rename that commits was done."""
    renames = [n for n, (what, _, _) in enumerate(disk.done) if what == "rename"]
    return bool(renames) and renames[0] != disk.at


# --- kill -9 -------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kills", [10, pytest.param(1000, marks=pytest.mark.slow)])
def test_a_writer_that_is_killed_loses_nothing_it_committed(tmp_path, kills):
    folder = tmp_path / "checkpoints"
    draw = random.Random(7)
    last = 0
    for _ in range(kills):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            write_without_pause(folder, last, writer)
        os.close(writer)
        os.read(reader, 1)  # it has begun
        time.sleep(draw.uniform(0.001, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told = os.read(reader, 1 << 20)
        os.close(reader)

        step = newest_step(folder)

        assert step >= last + len(told)
        last = step
    assert last > 0
    save(CheckpointStore(folder, "run", keep=2), last + 1)
    assert len(list(folder.iterdir())) == 2  # no temporary is left


def write_without_pause(folder: Path, step: int, tell: int) -> None:
    """Save for ever, telling a byte for each checkpoint committed; never returns."""
    try:
        store = CheckpointStore(folder, "run", keep=2)
        os.write(tell, b".")
        while True:
            step += 1
            save(store, step)
            os.write(tell, b".")
    finally:
        os._exit(1)


# --- power cut -----------------------------------------------------------------------------


@dataclass
class File:
    data: bytes = b""
    durable: bytes | None = None


@dataclass
class Folder:
    names: dict[str, File | Folder] = field(default_factory=dict)
    durable: dict[str, File | Folder] = field(default_factory=dict)


class PowerCut:
    """Replays operations on a disk of which only what was synced is sure to survive."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = self._read(root)

    def do(self, what: str, path: Path, data: object) -> None:
        if what == "sync_folder":
            synced = self._folder(path)
            synced.durable = dict(synced.names)
            return
        folder = self._folder(path.parent)
        if what == "make_folder":
            folder.names[path.name] = Folder()
        elif what == "create":
            folder.names[path.name] = File()
        elif what == "write":
            folder.names[path.name].data += data
        elif what == "sync":
            folder.names[path.name].durable = folder.names[path.name].data
        elif what == "rename":
            self._folder(data.parent).names[data.name] = folder.names.pop(path.name)
        else:
            assert what == "remove"
            del folder.names[path.name]

    def survive(self, place: Path, how: str) -> None:
        self._write(self.tree, place, how)

    def _folder(self, path: Path) -> Folder:
        folder = self.tree
        for part in path.relative_to(self.root).parts:
            folder = folder.names[part]
        return folder

    def _read(self, path: Path) -> Folder | File:
        if path.is_file():
            return File(path.read_bytes(), path.read_bytes())
        names = {inner.name: self._read(inner) for inner in path.iterdir()}
        return Folder(names, dict(names))

    def _write(self, node: Folder | File, place: Path, how: str) -> None:
        if isinstance(node, File):
            place.write_bytes(contents(node, how))
            return
        place.mkdir()
        for name, inner in surviving(node, how).items():
            self._write(inner, place / name, how)


def contents(file: File, how: str) -> bytes:
    if how == "all" or file.data == file.durable:
        return file.data
    if how == "zeroed":
        return bytes(len(file.data))
    return b"" if file.durable is None else file.durable


def surviving(folder: Folder, how: str) -> dict[str, File | Folder]:
    if how == "lost":  # no unsynced change of names survives
        return folder.durable
    if how == "worst":  # removals do, additions don't
        return {n: inner for n, inner in folder.durable.items() if n in folder.names}
    return folder.names


def test_after_a_power_cut_at_any_operation_a_checkpoint_loads(tmp_path, monkeypatch):
    root = tmp_path / "run"
    store = CheckpointStore(root, "run", keep=1)
    save(store, 1)
    replay = PowerCut(root)
    disk = WatchedDisk()
    monkeypatch.setattr(files, "disk", disk)
    save(store, 2)
    monkeypatch.setattr(files, "disk", HastyDisk())
    names = [what for what, _, _ in disk.done]
    commit = names.index("rename") + 2  # the folder is synced after it

    states = 0
    for number, operation in enumerate(disk.done, 1):
        replay.do(*operation)
        for how in ("all", "lost", "zeroed", "worst"):
            place = tmp_path / f"{number} {how}"
            replay.survive(place, how)
            assert newest_step(place) in ({2} if number >= commit else {1, 2})
            states += 1

    assert states == 4 * len(disk.done) > 80
