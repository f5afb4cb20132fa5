from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gan_toolkit.cli.root import cli

HERE = Path(__file__).parent
_numbers = itertools.count()

Gantk = Callable[..., Result]


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Path]:
    """The tiny plugin under a module name of its own: a process loads a file only once."""
    path = tmp_path / f"tiny_plugin_{next(_numbers)}.py"
    shutil.copy(HERE / "tiny_plugin.py", path)
    yield path
    sys.modules.pop(path.stem, None)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    shutil.copy(HERE / "tiny.toml", path)
    return path


@pytest.fixture
def gantk(plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gantk:
    """Call the command line in this process, in a folder of its own, with the tiny plugin."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> Result:
        sys.modules.pop(plugin.stem, None)
        return CliRunner().invoke(cli, ["-P", str(plugin), *map(str, arguments)])

    return call


@pytest.fixture
def gantk_process(plugin: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command line as a process of its own."""

    def start(*arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gan_toolkit", "-P", str(plugin), *map(str, arguments)]
        return subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )

    return start
