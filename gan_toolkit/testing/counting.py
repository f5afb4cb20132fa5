"""How long a component is: its lines of code."""

from __future__ import annotations

import ast

Definition = ast.ClassDef | ast.FunctionDef


def code_lines(source: str) -> dict[str, int]:
    """Return the lines of code of each class and function at the top of a module, by name.

    Lines as they are written. Not counted: blank lines, comments, docstrings, and what belongs to
    the module (imports, registration).
    """
    lines = source.splitlines()
    top = ast.parse(source).body
    return {node.name: _count(node, lines) for node in top if isinstance(node, Definition)}


def _count(component: Definition, lines: list[str]) -> int:
    own = set(range(component.lineno, _end(component) + 1))
    for node in ast.walk(component):
        if isinstance(node, Definition) and ast.get_docstring(node) is not None:
            own -= set(range(node.body[0].lineno, _end(node.body[0]) + 1))
    texts = (lines[number - 1].strip() for number in own)
    return sum(bool(text) and not text.startswith("#") for text in texts)


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None, "the parser knows where it ends"
    return node.end_lineno
