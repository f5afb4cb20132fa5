"""From bytes to a document: a parsed table that knows where each of its keys stands.

Whatever the bytes are, the outcome is a document or a RecipeError.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any

from gan_toolkit.errors import Problem, RecipeError
from gan_toolkit.recipe.lines import Lines
from gan_toolkit.recipe.paths import KeyPath
from gan_toolkit.recipe.tokens import MAX_BYTES, MAX_DEPTH, TooMuch, check_limits

_AT = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


@dataclass(frozen=True)
class Document:
    """One file, text or mapping, read."""

    shown: str
    """How messages call it; empty for a mapping."""
    folder: Path
    """What relative paths in it are relative to."""
    text: str
    table: dict[str, Any]
    lines: Lines | None
    words: int = 0
    """Its tokens: what reading it cost."""

    def place(self, path: KeyPath) -> tuple[str, int]:
        """Return `file:line` of a key, and the line."""
        if self.lines is None:
            return "", 0
        line = self.lines.of(path)
        return f"{self.shown}:{line}", line


def read_file(path: Path) -> Document:
    """Read a file; `-` is standard input."""
    if str(path) == "-":
        return read_bytes(sys.stdin.buffer.read(MAX_BYTES + 1), "<stdin>", Path.cwd())
    shown = show_path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise _refused(shown, f"can't be read: {cause}") from None
    return read_bytes(raw, shown, path.absolute().parent)


def read_bytes(raw: bytes, shown: str, folder: Path) -> Document:
    """Read strict UTF-8, whatever the locale; a byte-order mark is dropped."""
    if len(raw) > MAX_BYTES:
        raise _refused(shown, f"too large for a recipe; at most {MAX_BYTES} bytes")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refused(f"{shown}:{line}", "not UTF-8; save the file as UTF-8") from None
    table, words = parse(text, shown)
    return Document(shown, folder, text, table, Lines(text), words)


def read_mapping(mapping: Mapping[str, Any]) -> Document:
    """Take a recipe given as a dictionary; only what TOML can hold passes."""
    return Document("", Path.cwd(), "", _plain(mapping, ()), None)


def parse(text: str, shown: str) -> tuple[dict[str, Any], int]:
    """Parse TOML within the limits, and count its tokens; RecipeError is the only error."""
    try:
        words = check_limits(text)
        table = tomllib.loads(text)
        _check_depth(table, text)
        return table, words
    except TooMuch as error:
        raise _refused(f"{shown}:{error.line}", str(error)) from None
    except tomllib.TOMLDecodeError as error:
        place, cause = _located(error, text)
        raise _refused(f"{shown}:{place}", f"not TOML: {cause}") from None
    except (ValueError, RecursionError) as error:
        raise _refused(shown, f"not TOML: {error}") from None


def show_path(path: Path) -> str:
    """Return how messages call a file: short when it lies below the current folder."""
    absolute = Path(os.path.normpath(path.absolute()))
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


def _located(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, str]:
    """Return `line:column` and the cause, which Python tells in one text only."""
    match = _AT.fullmatch(str(error))
    if match is None:
        return "1", str(error)
    cause, line, column = match.groups()
    cause = "".join(c if c.isprintable() else "?" for c in cause)
    return (f"{line}:{column}" if line else str(text.count("\n") + 1)), cause


def _check_depth(table: dict[str, Any], text: str) -> None:
    """Raise TooMuch for tables too deep for a recursion: dotted keys add to the brackets."""
    level: list[tuple[KeyPath, Any]] = [((), table)]
    while level:
        path = level[0][0]
        if len(path) > MAX_DEPTH:
            raise TooMuch(Lines(text).of(path), f"nested too deeply; at most {MAX_DEPTH} levels")
        level = [
            ((*path, key), inner)
            for path, value in level
            if isinstance(value, dict | list)
            for key, inner in _items(value)
        ]


def _items(value: dict[str, Any] | list[Any]) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else (("", inner) for inner in value)


def _plain(value: Any, path: KeyPath) -> Any:
    if len(path) > MAX_DEPTH:
        raise _refused("", f"nested too deeply; at most {MAX_DEPTH} levels", path)
    if isinstance(value, Mapping):
        for key in value:
            if not (isinstance(key, str) and _encodable(key)):
                raise _refused("", f"the key {key!r} is not a text", path)
        return {str(key): _plain(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, (*path, str(i))) for i, inner in enumerate(value)]
    if isinstance(value, str) and not _encodable(value):
        raise _refused("", "not a text that can be written as UTF-8", path)
    if not isinstance(value, str | int | float | date | time):
        raise _refused("", f"a {type(value).__name__} is not a TOML value", path)
    return value


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _refused(place: str, text: str, path: KeyPath = ()) -> RecipeError:
    return RecipeError([Problem(0, place, ".".join(path), text)])
