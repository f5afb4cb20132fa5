from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROBES = Path(__file__).parent / "probes"
TINY = Path(__file__).parent.parent / "cli"
HOSTILE = (
    "import hostile",
    "hostile",
    "hostile.Run",
    "hostile:Run",
    "hostile.py",
    "./hostile.py",
    "../hostile.py",
    "{here}/hostile.py",
    "file://{here}/hostile.py",
    "http://127.0.0.1:9/hostile.py",
    "\\\\127.0.0.1\\share\\hostile.py",
    "os.system",
    "os:system",
    "posix.system",
    "subprocess.Popen",
    "subprocess:run",
    "builtins.eval",
    "builtins.exec",
    "builtins:__import__",
    "__import__",
    "__builtins__.eval",
    "importlib.import_module",
    "torch.load",
    "torch.hub.load",
    "pickle.loads",
    "numpy.load",
    "runpy.run_path",
    "code.interact",
    "pdb.main",
    "antigravity",
    "this",
    "gan_toolkit.cli:main",
    "gan_toolkit.recipe.loading.os.system",
    "gantk_networks.mlp:Mlp",
    "gantk_networks:mlp",
    "networks:os.system",
    "mlp@1; import hostile",
    "mlp@__import__('hostile')",
    "mlp@9999999999",
    "mlp@-1",
    "mlp@",
    "hostile:mlp",
    "hostile.py:mlp",
    "m\u04cfp",
    "\uff4d\uff4c\uff50",
    "mlp\u200b",
    "mlp\x00",
    " mlp",
    "MLP",
    "__import__('os').system('touch hostile.ran')",
    "(lambda: open('hostile.ran', 'w'))()",
    "$(touch hostile.ran)",
    "`touch hostile.ran`",
    "; touch hostile.ran #",
    "| touch hostile.ran",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{0.__class__.__init__.__globals__}",
    "%(hostile)s",
    "!!python/object/apply:os.system ['touch hostile.ran']",
    "cos\nsystem\n(S'touch hostile.ran'\ntR.",
    "${{env:HOME}}",
    "",
)
"""Texts of which each would run code, or lead somewhere, in a careless loader."""


@pytest.fixture
def hostile(tmp_path: Path) -> list[str]:
    """The texts, and in the current folder of the probes the module that they mean."""
    (tmp_path / "hostile.py").write_text("open('hostile.ran', 'w').close()\nRun = mlp = open\n")
    return [text.replace("{here}", str(tmp_path)) for text in HOSTILE]


@pytest.fixture
def probe(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Run a probe in the folder of the test, and return what it printed."""

    def run(name: str, *arguments: str | Path) -> list[dict[str, Any]]:
        command = [sys.executable, PROBES / f"{name}.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        assert not (tmp_path / "hostile.ran").exists()
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def figures(
    record_property: Callable[[str, object], None],
) -> Callable[[list[dict[str, Any]]], None]:
    """Keep the largest figures of a probe for the report of the tests."""

    def keep(found: list[dict[str, Any]]) -> None:
        record_property("cases", len(found))
        record_property("seconds", max(one["seconds"] for one in found))
        record_property("megabytes", max(one["bytes"] for one in found) / 1e6)

    return keep


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of six steps with two checkpoints; above it lies the tiny plugin."""
    here = tmp_path_factory.mktemp("trained")
    for name in ("tiny.toml", "tiny_plugin.py"):
        shutil.copy(TINY / name, here)
    gantk = [sys.executable, "-m", "gan_toolkit", "-P", "./tiny_plugin.py"]
    options = ["--name", "run", "--set", "run.checkpoint_every=3", "--out", "."]
    done = subprocess.run(
        [*gantk, "run", "tiny.toml", *options],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return here / "tiny" / "run"


@pytest.fixture
def case(trained: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Make a folder for a case, a copy of the good run, and the warm-up beside the first one."""

    def make(name: str) -> Path:
        folder = tmp_path / ("good" if name == "good" else "cases") / name
        shutil.copytree(trained, folder, symlinks=True)
        return folder

    make("good")
    return make


@pytest.fixture
def strangers(probe: Callable[..., list[dict[str, Any]]], trained: Path, tmp_path: Path):
    """Run the probe `strangers`, and check what holds of every case."""

    def run(act: str) -> dict[str, dict[str, Any]]:
        plugin = trained.parent.parent / "tiny_plugin.py"
        found = probe("strangers", act, plugin, tmp_path / "good" / "good")
        for one in found:
            assert one["told"] == [], one
            assert one["outcome"] in ("done", "refused"), one
            assert one["text"].isprintable(), one
            assert not re.search(r"alloc|memory|MemoryError", one["text"]), one
            assert one["seconds"] < 2, one
        return {one["name"]: one for one in found}

    return run
