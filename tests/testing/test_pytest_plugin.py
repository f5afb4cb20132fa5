"""The fixtures that pytest finds wherever the toolkit is installed, and what that costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE = "gan_toolkit.testing.pytest_plugin"

USES = """
def test_host(gantk_host):
    assert gantk_host.records == []
    assert gantk_host.registry.all() == []

def test_images(tiny_images):
    assert tiny_images.sample_shape == (1, 16, 16)
    assert len(tiny_images.factors) == 3
    assert tiny_images.held_out() is not None

def test_engine(tiny_engine):
    import torch
    assert tiny_engine.step(torch.zeros(4, 2))["critic/loss"].isfinite()
"""


def test_it_is_offered_to_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["entry-points"]["pytest11"] == {"gan_toolkit": MODULE}


def test_loading_it_imports_neither_torch_nor_the_host() -> None:
    heavy = {"torch", "numpy", "pydantic", "gan_toolkit.plugins", "gan_toolkit.registry"}
    code = f"import sys, {MODULE}; print(*sorted({heavy} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_its_fixtures_are_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "test_uses.py").write_text(USES)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", MODULE, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )

    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
