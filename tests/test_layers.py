"""Importing tells: what must be light is light, and what is banned is nowhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gan_toolkit
from gan_toolkit import scaffold
from gan_toolkit.registry import KINDS

ROOT = Path(gan_toolkit.__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("gan_toolkit", "plugins", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "tests" not in path.parts and ".venv" not in path.parts
)
BANNED_MODULES = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "torchvision"}
BANNED_CALLS = {"eval", "exec", "torch.load", "torch.save"}


@pytest.mark.parametrize(
    "module",
    [
        "gan_toolkit",
        "gan_toolkit.cli",
        "gan_toolkit.errors",
        "gan_toolkit.plugins",
        "gan_toolkit.recipe.loading",
        "gan_toolkit.registry",
    ],
)
def test_light_modules_do_not_import_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_type_checkers_see_the_names_that_are_there():
    stub = ast.parse((ROOT / "gan_toolkit" / "__init__.pyi").read_text())
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}

    assert seen == gan_toolkit._HOME_OF


def test_every_plugin_loads_without_torch():
    code = (
        "import sys; from gan_toolkit.plugins import load_plugins; host = load_plugins();"
        "assert not host.failed, host.failed; sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_unpickles_or_evaluates(path):
    found = [name for name in _used(ast.parse(path.read_text())) if name in BANNED_CALLS]
    imported = [name for name in _imported(ast.parse(path.read_text())) if name in BANNED_MODULES]

    assert found == []
    assert imported == []
    assert "allow_pickle=True" not in path.read_text()


def _used(tree: ast.AST) -> list[str]:
    return [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _imported(tree: ast.AST) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_one_file_knows_cuda(path):
    if path.name != "device.py":
        assert "torch.cuda" not in path.read_text()


def of_strangers() -> dict[str, str]:
    """Return the Python that strangers copy, or that stands for theirs."""
    copied = {f"skeleton: {n}": t for n, t in scaffold.render("wave", list(KINDS)).items()}
    folders = (ROOT / "plugins" / "example", ROOT / "tests" / "packaging" / "proof")
    ours = [path for folder in folders for path in folder.rglob("*.py")]
    texts = copied | {path.relative_to(ROOT).as_posix(): path.read_text() for path in ours}
    return {name: text for name, text in texts.items() if name.endswith(".py")}


STRANGERS = of_strangers()


@pytest.mark.parametrize("name", STRANGERS)
def test_strangers_import_nothing_below_the_public_surface(name):
    assert below_the_surface(STRANGERS[name]) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from gan_toolkit import Latent", []),
        ("from gan_toolkit.testing.conformance import LatentConformance", []),
        ("from gan_toolkit.assemble import rehearse", ["gan_toolkit.assemble"]),
        ("from gan_toolkit import assemble", ["gan_toolkit.assemble"]),
        ("def late():\n    import gan_toolkit.engine", ["gan_toolkit.engine"]),
        ("from gan_toolkit.testingly import x", ["gan_toolkit.testingly"]),
    ],
)
def test_what_is_below_the_surface(code, found):
    assert below_the_surface(code) == found


def test_strangers_are_many():
    places = {name.partition("/")[0].partition(":")[0] for name in STRANGERS}

    assert places == {"skeleton", "plugins", "tests"}
    assert len(STRANGERS) > 30


def below_the_surface(code: str) -> list[str]:
    """Return the modules of the toolkit that are imported and are no promise."""
    imported = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "gan_toolkit":
            imported += [f"gan_toolkit.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported.append(node.module or "")
    public = {"gan_toolkit", "gan_toolkit.testing"}
    public |= {f"gan_toolkit.{name}" for name in gan_toolkit.__all__}
    inside = [name for name in imported if name.partition(".")[0] == "gan_toolkit"]
    return [name for name in inside if ".".join(name.split(".")[:2]) not in public]
