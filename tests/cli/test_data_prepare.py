"""`gantk data prepare`: what a run would prepare, before it is needed."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]
_numbers = itertools.count()

PLUGIN = """
import time
from pathlib import Path

import numpy as np
from gan_toolkit import ArrayDataset, Options, RowWriter, hookimpl, prepared

LOG = Path(__file__).with_suffix(".log")


class SlowOptions(Options):
    count: int = 6
    seconds: float = 0.0


def slow(count, seconds):
    shape = (count, 1, 4, 4)

    def make(folder):
        with RowWriter(folder / "images.npy", shape, "slow") as rows:
            for row in range(rows.done, count):
                time.sleep(seconds)
                rows.write(row, np.full((1, *shape[1:]), row % 256, np.uint8))
                rows.mark(row + 1)
                with LOG.open("a") as log:
                    log.write(f"{row} ")
        return {}

    kept = prepared("slow", {"count": count}, make)
    return ArrayDataset("slow", "synthetic", kept.arrays["images"], fingerprint=kept.fingerprint)


@hookimpl
def gantk_register(registry):
    registry.add("dataset", "slow", options=SlowOptions, build=__name__ + ":slow")
"""


@pytest.fixture
def slow_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / f"slow_plugin_{next(_numbers)}.py"
    path.write_text(PLUGIN)
    yield path
    sys.modules.pop(path.stem, None)


@pytest.fixture
def prepare(gantk: Gantk, slow_plugin: Path) -> Gantk:
    def call(*arguments: str | Path) -> Any:
        sys.modules.pop(slow_plugin.stem, None)
        return gantk("data", "prepare", *arguments, "-P", slow_plugin)

    return call


def rows_made(plugin: Path) -> list[int]:
    return list(map(int, plugin.with_suffix(".log").read_text().split()))


def test_data_is_prepared_once(prepare: Gantk, slow_plugin: Path, tmp_path: Path) -> None:
    first, second = prepare("slow"), prepare("slow")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "6 of 1x4x4" in first.stdout
    assert f"{tmp_path / 'cache' / 'slow'}" in first.stdout
    assert first.stdout.rstrip().endswith("made now)")
    assert second.stdout.rstrip().endswith("was there already)")
    assert rows_made(slow_plugin) == [*range(6)]


def test_options_make_other_data(prepare: Gantk) -> None:
    told = json.loads(prepare("slow", "--set", "count=3", "--json").stdout)

    (kept,) = told["kept"]
    assert (told["name"], told["samples"], told["shape"]) == ("slow", 3, [1, 4, 4])
    assert kept["made"] is True
    assert kept["bytes"] == sum(path.stat().st_size for path in Path(kept["folder"]).iterdir())
    assert len(told["fingerprint"]) == 64


@pytest.fixture
def slow_recipe(recipe: Path) -> Path:
    text = recipe.read_text().replace('use = "tiny_dots"', 'use = "slow"\ncount = 8')
    recipe.write_text(text + "\n[variants.large.data]\ncount = 12\n")
    return recipe


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 8),
        (("--variant", "base"), 8),
        (("--variant", "large"), 12),
        (("--set", "data.count=10"), 10),
        (("--unset", "data.count"), 6),
    ],
)
def test_the_data_of_a_recipe_is_that_of_its_run(
    prepare: Gantk, slow_recipe: Path, options: tuple[str, ...], count: int
) -> None:
    told = json.loads(prepare(slow_recipe, *options, "--json").stdout)

    assert told["samples"] == count
    assert told["kept"][0]["made"] is True


def test_a_run_finds_what_was_prepared(
    gantk: Gantk, prepare: Gantk, slow_recipe: Path, slow_plugin: Path
) -> None:
    prepare(slow_recipe)
    sys.modules.pop(slow_plugin.stem, None)

    run = gantk("run", slow_recipe, "--name", "one", "-P", slow_plugin)

    assert run.exit_code == 0, run.stderr
    assert rows_made(slow_plugin) == [*range(8)]


def test_what_is_kept_nowhere_says_so(prepare: Gantk) -> None:
    assert "nothing is kept" in prepare("tiny_dots").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("slwo",), 2, "slwo"),
        (("slow", "--variant", "cpu"), 2, "slow is a data set: it takes --set KEY=VALUE alone"),
        (("slow", "--set", "cuont=3"), 2, "did you mean 'count'?"),
        (("tiny_dots", "--set", 'fault="missing"'), 4, "no dots in here"),
    ],
)
def test_prepare_explains(prepare: Gantk, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = prepare(*arguments)

    assert result.exit_code == code
    assert text in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals reach no child there")
def test_after_a_stop_the_same_command_goes_on(
    gantk_process: Callable[..., subprocess.Popen[str]],
    slow_plugin: Path,
) -> None:
    command = ("data", "prepare", "slow", "--json", "-P", slow_plugin)
    stopped = gantk_process(*command, "--set", "count=400", "--set", "seconds=0.05")
    log = slow_plugin.with_suffix(".log")
    end = time.monotonic() + 60
    while not log.exists() or len(rows_made(slow_plugin)) < 5:
        assert time.monotonic() < end
        time.sleep(0.02)

    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=60)
    before = len(rows_made(slow_plugin))
    again = gantk_process(*command, "--set", "count=400")
    told, _ = again.communicate(timeout=60)

    assert stopped.returncode == 130
    assert said.endswith("the same command goes on where it was\n")
    assert 5 <= before < 400
    # Of the row at which the signal came the log may lack, or hold what was not yet marked.
    assert set(rows_made(slow_plugin)) | {before} == {*range(400)}
    assert len(rows_made(slow_plugin)) <= 401
    assert json.loads(told)["samples"] == 400


def test_what_cannot_be_kept_is_a_failure_though_a_run_could_do_without(
    gantk: Gantk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "cache"))
    small = ("--set", "size=16", "--set", "count=4", "--set", "held_out=0")

    result = gantk("data", "prepare", "chairs", "--set", 'source="synthetic"', *small)

    assert result.exit_code == 8
    assert "can't prepare data in" in result.stderr.splitlines()[-1]


def test_a_misspelt_data_set_is_told_the_nearest(gantk: Gantk) -> None:
    result = gantk("data", "prepare", "chirs")

    assert result.exit_code == 2
    last = result.stderr.splitlines()[-1]
    assert "no recipe is named 'chirs'" in last
    assert last.endswith("nor is it a data set; did you mean 'chairs'?")
