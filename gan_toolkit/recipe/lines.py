"""On which line of a TOML document a key stands: no TOML library tells.

Keys inside inline tables and arrays are found at the key that holds them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from gan_toolkit.recipe.paths import AnyPath, KeyPath
from gan_toolkit.recipe.tokens import Token, tokens


class Lines:
    """The lines of the keys and headers of a document, which must be valid TOML."""

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        header: KeyPath = ()
        for statement in _statements(text):
            first = statement[0]
            if first.text == "[":
                header = _key(statement)
                path = header
            else:
                path = header + _key(statement)
            for end in range(1, len(path)):
                self._lines.setdefault(path[:end], first.line)
            self._lines[path] = first.line

    def of(self, path: AnyPath) -> int:
        """Return the line of `path`, or of the nearest key above it; 1 for the document."""
        for end in range(len(path), 0, -1):
            if line := self._lines.get(path[:end]):  # type: ignore[arg-type]
                return line
        return 1


def _statements(text: str) -> Iterator[list[Token]]:
    """Yield headers and assignments; an array over several lines is part of one assignment."""
    statement: list[Token] = []
    depth = 0
    for token in tokens(text):
        if token.kind == "mark":
            depth += (token.text in "[{") - (token.text in "]}")
        if token.kind != "line":
            statement.append(token)
        elif depth == 0 and statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _key(statement: list[Token]) -> KeyPath:
    parts = []
    for kind, text, _ in statement:
        if kind == "word":
            parts.append(text)
        elif kind == "text":
            parts.append(tomllib.loads(f"text = {text}")["text"])
        elif text in ("=", "]"):
            break
    return tuple(parts)
