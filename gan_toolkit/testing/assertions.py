"""An assertion that failed in one line: its own words, or what it compared."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from gan_toolkit.plugin_records import line_of

LONGEST = 60
"""Characters of a value; longer ones, such as whole tensors, say nothing in one line."""


def said_by(error: AssertionError) -> str:
    """Return what an assertion says, or else its line, and what the names in it were."""
    said = line_of(error).removeprefix("AssertionError").removeprefix(": ")
    if said:
        return said
    line = str(traceback.extract_tb(error.__traceback__)[-1].line)
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    values = dict(_values(line, frame.f_locals))
    where = " and ".join(f"{name} is {value}" for name, value in values.items())
    return f"{line}, where {where}" if where else line


def _values(line: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of a line and their attributes as text; nothing in it is called."""
    with suppress(SyntaxError):  # the first of several lines
        for node in _read(ast.parse(line)):
            with suppress(Exception):  # a local of another name, or an attribute that raises
                text = repr(_value(node, known))
                if len(text) <= LONGEST and "\n" not in text:
                    yield ast.unparse(node), text


def _read(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a line reads, each `a.b.c` as a whole, and no function that it calls."""
    if isinstance(node, ast.Attribute | ast.Name):
        yield node
        return
    left_out = node.func if isinstance(node, ast.Call) else None
    for child in ast.iter_child_nodes(node):
        if child is not left_out:
            yield from _read(child)


def _value(node: ast.AST, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, known), node.attr)
    assert isinstance(node, ast.Name), "an attribute of a call, whose value is gone"
    return known[node.id]
