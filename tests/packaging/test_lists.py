"""A plugin that stands in some of the lists of `pyproject.toml` and not in others half exists."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = sorted(ROOT.glob("plugins/*/gantk_*"))
BUNDLED = [path for path in PACKAGES if path.parent.name != "example"]
HATCH = PROJECT["tool"]["hatch"]["build"]
LINTER = PROJECT["tool"]["importlinter"]


def inside(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


NAMES = {path.name for path in BUNDLED}
FOLDERS = {inside(path.parent) for path in BUNDLED}
OFFERED = PROJECT["project"]["entry-points"]["gan_toolkit"]
CONTRACTS = {contract["name"]: contract for contract in LINTER["contracts"]}


def test_there_are_plugins_and_the_example_is_one():
    assert len(BUNDLED) >= 10
    assert len(PACKAGES) == len(BUNDLED) + 1


def test_each_is_packed():
    packages = {inside(path) for path in BUNDLED}

    assert set(HATCH["targets"]["wheel"]["packages"]) == {"gan_toolkit", *packages}


def test_each_is_found_by_an_editable_install():
    assert set(HATCH["dev-mode-dirs"]) == {".", *FOLDERS}


def test_each_is_offered_under_the_name_of_its_folder():
    assert {path.parent.name: path.name for path in BUNDLED} == OFFERED


def test_types_of_each_are_checked_those_of_the_example_too():
    assert set(PROJECT["tool"]["mypy"]["mypy_path"]) == {".", *FOLDERS, "plugins/example"}


@pytest.mark.parametrize(
    ("contract", "key"),
    [
        ("Plugins do not know each other", "modules"),
        ("The core knows no plugin", "forbidden_modules"),
        ("Plugins know the public surface only", "source_modules"),
    ],
)
def test_each_is_kept_apart(contract, key):
    assert set(CONTRACTS[contract][key]) == NAMES
    assert set(LINTER["root_packages"]) == {"gan_toolkit", *NAMES}


@pytest.mark.parametrize("path", PACKAGES, ids=lambda path: path.name)
def test_each_has_a_readme_and_tests_and_no_project_of_its_own(path):
    folder = path.parent

    assert (folder / "README.md").is_file()
    assert list(folder.glob("tests/test_*.py"))
    assert (folder / "pyproject.toml").exists() == (folder.name == "example")


@pytest.mark.parametrize("folder", ["plugins", "recipes", "tests", "docs", *sorted(FOLDERS)])
def test_folders_on_the_path_are_no_packages(folder):
    """An editable install puts them on the path: with this file all `tests` would be one."""
    assert not (ROOT / folder / "__init__.py").exists()
    assert not (ROOT / folder / "tests" / "__init__.py").exists()
