"""TOML cut into tokens: enough to refuse bombs before parsing, and to find lines after it.

Both tomllib's recursion and its dotted keys can be made to take all memory or minutes, so limits
are checked on the tokens, in one linear pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_PARTS = 32
MAX_DIGITS = 4000
MAX_KEYS = 4096
MAX_TOKENS = 100_000

# Unterminated texts end at the end of the document, or of the line: each token is then found in
# time proportional to its length, whatever the bytes are. Repeats are possessive (`*+`): what could
# be given back again takes a hundred bytes a character.
_TOKEN = re.compile(
    r'''
      (?P<text> """(?:[^\\"]++|\\.|"(?!""))*+(?:"""|\\?\Z) | \'\'\'.*?(?:\'\'\'|\Z)
              | "(?:[^"\\\n]++|\\[^\n])*+"? | '[^'\n]*'? )
    | (?P<comment> \#[^\n]* )
    | (?P<word> [A-Za-z0-9_+:-]+ )
    | (?P<line> \n )
    | (?P<space> [ \t\r]+ )
    | (?P<mark> . )
    ''',
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of TOML: its kind is text, word, line or mark."""

    kind: str
    text: str
    line: int


class TooMuch(ValueError):
    """The text goes beyond a limit, at `line`."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text`, comments and spaces left out."""
    line = 1
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup or "mark", match.group()
        if kind not in ("space", "comment"):
            yield Token(kind, found, line)
        line += found.count("\n")


def check_limits(text: str) -> int:
    """Return how many tokens `text` has.

    Raises TooMuch when it is nested too deeply, or has too many, or too long a key or number.
    """
    count = depth = parts = keys = 0
    for count, (kind, found, line) in enumerate(tokens(text), 1):
        if count > MAX_TOKENS:
            raise TooMuch(line, f"too long; at most {MAX_TOKENS} words and signs")
        if kind == "mark" and found in "[{":
            depth += 1
        elif kind == "mark" and found in "]}":
            depth = max(0, depth - 1)
        keys += found == "="
        if kind in ("word", "text"):
            parts += 1
        elif found != ".":
            parts = 0
        if depth > MAX_DEPTH:
            raise TooMuch(line, f"nested too deeply; at most {MAX_DEPTH} brackets")
        if keys > MAX_KEYS:
            raise TooMuch(line, f"too many keys; at most {MAX_KEYS}")
        if parts > MAX_PARTS:
            raise TooMuch(line, f"a key of too many parts; at most {MAX_PARTS}")
        if kind == "word" and len(found) > MAX_DIGITS:
            raise TooMuch(line, f"a number or key is too long; at most {MAX_DIGITS} characters")
    return count
