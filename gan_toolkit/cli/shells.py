"""What bash needs beside click's own script: keys with `=`, and values with quotes.

Bash takes a word apart at each `=` and replaces only what stands behind the last one; the other
shells hand over whole words, and quote what they put in by themselves.
"""

from __future__ import annotations

import shlex
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

QUOTE = '"'
_PUT = "COMPREPLY+=($value)"
_PUT_AND_STAY = 'COMPREPLY+=("$value"); [[ $value == *= ]] && compopt -o nospace'


class Bash(BashComplete):
    """Completion for bash."""

    source_template = BashComplete.source_template.replace(_PUT, _PUT_AND_STAY)

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor and the one at it, with `=` inside them again."""
        args, typed = super().get_completion_args()
        *before, last = _joined([*args, typed])
        self._kept = last[: last.rfind("=") + 1]
        return before, last

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return what bash puts in place of what stands behind the last `=`."""
        value = str(item.value).removeprefix(self._kept)
        return f"{item.type},{shlex.quote(value) if QUOTE in value else value}"


def register() -> None:
    """Put ours in place of click's; for this process only, and only where it completes."""
    add_completion_class(Bash)


def _joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if joined and (word == "=" or joined[-1].endswith("=")) and word != "":
            joined[-1] += word
        else:
            joined.append(word)
    return joined
