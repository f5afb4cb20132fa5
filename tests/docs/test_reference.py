"""Pages that follow from code are those the code gives today."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from gan_toolkit.hooks import SPECIFIED
from gan_toolkit.registry import KINDS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
PAGES: dict[Path, str] = GENERATE["pages"]()
VARIABLE = re.compile(r"\"(GANTK_[A-Z_]+)\"|`(GANTK_[A-Z_]+)`")
NOT_READ = {"GANTK_API"}
"""Names in that form that are none of the environment's."""


def sources() -> list[Path]:
    folders = [ROOT / "gan_toolkit", *ROOT.glob("plugins/*/gantk_*")]
    return [path for folder in folders for path in folder.rglob("*.py")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_generated_page_is_current(page):
    assert page.read_text(encoding="utf-8") == PAGES[page], "run: python docs/generate.py"


def test_every_part_stands_in_some_page():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert [name for name in GENERATE["PARTS"] if f"<!-- generated: {name} -->" not in text] == []


def test_an_old_page_is_noticed():
    page = REFERENCE / "exit_codes.md"
    old = page.read_text(encoding="utf-8").replace("| 75 |", "| 76 |")

    assert GENERATE["render"](old) == PAGES[page] != old


def test_every_environment_variable_has_a_row():
    page = (REFERENCE / "environment_variables.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(GANTK_[A-Z_]+)`", page, re.MULTILINE))
    found = {a or b for path in sources() for a, b in VARIABLE.findall(path.read_text())}

    assert listed == found - NOT_READ


def test_every_hook_and_kind_is_explained():
    page = (REFERENCE / "plugins.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \|", page, re.MULTILINE)
    kinds = {name for row in rows for name in re.findall(r"`([a-z]+)`", row)}

    assert set(KINDS) <= kinds
    assert [f"`{n}({', '.join(a)})`" in page for n, a in SPECIFIED.items()] == [True] * 4


def test_the_run_folder_page_names_every_file_that_a_run_writes():
    page = (REFERENCE / "run_folder.md").read_text(encoding="utf-8")
    code = "".join(
        (ROOT / "gan_toolkit" / name).read_text()
        for name in ("runs.py", "checkpoints.py", "train.py")
    )
    named = set(re.findall(r'"([\w.]+\.(?:json|jsonl|toml|txt|lock|safetensors))"', code))

    assert len(named) > 5
    assert [name for name in sorted(named) if name not in page] == []
