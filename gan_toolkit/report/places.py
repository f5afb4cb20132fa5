"""What a page must not tell: where on a machine things lie, and whose home that is.

A report is made to be shown to others. Paths in messages, command lines and options end at their
last part; the parts above it are of no use elsewhere, and often hold the name of a person.
"""

from __future__ import annotations

import re
from pathlib import Path

from gan_toolkit.files import printable

GONE = "…"
_PART = r"[^\s/\\'\"`:;,<>|()\[\]{}=]"
_PLACES = re.compile(
    rf"""
    (?P<address> (?!file:)[a-z][a-z0-9+.-]*://\S+ )            # of the net, not of this machine
  | (?P<quote>['"`]) (?P<quoted> (?:file://|~[\w.-]*)?/[^'"`\n]* | [A-Za-z]:\\[^'"`\n]* ) (?P=quote)
  | (?P<above> (?<![\w.]) (?:\.\./)+ {_PART}* (?:/{_PART}*)* )
  | (?P<place> (?<![\w.~/\\-]) (?:file://)? (?: ~[\w.-]*(?:/{_PART}+)+ | (?:/{_PART}+){{2,}} ) /? )
  | (?P<drive> (?<![\w]) [A-Za-z]:\\ {_PART}* (?:\\{_PART}*)* )
  | (?P<share> (?<![\w\\]) \\\\ {_PART}+ (?:\\{_PART}*)* )
    """,
    re.VERBOSE,
)
_DEEP = 3
"""Parts a path must have for its last one to be shown: `/home/name` is a person."""


def without_places(text: str) -> str:
    """Return `text` on one line, with the last part of each path that leads out of the run."""
    line = printable(text)
    home = str(Path.home())
    if len(Path(home).parts) > 1:
        line = line.replace(home, "/home/-")  # in a form that the pattern knows, spaces and all
    if line.startswith(("/", "~/")) or re.match(r"[A-Za-z]:\\|\\\\", line):
        return _ending(line) if "://" not in line else _PLACES.sub(_shortened, line)
    return _PLACES.sub(_shortened, line)


def _shortened(match: re.Match[str]) -> str:
    if match["address"]:
        return match[0]
    if match["quote"]:
        return f"{match['quote']}{_ending(match['quoted'])}{match['quote']}"
    return _ending(match[0])


def _ending(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path.removeprefix("file://")) if part]
    deep = len(parts) >= _DEEP or (path.startswith("../") and parts[-1] != "..")
    return f"{GONE}/{parts[-1]}" if deep else GONE
