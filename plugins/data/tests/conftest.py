from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "data_files.md"
ROW = re.compile(
    r"^\| (?P<row>[A-Z]\d\d) \| (?P<file>.+?) \| (?P<outcome>read|refused|left out)\b.* \| .* \|$",
    re.MULTILINE,
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what a test prepares, outside of what it reads."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def documented() -> Callable[[str], dict[str, str]]:
    """The rows of the page on odd files whose ids begin with a letter, and what each says."""
    text = PAGE.read_text(encoding="utf-8")
    rows = ROW.findall(text)
    assert len(rows) == len(re.findall(r"^\| [A-Z]\d\d ", text, re.MULTILINE)), "a row is malformed"
    assert len({row for row, _, _ in rows}) == len(rows), "an id occurs twice"
    return lambda letter: {row: outcome for row, _, outcome in rows if row.startswith(letter)}
