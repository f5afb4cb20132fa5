from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gan_toolkit import files
from gan_toolkit.errors import ResumeError, StorageError, UsageError
from gan_toolkit.interfaces import Picture
from gan_toolkit.journal import Journal
from gan_toolkit.runs import RunFolder, find_run
from gan_toolkit.testing.disks import FailingDisk, HastyDisk

NOON = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs", "alpha", now=NOON)


# --- the folder ----------------------------------------------------------------------------


def test_a_folder_is_named_after_the_time_and_an_id_of_ours(run, tmp_path):
    assert run.folder == tmp_path / "runs" / "alpha" / f"20260304-123015-{run.id}"
    assert len(run.id) == 8
    assert run.id.isalnum()
    assert run.id.isascii()


def test_what_is_written_about_a_run_is_read_back(run):
    run.update(status="running", outcome=None, versions={"torch": "2"})
    run.update(status="done")

    again = RunFolder.open(run.folder)

    assert again.run_json == run.run_json
    assert again.id == run.id
    assert again.run_json["status"] == "done"
    assert again.run_json["created"] == "2026-03-04T12:30:15+00:00"
    assert again.run_json["versions"] == {"torch": "2"}


def test_no_file_of_a_new_run_holds_an_absolute_path(run, tmp_path):
    run.write_environment("2.9", ["device cpu"])
    with run.lock():
        for path in run.folder.rglob("*"):
            assert str(tmp_path) not in path.read_text(), path


def test_fifty_starts_at_once_get_fifty_folders(tmp_path):
    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(lambda _: RunFolder.create(tmp_path, "alpha", now=NOON), range(50)))

    assert len({run.folder for run in made}) == 50
    assert len({run.id for run in made}) == 50
    assert all(RunFolder.open(run.folder).id == run.id for run in made)


def test_a_name_is_used_once_even_when_many_ask(tmp_path):
    def create(_: int) -> bool:
        try:
            RunFolder.create(tmp_path, "alpha", name="mine")
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(create, range(20))) == 1


def test_an_id_that_is_taken_is_drawn_again(tmp_path, monkeypatch):
    ids = iter(["aaaaaaaa", "aaaaaaaa", "bbbbbbbb"])
    monkeypatch.setattr("gan_toolkit.runs.secrets.token_hex", lambda _: next(ids))

    one = RunFolder.create(tmp_path, "alpha", now=NOON)
    other = RunFolder.create(tmp_path, "alpha", now=NOON)

    assert (one.id, other.id) == ("aaaaaaaa", "bbbbbbbb")


def test_a_run_is_never_overwritten(tmp_path):
    run = RunFolder.create(tmp_path / "my runs", "alpha", name="mine")
    before = {p: p.read_bytes() for p in run.folder.iterdir()}

    with pytest.raises(StorageError) as e:
        RunFolder.create(tmp_path / "my runs", "alpha", name="mine")

    assert str(e.value) == (
        f"run folder {run.folder} exists; choose another --name, or resume it with: "
        f"gantk resume {shlex.quote(str(run.folder))}"
    )
    assert {p: p.read_bytes() for p in run.folder.iterdir()} == before


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\\b", "", ".", "..", "CON", "nul.txt", "x" * 101, "a b", "-rf", "ü", "a\0",
     "c:", "\x1b[31m", "trailing.", "new\nline"],
)  # fmt: skip
def test_awkward_names_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="a run can't be called") as e:
        RunFolder.create(tmp_path / "runs", "alpha", name=name)
    assert str(e.value).isprintable()
    assert [p.name for p in tmp_path.rglob("*")] in ([], ["runs", "alpha"])


@pytest.mark.skipif(os.name == "nt", reason="modes")
def test_a_place_that_can_not_be_written_is_a_storage_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file is not a folder"):
        RunFolder.create(tmp_path / "file", "alpha")

    monkeypatch.setattr(files, "disk", FailingDisk(0, errno.EACCES))
    with pytest.raises(StorageError, match="Permission denied"):
        RunFolder.create(tmp_path / "runs", "alpha")


def test_what_is_no_run_is_told_with_the_nearest_name(tmp_path):
    made = RunFolder.create(tmp_path, "alpha", name="second")

    with pytest.raises(UsageError, match=r"does not exist; did you mean 'second'\?"):
        RunFolder.open(made.folder.with_name("secnd"))
    with pytest.raises(UsageError, match=r"has no run\.json: it is not a run's folder"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("{", "is damaged"),
        ("[]", "is damaged"),
        ('{"format": 1}', "names no run id"),
        ('{"format": 1, "id": ["x"]}', "names no run id"),
        ('{"format": 9, "id": "x"}', "is of format 9; we read 1"),
    ],
)
def test_a_damaged_record_is_told(run, text, cause):
    (run.folder / "run.json").write_text(text)

    with pytest.raises(StorageError, match=cause):
        RunFolder.open(run.folder)


def test_a_run_is_found_by_path_name_beginning_or_id(tmp_path):
    one = RunFolder.create(tmp_path, "alpha", now=NOON)
    two = RunFolder.create(tmp_path, "beta", name="quick")
    three = RunFolder.create(tmp_path, "beta", name="quick-2")

    assert find_run(str(one.folder), tmp_path).id == one.id
    assert find_run(one.folder.name, tmp_path).id == one.id
    assert find_run("2026", tmp_path).id == one.id
    assert find_run(one.id[:6], tmp_path).id == one.id
    assert find_run("alpha/2026", tmp_path).id == one.id
    assert find_run("quick", tmp_path).id == two.id
    assert find_run("quick-", tmp_path).id == three.id
    with pytest.raises(UsageError, match="means 2 runs: beta/quick, beta/quick-2"):
        find_run("qui", tmp_path)
    with pytest.raises(UsageError, match=r"no run in .* 'quack'; did you mean 'quick'"):
        find_run("quack", tmp_path)
    with pytest.raises(UsageError, match="no run in"):
        find_run("", tmp_path)
    with pytest.raises(UsageError, match="no run in"):
        find_run("x" * 300, tmp_path)


def test_what_exists_and_is_no_run_is_told_as_what_it_is(tmp_path):
    one = RunFolder.create(tmp_path, "alpha", name="one")
    (tmp_path / "file").write_text("")
    shelf = one.folder.parent

    with pytest.raises(UsageError) as e:
        find_run(str(shelf), tmp_path)
    assert str(e.value) == (
        f"{shelf} has no run.json: it is not a run's folder; the runs in it: {one.folder}"
    )
    with pytest.raises(UsageError, match="file is not a folder"):
        find_run(str(tmp_path / "file"), tmp_path)
    with pytest.raises(UsageError, match=r"there is no file gone\.safetensors$"):
        find_run("gone.safetensors", tmp_path)


def test_looking_at_runs_needs_no_torch():
    code = "import sys, gan_toolkit.runs; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what lies in it -----------------------------------------------------------------------


def test_the_log_has_no_control_characters(run):
    run.log("first\x1b[31m red\x1b[0m\nsecond\x00\ud800")
    run.log("")
    run.log("third\x1b]0;title\x07")

    assert run.log_file.read_text("utf-8") == "first red\nsecond\n\nthird\n"


def test_a_picture_lies_where_its_folder_and_step_say_with_its_caption(run):
    picture = Picture("traversals/shape", Image.new("L", (4, 3), 7), "shape · β=1\x1b[0m")

    path = run.save_picture(picture, 1000)

    assert path == run.traversals / "shape" / "step-00001000.png"
    with Image.open(path) as image:
        assert image.size == (4, 3)
        assert image.text["Description"] == "shape · β=1"


@pytest.mark.parametrize(
    "folder", ["../x", "/tmp/x", "a/../b", "", "a//b", "C:\\x", ".hidden", "nul"]
)
def test_a_picture_can_not_leave_the_folder(run, tmp_path, folder):
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(ValueError, match="not a place inside a run folder"):
        run.save_picture(Picture(folder, Image.new("L", (1, 1))), 1)

    assert sorted(tmp_path.rglob("*")) == before


def test_a_film_lies_beside_its_picture_and_loops(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "tiny")
    frames = [Image.new("RGB", (4, 3), (grey, 0, 0)) for grey in (0, 120, 250)]

    path = run.save_picture(Picture("films/a", frames[1], "x", frames, 80), 5)

    assert path.name == "step-00000005.png"
    with Image.open(path.with_suffix(".gif")) as film:
        assert (film.n_frames, film.info["loop"], film.info["duration"]) == (3, 0, 80)
        film.seek(2)
        assert film.convert("RGB").getpixel((0, 0)) == (250, 0, 0)


def test_the_saved_step_is_that_of_the_newest_checkpoint(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "tiny")
    assert run.saved_step() == 0

    for name in ("000001-step00001100", "000002-step00001143", "000003-stepless", "x-step99"):
        (run.checkpoints / name).mkdir(parents=True)

    assert run.saved_step() == 1_143


def test_the_environment_lists_python_torch_and_what_is_installed(run):
    text = run.write_environment("2.9.1+cpu", ["device CPU\x1b[0m"]).read_text()

    assert text.startswith(f"Python {sys.version.split()[0]}")
    assert "torch 2.9.1+cpu\n" in text
    assert "device CPU\n" in text
    assert "safetensors==" in text


def test_json_that_is_not_strict_is_refused_and_the_old_file_stays(run):
    run.write_json("evaluations/step-1.json", {"value": 1.0})

    with pytest.raises(ValueError, match="value: nan is not finite"):
        run.write_json("evaluations/step-1.json", {"value": math.nan})

    assert json.loads((run.evaluations / "step-1.json").read_text()) == {"value": 1.0}


# --- the lock ------------------------------------------------------------------------------


def test_a_second_owner_is_refused_and_told_the_first(run):
    with run.lock():
        with pytest.raises(StorageError) as e, RunFolder.open(run.folder).lock():
            pass
        assert f"is in use by process {os.getpid()} on " in str(e.value)
        assert run.folder.name in str(e.value)
    with run.lock():
        pass
    assert not (run.folder / "run.owner.json").exists()


HOLD = """
import sys
from pathlib import Path
from gan_toolkit.runs import RunFolder
with RunFolder.open(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_refused_until_the_owner_is_dead(run):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.folder)], stdin=-1, stdout=-1, text=True
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match=f"in use by process {owner.pid} on"), run.lock():
            pass
        (run.folder / "samples").mkdir()
        (run.folder / "samples" / f".tmp-{owner.pid}-3").write_text("unfinished")
        owner.kill()
        owner.wait()

    with run.lock():  # no flag needed
        record = json.loads((run.folder / "run.owner.json").read_text())

    assert record["pid"] == os.getpid()
    assert list(run.samples.iterdir()) == []


def test_the_lock_is_let_go_when_the_body_fails(run):
    with pytest.raises(ZeroDivisionError), run.lock():
        _ = 1 / 0
    with run.lock():
        pass


def test_a_file_system_without_locks_is_refused(run, monkeypatch):
    def acquire(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", acquire)
    with pytest.raises(StorageError, match="this file system can't lock files"), run.lock():
        pass


# --- scores --------------------------------------------------------------------------------


def score(value, **more):
    return {"measure": "m", "name": "n", "value": value, "count": 3, **more}


def test_scores_found_alike_replace_others_and_all_else_stays(run):
    run.add_scores(4, [score(1.0), score(2.0, count=9), score(3.0, seed=7)])

    path, replaced = run.add_scores(4, [score(5.0)])

    assert run.scores() == (4, [score(2.0, count=9), score(3.0, seed=7), score(5.0)])
    assert (path.name, replaced) == ("step-00000004.json", 1)


def test_the_newest_evaluation_is_that_of_the_last_step(run):
    assert run.scores() == (0, [])
    for step in (200, 1000, 30):
        run.add_scores(step, [score(float(step))])
    (run.evaluations / "step-draft.json").write_text("{}")

    assert run.scores() == (1000, [score(1000.0)])
    assert run.scores(30) == (30, [score(30.0)])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"scores": 3}',
        '{"scores": [1]}',
        "{}",
        '{"scores": [{"value": "a"}]}',
        '{"scores": [{"value": 1e999}]}',
    ],
)
def test_a_damaged_evaluation_is_told(run, text):
    run.add_scores(4, [])
    (run.evaluations / "step-00000004.json").write_text(text)

    with pytest.raises(StorageError, match=r"step-00000004.json is damaged"):
        run.scores()


def test_a_recipe_that_can_not_be_read_is_told(run):
    run.write_text(run.resolved.name, "a = [")

    with pytest.raises(StorageError, match=r"recipe.resolved.toml is damaged"):
        run.tables()


# --- the journal ---------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "metrics.jsonl")


def test_records_come_back_in_order_and_exactly(journal):
    records = [{"step": n, "loss": 0.1 * n, "text": "ü\n", "none": None} for n in range(5)]
    for record in records:
        journal.append(record)

    assert journal.read() == records
    assert Journal(journal.path).read() == records
    assert journal.path.read_bytes().count(b"\n") == 5


def test_the_last_record_is_read_alone(journal):
    assert journal.last() is None
    journal.append({"step": 1})
    journal.append({"step": 2, "long": "x" * 70_000})

    assert journal.last() == journal.read()[-1]

    with journal.path.open("ab") as file:
        file.write(b'{"step": 3')  # torn
    assert journal.last()["step"] == 2


def test_the_length_and_hash_are_those_of_the_file_however_it_came_about(journal):
    assert journal.sync() == (0, hashlib.sha256().hexdigest())
    journal.append({"a": 1})
    journal.sync()
    Journal(journal.path).append({"b": 2})
    journal = Journal(journal.path)
    journal.append({"c": 3})

    content = journal.path.read_bytes()
    assert journal.sync() == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}])
def test_a_record_that_is_not_json_is_refused_and_writes_nothing(journal, value):
    journal.append({"step": 1})

    with pytest.raises(ValueError, match=r"scores\.x"):
        journal.append({"scores": {"x": value}})

    assert journal.read() == [{"step": 1}]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 60))
def test_a_torn_last_line_is_dropped_and_written_over(tmp_path_factory, length):
    journal = Journal(tmp_path_factory.mktemp("run") / "metrics.jsonl")
    for step in range(4):
        journal.append({"step": step})
    os.truncate(journal.path, length := min(length, journal.path.stat().st_size))
    whole = length // len('{"step": 0}\n')

    assert Journal(journal.path).read() == [{"step": n} for n in range(whole)]
    again = Journal(journal.path)
    again.append({"step": 99})
    assert again.read() == [*({"step": n} for n in range(whole)), {"step": 99}]
    content = journal.path.read_bytes()
    assert again.sync() == (len(content), hashlib.sha256(content).hexdigest())


def test_a_line_that_failed_halfway_is_not_glued_to_the_next(journal, monkeypatch):
    journal.append({"step": 1})
    monkeypatch.setattr(files, "disk", FailingDisk(1))
    with pytest.raises(StorageError, match="disk full"):
        journal.append({"step": 2})
    assert not journal.path.read_bytes().endswith(b"\n")  # half of it is there
    monkeypatch.setattr(files, "disk", HastyDisk())

    journal.append({"step": 3})

    assert journal.read() == [{"step": 1}, {"step": 3}]
    content = journal.path.read_bytes()
    assert journal.sync() == (len(content), hashlib.sha256(content).hexdigest())


def test_zeros_that_a_power_cut_left_at_the_end_are_no_record(journal):
    journal.append({"step": 1})
    with journal.path.open("ab") as file:
        file.write(bytes(100))

    assert Journal(journal.path).read() == [{"step": 1}]


def test_a_damaged_line_in_the_middle_is_named(journal):
    journal.path.write_text('{"a": 1}\n{"a": \n{"a": 3}\n')

    with pytest.raises(StorageError, match=r"metrics\.jsonl:2 is damaged"):
        journal.read()


def test_a_cut_keeps_the_tail_and_goes_on_like_an_uninterrupted_journal(journal):
    journal.append({"step": 1})
    length, digest = journal.sync()
    journal.append({"step": 2})
    tail = journal.path.read_bytes()[length:]

    kept = journal.cut(length, digest)
    journal.append({"step": 2, "again": True})

    assert kept == journal.path.with_name("metrics.discarded-1.jsonl")
    assert kept.read_bytes() == tail
    assert journal.read() == [{"step": 1}, {"step": 2, "again": True}]
    content = journal.path.read_bytes()
    assert journal.sync() == (len(content), hashlib.sha256(content).hexdigest())
    assert journal.cut(length) == journal.path.with_name("metrics.discarded-2.jsonl")
    assert journal.cut(length, digest) is None


def test_a_journal_that_is_not_the_one_of_the_checkpoint_is_refused(journal):
    journal.append({"step": 1})
    length, digest = journal.sync()
    journal.path.write_text('{"step": 7}\n{"step": 8}\n')

    with pytest.raises(ResumeError, match="not the journal that the checkpoint saw"):
        journal.cut(length, digest)
    with pytest.raises(ResumeError, match="24 bytes, the checkpoint saw 25") as e:
        journal.cut(25)
    recipe = journal.path.with_name("recipe.resolved.toml")
    assert str(e.value).endswith(
        f"; put the journal back, or start a new run: gantk run {shlex.quote(str(recipe))}"
    )
    assert len(journal.read()) == 2


def test_a_cut_of_a_journal_that_never_was_is_fine_at_zero(journal):
    assert journal.cut(0) is None


# --- faults --------------------------------------------------------------------------------


def complaint(act: Callable[[], object]) -> str:
    """Return the text of the StorageError that `act` raises; nothing when it succeeds."""
    try:
        act()
    except StorageError as error:
        return str(error)
    return ""


def own(run: RunFolder) -> None:
    with run.lock():
        pass


ACTS = {
    "journal append": lambda run: run.metrics.append({"step": 2}),
    "journal sync": lambda run: run.metrics.sync(),
    "journal cut": lambda run: run.metrics.cut(len('{"step": 1}\n')),
    "record": lambda run: run.update(status="done"),
    "log": lambda run: run.log("x" * 100),
    "picture": lambda run: run.save_picture(Picture("a/b", Image.new("L", (1, 1))), 1),
    "environment": lambda run: run.write_environment("2"),
    "lock": own,
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_fault_at_any_operation_names_the_path_and_loses_no_record(
    tmp_path, monkeypatch, act, code
):
    point = 0
    while True:
        run = RunFolder.create(tmp_path, "alpha")
        run.metrics.append({"step": 1})
        if act == "journal cut":
            run.metrics.append({"step": 2})
        disk = FailingDisk(point, code)
        monkeypatch.setattr(files, "disk", disk)
        text = complaint(partial(ACTS[act], run))
        if text:
            assert str(tmp_path) in text
            assert ("disk full" in text) == (code == errno.ENOSPC)
        else:
            assert not disk.failed or disk.done[point][0] == "remove"  # the owner's record
        monkeypatch.setattr(files, "disk", HastyDisk())
        again = RunFolder.open(run.folder)
        assert again.run_json["status"] in ("created", "done")
        again.metrics.append({"step": 3})
        assert [r["step"] for r in again.metrics.read()] in ([1, 3], [1, 2, 3])
        run.metrics.append({"step": 4})  # the one that met the fault goes on too
        assert run.metrics.read()[0] == {"step": 1}
        if not disk.failed:
            break
        point += 1

    assert point >= 2


# --- links in a folder of somebody else ------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_nothing_is_written_behind_a_link(run, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.folder / "samples").symlink_to(outside)

    with pytest.raises(StorageError, match="samples is a link, and nothing is written behind one"):
        run.write_text("samples/deep/a.txt", "x")

    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_a_linked_lock_is_not_opened(run, tmp_path):
    (tmp_path / "precious").write_text("precious")
    (run.folder / "run.lock").unlink(missing_ok=True)
    (run.folder / "run.lock").symlink_to(tmp_path / "precious")

    with pytest.raises(StorageError, match=r"run\.lock is a link; remove it"), run.lock():
        pass

    assert (tmp_path / "precious").read_text() == "precious"
