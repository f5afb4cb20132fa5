"""`gantk sweep`, from the command line to its runs."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from gan_toolkit.cli import streams, tethered
from gan_toolkit.cli.run import choose
from gan_toolkit.sweep import ledger as ledgers
from gan_toolkit.sweep.process import Order

Gantk = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]
SPACE = """\
target = "two/code"
direction = "maximise"
sampler = "random"

[search."run.batch_size"]
low = 2
high = 8
"""


@pytest.fixture
def in_process(gantk: Gantk, monkeypatch: pytest.MonkeyPatch) -> Gantk:
    """Make the runs of a sweep in this process: torch is loaded once."""

    class Done:
        def __init__(self, order: Order) -> None:
            order.log.parent.mkdir(parents=True, exist_ok=True)
            words = list(order.words)
            if words[0] == "-P":  # the fixture gives it anew
                words = words[2:]
            with monkeypatch.context() as patched:
                patched.setattr(streams, "_kept_apart", [])  # it has a stdout of its own
                result = gantk(*words)
            order.log.write_text(result.output)
            self.code = result.exit_code

        def poll(self) -> int:
            return self.code

        def stop(self, word: str) -> None: ...

        def wait(self) -> int:
            return self.code

    monkeypatch.setattr("gan_toolkit.sweep.process.starter", lambda _module: Done)
    monkeypatch.setattr("gan_toolkit.sweep.work.POLL", 0.0)
    return gantk


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "sizes.toml"
    path.write_text(SPACE)
    return path


def test_seeds_are_ordinary_runs_with_their_spread(in_process: Gantk, recipe: Path) -> None:
    result = in_process("sweep", recipe, "--seeds", "3", "--no-report")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Sweep seeds",
        "  trial  state  runs",
        "  0      done   runs/tiny/seeds-0",
        "  1      done   runs/tiny/seeds-1",
        "  2      done   runs/tiny/seeds-2",
        "",
        "Seeds: seeds-0, seeds-1, seeds-2 differ by nothing else",
        "  measure  of    seed 0  seed 1  seed 2  median       quartiles  n",
        "  two      code   0.500   0.500   0.500   0.500  0.500 to 0.500  3",
    ]
    assert "sweep seeds begins: 3 trials, in sqlite:///runs/tiny/sweep-seeds" in result.stderr
    assert "trial 2 begun: seed 2, runs/tiny/seeds-2\ntrial 2 done\n" in result.stderr
    assert "Next: gantk compare runs/tiny/seeds-0 runs/tiny/seeds-1" in result.stderr
    compared = in_process("compare", "seeds-0", "seeds-1")
    assert "differ by nothing else" in compared.stdout
    assert "tiny/seeds-2" in in_process("runs", "list").stdout


def test_the_same_command_only_shows_what_was_done(in_process: Gantk, recipe: Path) -> None:
    first = in_process("sweep", recipe, "--seeds", "1,", "--name", "one")
    again = in_process("sweep", recipe, "--seeds", "1,", "--name", "one")

    assert first.exit_code == again.exit_code == 0
    assert "begun" not in again.stderr
    assert "sweep one joins: 1 trial" in again.stderr
    assert "runs/tiny/one-1" in again.stdout


def test_a_search_ends_with_its_best_point(in_process: Gantk, recipe: Path, space: Path) -> None:
    result = in_process("sweep", recipe, "--search", space, "--trials", "2", "--steps", "4")

    assert result.exit_code == 0, result.output
    assert "two/code" in result.stdout.splitlines()[1]
    assert "best: trial 0000, two/code 0.500; the best of several is partly luck" in result.stderr
    (line,) = [line for line in result.stderr.splitlines() if "gantk sweep" in line]
    assert "--variant cpu --set run.steps=4 --out runs --set run.batch_size=" in line
    assert line.endswith("--seeds 5 --name sizes-best")


def test_points_over_seeds_show_the_value_of_each(
    in_process: Gantk, recipe: Path, space: Path
) -> None:
    space.write_text(SPACE.replace('"maximise"', '"minimise"').replace("two/code", "critic/loss"))

    result = in_process("sweep", recipe, "--search", space, "--trials", "1", "--seeds", "2")

    assert result.exit_code == 0, result.output
    header, row = result.stdout.splitlines()[1:3]
    assert "of its seeds" in header
    assert "runs/tiny/sizes-0000-seed-0, runs/tiny/sizes-0000-seed-1" in row


def test_json_tells_every_event_and_all_that_was_found(
    in_process: Gantk, recipe: Path, space: Path
) -> None:
    result = in_process("sweep", recipe, "--search", space, "--trials", "1", "--json")

    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["event"] for one in events if one["event"] != "progress"] == [
        "sweep", "trial", "trial", "end",
    ]  # fmt: skip
    (trial,) = events[-1]["trials"]
    assert (trial["state"], trial["value"], trial["runs"]) == (
        "done", 0.5, ["runs/tiny/sizes-0000"],
    )  # fmt: skip
    assert events[-1]["folder"] == "runs/tiny/sweep-sizes"
    assert list(trial["parameters"]) == ["run.batch_size"]


def test_when_all_fail_so_does_the_sweep(in_process: Gantk, recipe: Path) -> None:
    result = in_process(
        "sweep", recipe, "--seeds", "2", "--set", 'data.fault="missing"', "--name", "bad"
    )

    assert result.exit_code == 4
    assert "trial 0 failed: exit 4, dots: no dots in here" in result.stderr
    assert "gantk: all 2 trials failed; the first: dots: no dots" in result.stderr
    assert "failed" in result.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing varies; say --seeds, --search, or both"),
        (("--seeds", "2", "--trials", "3"), "--trials is for --search"),
        (("--seeds", "0"), "--seeds 0: 1 to 10,000 of them"),
        (("--seeds", "99999"), "--seeds 99999: 1 to 10,000 of them"),
        (("--seeds", "1,1"), "--seeds 1,1: each seed once"),
        (("--seeds", "a"), "--seeds a: a number of seeds such as 5, or seeds such as 3,7,11"),
        (("--seeds", "2", "--name", "a/b"), "a sweep can't be called 'a/b'"),
        (("--seeds", "2", "--storage", "x.db"), "--storage x.db: not the URL of a database"),
        (("--seeds", "2", "--set", "run.stepz=1"), "--set #1: run.stepz: unknown key"),
        (("--search", "nowhere.toml"), "nowhere.toml: can't be read: No such file"),
        (("--search", "sizes.toml"), "sampler 'random' goes on for ever; say --trials"),
    ],
)
def test_what_does_not_fit_is_refused(
    gantk: Gantk, recipe: Path, space: Path, words: tuple[str, ...], told: str
) -> None:
    result = gantk("sweep", recipe, *words)

    assert result.exit_code == 2
    assert told in result.stderr
    assert not list(Path().glob("runs/tiny/seeds-*"))


def test_a_search_is_checked_before_anything_runs(gantk: Gantk, recipe: Path, space: Path) -> None:
    space.write_text(SPACE.replace("batch_size", "batch_sise"))

    result = gantk("sweep", recipe, "--search", space, "--trials", "2")

    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        "sizes.toml:5: search.\"run.batch_sise\": there is no 'batch_sise'; "
        "did you mean 'batch_size'?"
    )
    assert not Path("runs").exists()


def test_a_seed_varies_in_one_place_only(gantk: Gantk, recipe: Path, space: Path) -> None:
    space.write_text(SPACE.replace("run.batch_size", "run.seed"))

    result = gantk("sweep", recipe, "--search", space, "--trials", "2", "--seeds", "2")

    assert "run.seed varies in sizes.toml and by --seeds; one of them" in result.stderr


def test_a_recipe_from_a_pipe_cant_be_read_again(gantk: Gantk) -> None:
    assert "must be a file, or a name" in gantk("sweep", "-", "--seeds", "2").stderr


def test_the_run_of_somebody_else_is_never_taken_for_ours(in_process: Gantk, recipe: Path) -> None:
    in_process("run", recipe, "--name", "seeds-1")

    result = in_process("sweep", recipe, "--seeds", "2")

    assert result.exit_code == 2
    assert "runs/tiny/seeds-1 is no run of this sweep; take another --name" in result.stderr
    assert not Path("runs/tiny/seeds-0").exists()


def test_another_recipe_is_refused_under_the_same_name(in_process: Gantk, recipe: Path) -> None:
    in_process("sweep", recipe, "--seeds", "1")

    result = in_process("sweep", recipe, "--seeds", "2", "--steps", "5")

    assert result.exit_code == 2
    assert "asks for something else: run.steps was 6, is 5; take another --name" in result.stderr


def test_a_recipe_that_changes_meanwhile_ends_the_sweep(
    in_process: Gantk, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(*arguments: Any) -> Any:
        chosen = choose(*arguments)
        recipe.write_text(recipe.read_text().replace("log_every = 2", "log_every = 3"))
        return chosen

    monkeypatch.setattr("gan_toolkit.cli.sweep.choose", changing)

    result = in_process("sweep", recipe, "--seeds", "2")

    assert result.exit_code == 2
    assert "changed while the sweep was at work: run.log_every was 2, is 3" in result.stderr


def test_storage_out_of_reach_is_exit_8(gantk: Gantk, recipe: Path) -> None:
    result = gantk("sweep", recipe, "--seeds", "2", "--storage", "sqlite:////nowhere/x.db")

    assert result.exit_code == 8
    assert "can't use the storage sqlite:////nowhere/x.db: unable to open" in result.stderr


def test_more_jobs_than_cores_are_noted(
    in_process: Gantk, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan_toolkit.cli.sweep.cores", lambda: 1)

    result = in_process("sweep", recipe, "--seeds", "2", "--jobs", "2")

    assert result.exit_code == 0
    assert "2 jobs share 1 core: one thread each" in result.stderr


def test_a_worker_that_is_killed_loses_nothing(
    gantk: Gantk, gantk_process: Start, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("sweep", recipe, "--seeds", "1", "--set", "run.steps=1500", "--no-report")
    killed = gantk_process(*words)
    journal = Path("runs/tiny/seeds-0/metrics.jsonl")
    until(lambda: journal.exists() and '"step": 20,' in journal.read_text())
    killed.kill()
    killed.communicate()
    facts = journal.with_name("run.json")
    until(lambda: json.loads(facts.read_text())["status"] == "stopped")
    monkeypatch.setattr(ledgers.Ledger.__init__, "__kwdefaults__", {"beat": 1, "grace": 1})

    result = gantk(*words)

    assert result.exit_code == 0, result.output
    assert "trial 0 resumed: seed 0, runs/tiny/seeds-0\ntrial 0 done" in result.stderr
    assert json.loads(facts.read_text())["status"] == "finished"
    steps = [json.loads(line).get("step") for line in journal.read_text().splitlines()]
    logged = [step for step in steps if step != 1500]
    assert len(logged) == len(set(logged))


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_goes_on(gantk_process: Start, recipe: Path) -> None:
    process = gantk_process("sweep", recipe, "--seeds", "1", "--set", "run.steps=100000")
    journal = recipe.parent / "runs/tiny/seeds-0/metrics.jsonl"
    until(lambda: journal.exists() and '"step": 20,' in journal.read_text())

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "trial 0 stopped" in err
    assert "gantk: stopped; the same command goes on where it was" in err
    assert json.loads(journal.with_name("run.json").read_text())["exit_code"] == 130


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


def test_the_tethered_command_line_is_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[Any] = []
    empty = tmp_path / "empty"
    empty.touch()

    def read(pipe: BinaryIO) -> None:
        with pipe:
            called.append(pipe.read())

    monkeypatch.setattr(tethered, "obey", read)
    monkeypatch.setattr(tethered, "main", lambda: called.append("main"))
    with empty.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        tethered.tethered()

    assert called == [b"", "main"]
