from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Gantk = Callable[..., Any]

OLD = """
@hookimpl
def gantk_register(registry):
    registry.add("tracker", "pen", build="x:Y", version=2, aliases=("ink",), options=PenOptions,
                 migrate={1: lambda old: {"title": old["name"]}})
"""


@pytest.fixture
def old(recipe: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recipe with a tracker of version 1, and what offers version 2."""
    monkeypatch.delitem(sys.modules, "pens", raising=False)
    text = recipe.read_text() + '\n[trackers.log]\nuse = "ink@1" # a pen\nname = "a" # of the log\n'
    recipe.write_text(text)
    Path("pens.py").write_text(
        "from gan_toolkit import Options, hookimpl\n"
        "class PenOptions(Options):\n    title: str\n" + OLD
    )
    return recipe


def test_what_would_change_is_shown_and_nothing_is_written(gantk: Gantk, old: Path) -> None:
    before = old.read_text()

    result = gantk("-P", "./pens.py", "recipe", "migrate", old)

    assert result.exit_code == 0, result.stderr
    assert [line for line in result.stdout.splitlines() if line[0] in "+-"] == [
        *(f"--- {old.name}", f"+++ {old.name}, migrated"),
        *('-use = "ink@1" # a pen', '-name = "a" # of the log'),
        *('+use = "pen@2" # a pen', '+title = "a" # of the log'),
    ]
    assert result.stderr == (
        "tiny.toml:52: trackers.log.use: 'ink@1' is now 'pen@2'\n"
        f"to change the file: gantk recipe migrate {old} --write\n"
    )
    assert old.read_text() == before


def test_writing_changes_the_file_once(gantk: Gantk, old: Path) -> None:
    written = gantk("-P", "./pens.py", "recipe", "migrate", old, "--write")
    again = gantk("-P", "./pens.py", "recipe", "migrate", old, "--write")
    checked = gantk("-P", "./pens.py", "recipe", "validate", old)

    assert written.stdout == f"{old}\n"
    assert old.read_text().endswith('use = "pen@2" # a pen\ntitle = "a" # of the log\n')
    assert (again.stdout, again.stderr) == ("", "tiny.toml is up to date\n")
    assert (checked.exit_code, checked.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("no.toml",), "there is no file no.toml"),
        (("infogan_ring",), "there is no file infogan_ring"),
        (("-", "--write"), "standard input can't be written to; leave --write out"),
    ],
)
def test_only_a_file_is_migrated(
    gantk: Gantk, recipe: Path, words: tuple[str, ...], text: str
) -> None:
    result = gantk("recipe", "migrate", *words)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"gantk: {text}")
