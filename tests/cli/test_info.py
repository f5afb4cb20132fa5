from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.tensorfile import change_facts

Gantk = Callable[..., Any]


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one").exit_code == 0
    return Path("runs/tiny/one")


def test_a_run_tells_of_itself(gantk: Gantk, run: Path) -> None:
    result = gantk("info", run)

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == str(run)
    assert any(line.split() == ["status", "finished"] for line in lines)
    assert any(line.split() == ["last", "step", "6"] for line in lines)
    assert any("0.500" in line and "nats" in line for line in lines)


def test_a_model_tells_of_itself(gantk: Gantk, run: Path) -> None:
    result = gantk("info", run / "model.safetensors")

    assert result.exit_code == 0
    assert "6 steps" in result.stdout
    assert "dots (synthetic)" in result.stdout
    assert "tiny_images@1" in result.stdout


def test_json(gantk: Gantk, run: Path) -> None:
    about_run = json.loads(gantk("info", run, "--json").stdout)
    about_model = json.loads(gantk("info", run / "model.safetensors", "--json").stdout)

    assert about_run["run"]["recipe"] == "tiny"
    assert about_run["model"] == about_model
    assert about_model["facts"]["steps"] == 6


def test_odd_scores_in_a_model_file_are_told_and_the_rest_is_shown(gantk: Gantk, run: Path) -> None:
    change_facts(run / "model.safetensors", {"scores": [{"measure": "m", "value": "high"}]})

    result = gantk("info", run / "model.safetensors")

    assert result.exit_code == 0
    assert "scores  damaged: scores[0].value: 'high' is no number" in result.stdout
    assert "6 steps" in result.stdout


def test_another_file_is_explained(gantk: Gantk, recipe: Path) -> None:
    result = gantk("info", recipe)

    assert result.exit_code == 8
    assert "is not a safetensors file" in result.stderr


def test_neither_torch_nor_plugins_are_needed(gantk: Gantk, run: Path) -> None:
    code = (
        "import sys\n"
        "from gan_toolkit.cli.root import cli\n"
        "try: cli(sys.argv[1:], prog_name='gantk')\n"
        "finally: print({'torch', 'numpy', 'pluggy'} & set(sys.modules), file=sys.stderr)\n"
    )
    for source in (run, run / "model.safetensors"):
        done = subprocess.run(
            [sys.executable, "-c", code, "info", str(source)],
            capture_output=True,
            text=True,
            check=True,
        )

        assert done.stderr == "set()\n"
