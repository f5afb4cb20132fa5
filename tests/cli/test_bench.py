"""`gantk bench`: who takes part, and what is shown of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gan_toolkit.bench.contest import Result, Standing
from gan_toolkit.cli import bench as module
from gan_toolkit.cli import bench_page
from gan_toolkit.cli.bench import Subject, rivals
from gan_toolkit.cli.root import cli

FAKE = Path(__file__).parents[1] / "bench" / "fake.py"
FACTS = {
    "batch": 4,
    "samples_per_step": 4,
    "shape": [1, 28, 28],
    "data": "dots (real)",
    "described": "CPU (x), 1 thread, f32",
    "torch": "2",
    "threads": 1,
}
FAST = ("--rounds", "3", "--steps", "1")


@pytest.fixture
def benched(gantk, recipe, monkeypatch):
    """Call `gantk bench` with contestants that need no torch in place of the recipe's."""
    kinds = {"training": "counts", "floor": "floor"}

    def command(subject, kind):
        return [sys.executable, str(FAKE), kinds[kind]]

    monkeypatch.setattr(Subject, "command", command)
    monkeypatch.setattr(module, "busy_cores", lambda: 0.0)

    def call(*arguments, training="counts"):
        kinds["training"] = training
        return gantk("bench", recipe, *FAST, *arguments)

    return call


def test_the_table_has_a_row_for_each(benched):
    result = benched("--against", f"{FAKE} well", "--against-set", "run.seed=3")

    rows = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert rows[0].startswith("tiny: dots (synthetic) of 1x2x2, batch 4, CPU (x), 1 thread, f32")
    table = rows[rows.index("contestant") :]
    assert table[1:5] == ["tiny", "fake.py well", "tiny --set run.seed=3", module.FLOOR]


def test_it_says_where_the_time_goes_and_how_far_the_floor_is(benched):
    out = benched().stdout

    assert "of a step: passes 90.00%, optimiser 7.00%, data 3.00%" in out
    assert "outside of passes and optimiser: 3.00%" in out
    assert "0.00400 GFLOP a step, 1.00 MFLOP a sample (mm 75%, convolution 25%)" in out
    assert "the step reaches " in out


def test_no_floor(benched):
    assert "floor" not in benched("--no-floor").stdout


def test_nothing_stands_below_a_table_of_which_nothing_more_is_known(benched):
    assert benched("--no-floor", training="well").stdout.splitlines()[-1].startswith("tiny ")


def test_a_rival_that_can_t_run_is_a_row_and_no_failure(benched):
    result = benched("--no-floor", "--against", f"{FAKE} fails")

    assert result.exit_code == 0
    assert "can't run: fake.py fails: no network of that size" in result.stdout


def test_a_rival_that_gives_up_says_when_and_why(benched):
    result = benched("--no-floor", "--against", f"{FAKE} gives_up")

    assert "gave up after 1 round: fake.py gives_up: enough" in result.stdout


def test_a_recipe_that_can_t_run_ends_with_the_code_of_its_process(benched):
    result = benched(training="silent")

    assert result.exit_code == 3
    assert "it ended without a word, exit code 3" in result.stderr


def test_markdown(benched):
    lines = benched("--no-floor", "--markdown").stdout.splitlines()

    start = next(i for i, line in enumerate(lines) if line.startswith("| contestant |"))
    assert lines[start + 1] == "| --- |" + " ---: |" * 9
    assert lines[start + 2].startswith("| tiny | ")
    assert "- of a step: passes 90.00%, optimiser 7.00%, data 3.00%" in lines


def test_json_has_every_round(benched):
    result = benched("--json", "--against", f"{FAKE} fails")

    found = json.loads(result.stdout)
    first, failed, floor = found["contestants"]
    assert len(first["seconds"]) == 3
    assert first["time_to_first"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert (failed["failure"], failed["time_to_first"]) == ("no network of that size", None)
    assert floor["facts"]["products"] == {"mm": 3_000_000, "convolution": 1_000_000}
    assert found["outside"] == pytest.approx(0.03)
    assert found["steps"] == 1


def test_json_without_shares(benched):
    assert json.loads(benched("--json", training="well").stdout)["outside"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-"], "save the recipe, and give its path"),
        (["tiny.toml", "--against", "a b"], "a recipe, or '[PYTHON] FILE.py ARGUMENTS'"),
        (["tiny.toml", "--random", "0x3"], "1x28x28 for images"),
        (["tiny.toml", "--random", "3x3"], "1x28x28 for images"),
        (["tiny.toml", "--rounds", "2"], "--rounds"),
    ],
)
def test_what_can_t_be_asked(gantk, arguments, said):
    result = gantk("bench", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr


def words(subject, *against, changes=None):
    changes = changes or Subject("")
    return [(entry.label, list(entry.command)[1:]) for entry in rivals(subject, against, changes)]


def test_a_recipe_is_started_with_all_its_options():
    subject = Subject(
        "r.toml", ("v",), ("a.b=1",), ("c",), "cpu", 2, (1, 28, 28), ("./own.py", "no:data")
    )

    assert subject.command("floor")[1:] == [
        *("-m", "gan_toolkit", "-P", "./own.py", "-P", "no:data"),
        *("bench", "r.toml", "--contestant", "floor"),
        *("--variant", "v", "--set", "a.b=1", "--unset", "c"),
        *("--device", "cpu", "--threads", "2", "--random", "1x28x28"),
    ]


def test_a_script_is_a_command_of_its_own():
    assert words(Subject("r"), "x/own.py --adam 'a b'") == [
        ("own.py --adam a b", ["x/own.py", "--adam", "a b"])
    ]
    assert words(Subject("r"), "/venv/bin/python -O own.py") == [("own.py", ["-O", "own.py"])]


def test_changes_alone_pit_the_recipe_against_itself():
    subject = Subject("r.toml", settings=("a=1",), threads=1)
    (found,) = words(subject, changes=Subject("", removals=("c",)))

    assert found[0] == "r --unset c"
    assert found[1][2:] == [
        *("bench", "r.toml", "--contestant", "training"),
        *("--set", "a=1", "--unset", "c", "--threads", "1"),
    ]


def test_another_recipe_has_the_changes_of_rivals_only():
    subject = Subject("r.toml", ("v",), settings=("a=1",))
    ((label, command),) = words(subject, "other", changes=Subject("", ("w",), ("b=2",)))

    assert label == "other --variant w --set b=2"
    assert command[2:] == [
        *("bench", "other", "--contestant", "training", "--variant", "w", "--set", "b=2")
    ]


def test_scripts_and_changes_leave_the_recipe_its_place():
    labels = [label for label, _ in words(Subject("r"), "own.py", changes=Subject("", ("w",)))]

    assert labels == ["own.py", "r --variant w"]


def result_of(*, others: float, threads: int = 1) -> Result:
    standing = Standing("r", FACTS | {"threads": threads}, seconds=[1.0], others=[others])
    return Result([standing], steps=2)


@pytest.mark.parametrize(
    ("others", "before", "threads", "warned"),
    [
        (0.0, 0.1, 2, []),
        (0.0, 0.1, 3, ["3 threads are more than the free cores"]),
        (0.6, 0.1, 1, ["the machine is not idle"]),
        (0.0, 1.0, 2, ["the machine is not idle", "2 threads are more than the free cores"]),
        (2.0, 0.0, 1, ["the machine is not idle", "one thread is more than the free cores"]),
    ],
)
def test_a_busy_machine_is_warned_of(monkeypatch, others, before, threads, warned):
    monkeypatch.setattr(bench_page, "cores", lambda: 2)

    lines = list(bench_page.warnings(result_of(others=others, threads=threads), before))

    assert lines[0] == (
        f"Other processes kept {others:.1f} of 2 cores busy, {before:.1f} just before."
    )
    assert [w in line for w, line in zip(warned, lines[1:], strict=True)] == [True] * len(warned)


def test_a_machine_that_does_not_tell_is_warned_of():
    (line,) = bench_page.warnings(result_of(others=0.0), None)

    assert "does not say" in line


def test_the_cells_of_a_row_by_hand():
    first = Standing("r", FACTS, 3.0, seconds=[0.2, 0.1], peak_bytes=1024**3, flops=3 * 10**8)
    other = Standing("s", FACTS, 4.0, seconds=[0.1, 0.2], peak_bytes=2 * 1024**3)

    assert bench_page.cells(other, first) == [
        *("s", "150", "26.7", "-"),
        *("1.250", "0.500", "2.000"),
        *("4.0 s", "2.0 GiB", "2.00"),
    ]
    assert bench_page.cells(first, first)[3] == "2.00"
    assert bench_page.cells(Standing("t"), first) == ["t", *["-"] * 9]


def test_a_floor_that_can_t_run_says_nothing_of_speed():
    standing = Standing("floor", FACTS | {"products": {"mm": 8}})

    assert len(list(bench_page.floor(standing, Standing("r", FACTS, seconds=[1.0])))) == 1


def contestant(plugin, recipe, kind, orders, *arguments):
    command = ["-P", str(plugin), "bench", str(recipe), "--contestant", kind, *arguments]
    result = CliRunner().invoke(cli, command, input=orders)
    return result, [json.loads(line) for line in result.stdout.splitlines()]


def test_a_recipe_takes_part(plugin, recipe):
    result, (ready, steps, flops) = contestant(
        plugin, recipe, "training", "{}\nsteps 2\nflops 1\n", "--variant", "base"
    )

    assert result.exit_code == 0
    assert ready["ready"]["data"] == "dots (synthetic)"
    assert ready["ready"]["verbs"] == ["steps", "flops", "shares"]
    assert steps["seconds"] > 0
    assert flops["flops"] > 0


def test_its_floor_takes_part_on_random_samples(plugin, recipe):
    result, (ready, _) = contestant(
        plugin, recipe, "floor", "{}\nsteps 2\n", "--random", "1x4x4", "--threads", "1"
    )

    assert result.exit_code == 0
    assert ready["ready"]["data"] == "random samples (synthetic)"
    assert set(ready["ready"]["products"]) == {"addmm", "mm"}


def test_a_term_is_taken_away_with_what_watches_it(plugin, recipe):
    recipe.write_text(recipe.read_text() + '\n[panels.curve]\nuse = "bound_curve"\nof = "read"\n')

    result, (ready,) = contestant(
        plugin, recipe, "training", "{}\n", "--unset", "regularisers.read"
    )

    assert (result.exit_code, "ready" in ready) == (0, True)


def test_all_that_is_wrong_with_a_recipe_is_its_answer(plugin, recipe):
    wrong = ("--set", "generator.use='none'", "--set", "run.steps=0")

    result, (answer,) = contestant(plugin, recipe, "training", "{}\n", *wrong)

    assert (result.exit_code, answer["kind"]) == (2, "RecipeError")
    assert len(answer["failed"].splitlines()) == 3


def test_without_the_data_random_samples_are_offered(plugin, recipe):
    missing = ("--set", 'data.fault="missing"')

    result, (answer,) = contestant(plugin, recipe, "training", "{}\n", *missing)

    assert (result.exit_code, answer["kind"]) == (4, "DataError")
    assert "get it (gantk data info tiny_dots), or --random 1x28x28" in answer["failed"]


@pytest.mark.slow
def test_from_the_first_line_to_the_table(gantk_process):
    process = gantk_process("bench", "infogan_ring", "--threads", "1", *FAST)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert "matrix products and convolutions" in out
