"""How long a component is: its lines of code."""

from __future__ import annotations

import ast

Definition = ast.ClassDef | ast.FunctionDef


def code_lines(source: str) -> dict[str, int]:
    """Return the lines of code of each class and function at the top of a module, by name.

    Not counted: blank lines, comments, docstrings, and what belongs to the module (imports,
    registration). Statements are counted as `ast.unparse` lays them out, one a line.
    """
    top = ast.parse(source).body
    return {node.name: _lines(node) for node in top if isinstance(node, Definition)}


def _lines(component: Definition) -> int:
    for node in ast.walk(component):
        if isinstance(node, Definition) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return sum(bool(line.strip()) for line in ast.unparse(component).splitlines())
