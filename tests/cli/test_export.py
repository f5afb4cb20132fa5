from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]
TEXT = ("--to", "tiny_text")


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one").exit_code == 0
    return Path("runs/tiny/one")


def test_a_run_or_its_model_file_is_written_in_another_form(gantk: Gantk, run: Path) -> None:
    result = gantk("export", "one", *TEXT)
    other = gantk("export", run / "model.safetensors", *TEXT, "-o", "other.txt")

    assert (result.exit_code, result.stdout) == (0, "tiny.txt\n")
    assert result.stderr.splitlines()[-1].startswith(f"tiny_text of {run}/model.safetensors: 1 fil")
    assert other.stdout == "other.txt\n"
    assert Path("tiny.txt").read_text() == Path("other.txt").read_text()


def test_json_says_what_was_written_and_nothing_else_is_on_stdout(gantk: Gantk, run: Path) -> None:
    result = gantk("export", "one", *TEXT, "--set", "count=2", "--json")

    assert json.loads(result.stdout) == {
        "path": "tiny.txt",
        "exporter": {"use": "tiny_text@1", "count": 2, "fault": False},
        "files": 1,
        "bytes": Path("tiny.txt").stat().st_size,
        "model": str(run / "model.safetensors"),
    }
    assert "loud exporter" in result.stderr


def test_what_exists_is_replaced_by_force_only(gantk: Gantk, run: Path) -> None:
    Path("tiny.txt").write_text("mine")

    refused = gantk("export", "one", *TEXT)
    before = Path("tiny.txt").read_text()
    forced = gantk("export", "one", *TEXT, "--force")

    assert (refused.exit_code, before) == (2, "mine")
    assert refused.stderr == (
        "gantk: tiny.txt exists; choose another --out, or --force to replace it\n"
    )
    assert forced.exit_code == 0
    assert Path("tiny.txt").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ("--to", "tiny_txt"),
            2,
            "--to: no exporter is named 'tiny_txt'; known: arrays, images, onnx, tiny_needy, "
            "tiny_text; did you mean 'tiny_text'?",
        ),
        ((*TEXT, "--set", "cout=2"), 2, "--set #1: cout: unknown key; did you mean 'count'?"),
        (
            (*TEXT, "--set", "fault=true"),
            3,
            "gantk: exporter 'tiny_text' of plugin '{plugin}' failed: ZeroDivisionError: a bug",
        ),
        (
            ("--to", "tiny_needy"),
            3,
            "gantk: tiny_needy writes with nothing: pip install 'tiny[nothing]'",
        ),
        ((), 2, "gantk: Missing option '--to'; see: gantk export --help"),
    ],
)
def test_what_fails_is_one_line_and_leaves_nothing(
    gantk: Gantk, run: Path, plugin: Path, arguments: tuple[str, ...], code: int, line: str
) -> None:
    before = sorted(Path().iterdir())

    result = gantk("export", "one", *arguments)

    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.removeprefix("loud exporter\n") == line.format(plugin=plugin.stem) + "\n"
    assert sorted(Path().iterdir()) == before


def test_a_run_that_is_not_there_is_told_before_anything_else(gantk: Gantk) -> None:
    result = gantk("export", "nothing", "--to", "tiny_txt")

    assert result.exit_code == 2
    assert "tiny_txt" not in result.stderr
