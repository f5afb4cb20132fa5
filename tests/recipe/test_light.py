"""Whoever reads a recipe does not wait for torch."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import importlib, pkgutil, sys
import gan_toolkit.recipe
for module in pkgutil.iter_modules(gan_toolkit.recipe.__path__):
    importlib.import_module(f"gan_toolkit.recipe.{module.name}")
import gan_toolkit.plugins, gan_toolkit.registry
print([name for name in ("torch", "numpy", "click") if name in sys.modules])
"""


def test_no_module_of_the_reader_imports_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
