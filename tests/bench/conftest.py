from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_toolkit.bench.process import Entry

FAKE = Path(__file__).parent / "fake.py"


@pytest.fixture
def fake() -> Callable[..., Entry]:
    """Name a contestant without torch that behaves as told."""

    def entry(*words: str | Path) -> Entry:
        return Entry(str(words[0]), [sys.executable, str(FAKE), *map(str, words)])

    return entry
