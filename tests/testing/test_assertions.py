"""What is told of an assertion, in one line."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gan_toolkit.testing.assertions import said_by

MODULE = """\
from types import SimpleNamespace

def check():
    bins, due = SimpleNamespace(ndim=1, inner=SimpleNamespace(size=3), long="x" * 99), 2
    {}

check()
"""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("assert bins.ndim == 2, 'a column for each part'", "a column for each part"),
        ("assert bins.ndim == due", "assert bins.ndim == due, where bins.ndim is 1 and due is 2"),
        ("assert due == due + 1", "assert due == due + 1, where due is 2"),
        ("assert not bins.inner.size", "assert not bins.inner.size, where bins.inner.size is 3"),
        ("assert float(due) == 3", "assert float(due) == 3, where due is 2"),
        ("assert not dict(a=1).keys", "assert not dict(a=1).keys"),
        ("assert bins.long == ''", "assert bins.long == ''"),
        ("assert due == max(\n        3, 4\n    )", "assert due == max("),
    ],
)
def test_an_assertion_says_why_or_shows_what_it_compared(
    line: str, told: str, tmp_path: Path
) -> None:
    """It stands in a file that pytest, which has words of its own for it, has not rewritten."""
    module = tmp_path / "asserting.py"
    module.write_text(MODULE.format(line))

    with pytest.raises(AssertionError) as caught:
        runpy.run_path(str(module))

    assert said_by(caught.value) == told
