from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from gan_toolkit.recipe.lines import Lines

DOCUMENT = '''\
# [comment]
format = 1
a.b . "c.d" = [  # not a header:
  "[x]",
  { format = 1 },
]
text = """
[no.header]
no = 1
""" # end
other = \'\'\'
k = 2\'\'\'
[ one . 'two' ]
"quoted = key" = 1
inline = { f = { g = 1 } }

[[list]]
h = 1
'''


def test_lines_of_a_document() -> None:
    lines = Lines(DOCUMENT)

    assert lines.of(("format",)) == 2
    assert lines.of(("a",)) == lines.of(("a", "b")) == lines.of(("a", "b", "c.d")) == 3
    assert lines.of(("a", "b", "c.d", 0)) == 3
    assert lines.of(("text",)) == 7
    assert lines.of(("other",)) == 11
    assert lines.of(("one", "two")) == 13
    assert lines.of(("one", "two", "quoted = key")) == 14
    assert lines.of(("one", "two", "inline", "f", "g")) == 15
    assert lines.of(("list", "h")) == 18
    assert lines.of(()) == lines.of(("absent",)) == 1
    assert lines.of(("one", "two", "absent")) == 13


KEY = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1, max_size=6
)
LEAF = st.integers() | st.booleans() | st.text(max_size=20).filter(lambda t: "\r" not in t)
TABLE = st.dictionaries(
    KEY,
    st.recursive(
        LEAF | st.lists(LEAF, max_size=3),
        lambda inner: st.dictionaries(KEY, inner, max_size=4),
        max_leaves=10,
    ),
    max_size=5,
)


@given(TABLE)
@settings(max_examples=60, deadline=None)
def test_every_path_has_a_line_that_holds_its_key(table: dict[str, Any]) -> None:
    text = tomlkit.dumps(table)
    lines = Lines(text)

    for path in _paths(tomllib.loads(text), ()):
        line = re.split("\n", text)[lines.of(path) - 1]
        assert tomlkit.key(path[-1]).as_string() in line


def _paths(table: dict[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))
