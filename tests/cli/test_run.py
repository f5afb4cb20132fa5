from __future__ import annotations

import contextlib
import functools
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]


def test_a_run_ends_with_its_folder(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--name", "one")

    assert result.exit_code == 0
    assert result.stdout == f"{Path('runs/tiny/one')}\n"
    assert Path("runs/tiny/one/model.safetensors").is_file()
    err = result.stderr
    assert "step 6/6 100.0%" in err
    assert "two      code  0.500  nats    0.693" in err
    assert "preparing dots" in err
    assert "gantk traverse runs/tiny/one code -o code.png" in err
    assert "\x1b" not in err


def test_without_accelerator_the_cpu_variant_is_taken_and_announced(
    gantk: Gantk, recipe: Path
) -> None:
    result = gantk("run", recipe, "--name", "one")

    assert result.stderr.splitlines()[0] == (
        "no accelerator: using variant 'cpu' (choose another with --variant; "
        "--variant base for none)"
    )
    assert json.loads(Path("runs/tiny/one/run.json").read_text())["variants"] == ["cpu"]


@pytest.mark.parametrize(("variant", "applied"), [("base", []), ("long", ["long"])])
def test_a_chosen_variant_is_not_replaced(
    gantk: Gantk, recipe: Path, variant: str, applied: list[str]
) -> None:
    result = gantk("run", recipe, "--name", "one", "--variant", variant, "--steps", "2")

    assert result.exit_code == 0
    assert "no accelerator" not in result.stderr
    assert json.loads(Path("runs/tiny/one/run.json").read_text())["variants"] == applied


def test_base_stands_alone(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--variant", "base", "--variant", "long")

    assert result.exit_code == 2
    assert result.stderr == "gantk: --variant base means no variant, and stands alone\n"


def test_options_and_settings_reach_the_recipe(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "one", "--seed", "7", "--steps", "3", "--set", "run.log_every=1")

    resolved = Path("runs/tiny/one/recipe.resolved.toml").read_text()
    assert "seed = 7" in resolved
    assert "steps = 3" in resolved
    assert "log_every = 1" in resolved


def test_a_bad_setting_is_named_by_its_number(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--set", "run.seed=2", "--set", "run.stepz=3")

    assert result.exit_code == 2
    assert result.stderr.startswith("--set #2: run.stepz: unknown key")
    assert not Path("runs").exists()


def test_json_is_one_object_a_line_and_ends_with_the_folder(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--name", "one", "--json")

    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert records[0]["event"] == "start"
    assert [r["step"] for r in records if r["event"] == "log"] == [1, 2, 4, 6]
    assert records[-1] == {"event": "end", "outcome": "finished", "run": "runs/tiny/one"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "nothing"), 2),
        (("run", "tiny.toml", "--set", "run.stepz=1"), 2),
        (("run", "tiny.toml", "--device", "cuda:99"), 6),
        (("run", "tiny.toml", "--set", 'data.fault="bug"'), 3),
        (("run", "tiny.toml", "--steps", "0"), 2),
        (("run", "tiny.toml", "--stepz", "1"), 2),
        (("run",), 2),
        (("resume", "nothing"), 2),
    ],
    ids=str,
)
def test_json_of_a_failure_ends_with_what_went_wrong(
    gantk: Gantk, recipe: Path, arguments: tuple[str, ...], code: int
) -> None:
    result = gantk(*arguments, "--json")

    assert result.exit_code == code
    end = json.loads(result.stdout)
    assert (end.pop("event"), end.pop("outcome"), end.pop("exit_code")) == ("end", "failed", code)
    assert list(end) == ["cause"]
    assert end["cause"] in result.stderr


def test_json_of_a_stopped_run_ends_with_its_folder_and_code(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--name", "one", "--json", "--set", 'objective.signal="SIGTERM"')

    assert json.loads(result.stdout.splitlines()[-1]) == {
        "event": "end",
        "outcome": "stopped",
        "run": "runs/tiny/one",
        "exit_code": 75,
        "cause": "stopped by SIGTERM",
    }


def test_what_a_plugin_prints_is_no_result(
    gantk_process: Start, recipe: Path, tmp_path: Path
) -> None:
    """Whether by itself or by a process of its own."""
    loud = ("--set", "objective.loud=true", "--steps", "1")
    out, err = gantk_process("run", recipe, "--name", "one", "--json", *loud).communicate()

    events = [json.loads(line)["event"] for line in out.splitlines()]
    assert (events[0], events[-1]) == ("start", "end")
    assert "loud itself" in err
    assert "loud by another" in err


def test_a_dry_run_writes_nothing(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--dry-run")

    assert result.exit_code == 0
    assert "dots (synthetic), 64 samples of 1x4x4" in result.stdout
    assert not Path("runs").exists()


def test_a_dry_run_as_json(gantk: Gantk, recipe: Path) -> None:
    plan = json.loads(gantk("run", recipe, "--dry-run", "--json").stdout)["plan"]

    assert plan["recipe"] == "tiny, variant cpu"


def test_a_missing_device_is_exit_6(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--device", "cuda:99")

    assert result.exit_code == 6
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        ("memory", 6, "gantk: out of memory (CUDA out of memory); try a smaller run.batch_size"),
        ("bug", 3, "gantk: data: dataset 'tiny_dots' of plugin "),
    ],
)
def test_faults_of_a_plugin_are_one_line(
    gantk: Gantk, recipe: Path, fault: str, code: int, text: str
) -> None:
    result = gantk("run", recipe, "--variant", "base", "--set", f'data.fault="{fault}"')

    assert result.exit_code == code
    assert result.stderr.splitlines()[-1].startswith(text)
    assert result.stdout == ""


def test_an_unwritable_folder_is_exit_8(gantk: Gantk, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    result = gantk("run", recipe, "--out", tmp_path / "file" / "below")

    assert result.exit_code == 8
    assert result.stderr.endswith(f"gantk: {tmp_path / 'file'} is not a folder; choose another\n")


def test_an_unknown_recipe_names_the_nearest(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", "tinny.toml")

    assert result.exit_code == 2
    assert "did you mean 'tiny.toml'?" in result.stderr


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 75), ("SIGHUP", 75)])
def test_a_signal_saves_and_says_how_to_go_on(
    gantk: Gantk, recipe: Path, name: str, code: int
) -> None:
    result = gantk("run", recipe, "--name", "one", "--set", f'objective.signal="{name}"')

    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.splitlines()[-2:] == [
        f"gantk: stopped by {name}",
        "saved at step 3; resume with: gantk resume runs/tiny/one",
    ]
    assert [path.name for path in Path("runs/tiny/one/checkpoints").glob("0*")]


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 75), ("SIGHUP", 75)])
def test_a_signal_before_training_is_no_fault_of_the_plugin_at_work(
    gantk: Gantk, recipe: Path, name: str, code: int
) -> None:
    result = gantk("run", recipe, "--set", f'data.fault="{name}"')

    assert result.exit_code == code
    assert result.stderr.splitlines()[-1].startswith("gantk: stopped")
    assert "" not in result.stderr.splitlines()
    assert not list(Path("runs").glob("*/*"))


def test_handlers_of_signals_come_back(gantk: Gantk, recipe: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]

    gantk("run", recipe, "--set", 'data.fault="SIGTERM"')
    gantk("run", recipe, "--set", 'objective.signal="SIGTERM"')

    assert [signal.getsignal(number) for number in numbers] == before


@pytest.mark.parametrize("as_json", [False, True])
def test_once_all_is_saved_no_signal_changes_the_exit_code(
    gantk_process: Start, recipe: Path, as_json: bool
) -> None:
    """They come until the process is gone: the interpreter takes a while to shut down."""
    arguments = ("--variant", "base", "--set", 'objective.signal="SIGTERM"')
    process = gantk_process("run", recipe, *arguments, *["--json"] * as_json)
    said = process.stdout if as_json else process.stderr
    assert said is not None
    assert any('"reason": "stop"' in line or line.startswith("saved at step 3") for line in said)

    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.001)

    process.communicate()
    assert process.returncode == 75


def test_two_signals_stop_at_once(gantk: Gantk, recipe: Path) -> None:
    result = gantk("run", recipe, "--set", 'objective.signal="SIGINT,SIGINT"')

    assert result.exit_code == 130
    assert "gantk: stopped at once" in result.stderr


def test_ctrl_c_on_a_process_of_its_own(gantk_process: Start, recipe: Path, tmp_path: Path) -> None:
    process = gantk_process("run", recipe, "--variant", "long", "--name", "one")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("step 4/"):
            process.send_signal(signal.SIGINT)
            break
    out, rest = process.communicate(timeout=60)

    assert process.returncode == 130
    assert out == ""
    assert rest.splitlines()[-1].endswith("; resume with: gantk resume runs/tiny/one")
    assert list((tmp_path / "runs/tiny/one/checkpoints").glob("0*"))


def test_a_finished_run_goes_on_to_more_steps(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "one")

    result = gantk("resume", "one", "--steps", "8", "--json")

    assert result.exit_code == 0, result.stderr
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert records[0]["step"] == 6
    assert records[-1]["run"] == "runs/tiny/one"


def test_resume_takes_a_path_too(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "one")

    result = gantk("resume", "runs/tiny/one", "--steps", "8")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "runs/tiny/one\n"


def test_resume_takes_no_file(gantk: Gantk, recipe: Path) -> None:
    gantk("run", recipe, "--name", "one")

    of_model = gantk("resume", "runs/tiny/one/model.safetensors")
    of_recipe = gantk("resume", recipe)

    assert (of_model.exit_code, of_recipe.exit_code) == (2, 2)
    assert of_model.stderr == (
        "gantk: runs/tiny/one/model.safetensors is a model file; resume takes a run's folder: "
        "gantk resume runs/tiny/one\n"
    )
    assert of_recipe.stderr == f"gantk: {recipe} is a file; resume takes a run's folder\n"


def test_resume_of_nothing_is_exit_2(gantk: Gantk) -> None:
    result = gantk("resume", "nothing")

    assert result.exit_code == 2
    assert "nothing" in result.stderr


# --- one of several processes ------------------------------------------------------------------


@pytest.fixture
def as_rank(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Let the command line be one of two processes; return what it did instead of leading."""
    import gan_toolkit.distributed
    import gan_toolkit.launch
    from gan_toolkit.distributed import Alone
    from gan_toolkit.testing.ranks import Table, ThreadRank

    def be(index: int) -> list[str]:
        did: list[str] = []
        rank = Alone() if index == 0 else ThreadRank(index, 2, Table(2))
        places = {"RANK": index, "WORLD_SIZE": 2, "LOCAL_RANK": index, "LOCAL_WORLD_SIZE": 2}
        for name, number in places.items():
            monkeypatch.setenv(name, str(number))
        monkeypatch.setattr(
            gan_toolkit.distributed, "joined", lambda *_, **__: contextlib.nullcontext(rank)
        )
        for name in ("follow", "follow_resumed"):
            act = functools.partial(lambda name, *_, **__: did.append(name), name)
            monkeypatch.setattr(gan_toolkit.launch, name, act)
        return did

    return be


def test_another_process_than_the_first_follows_in_silence(
    gantk: Gantk, recipe: Path, as_rank: Any
) -> None:
    gantk("run", recipe, "--name", "one")
    did = as_rank(1)

    ran, resumed = gantk("run", recipe), gantk("resume", "runs/tiny/one", "--steps", "9")
    planned = gantk("run", recipe, "--dry-run")

    assert did == ["follow", "follow_resumed"]
    for result in (ran, resumed, planned):
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_the_first_process_runs(gantk: Gantk, recipe: Path, as_rank: Any) -> None:
    did = as_rank(0)

    assert gantk("run", recipe, "--name", "one").exit_code == 0
    assert gantk("resume", "runs/tiny/one", "--steps", "9").exit_code == 0
    assert did == []


def test_an_odd_place_among_processes_is_one_line(
    gantk: Gantk, recipe: Path, as_rank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_rank(1)
    monkeypatch.setenv("RANK", "7")

    result = gantk("run", recipe)

    assert result.exit_code == 2
    assert "RANK='7', WORLD_SIZE='2'" in result.stderr
    assert len(result.stderr.splitlines()) == 1
