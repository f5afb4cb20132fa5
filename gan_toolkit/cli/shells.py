"""What shells need beside click's own scripts: keys with `=`, values with quotes, names with `:`.

Bash takes a word apart at each `=` and `:` and replaces only what stands behind the last of them,
or behind the quote that is open; the other shells hand over whole words, and quote what they put in
by themselves. None of them may add a space behind a key that waits for its value.
"""

from __future__ import annotations

import io
import os
import re
import shlex
from contextlib import redirect_stderr, suppress
from typing import Any, NamedTuple

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

BASH = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            file) compopt -o default ;;
            dir) compopt -o dirnames ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *= ]] && compopt -o nospace
                ;;
        esac
    done < <(
        env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
            %(complete_var)s=bash_complete "$1"
    )
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
"""The line itself is handed over: in the words of bash, what was one and what two is lost."""

_ZSH_PUTS = "compadd -U -V unsorted -a completions"
_ZSH_PUTS_AND_STAYS = (
    "compadd -U -V unsorted -- ${completions:#*=}\n"
    "        compadd -U -V unsorted -S '' -- ${(M)completions:#*=}"
)


class _Complete(ShellComplete):
    """Completion that knows `--option=value`, which click answers with the value alone."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[Any]]:
        """Return what may stand in place of the last word; nothing where the line is at fault.

        What plugins and errors say of it would stand in the middle of what is being typed.
        """
        items: list[CompletionItem[Any]] = []
        with suppress(Exception), redirect_stderr(io.StringIO()):
            items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


class Fish(_Complete, FishComplete):
    """Completion for fish."""


class Zsh(_Complete, ZshComplete):
    """Completion for zsh."""

    source_template = ZshComplete.source_template.replace(_ZSH_PUTS, _ZSH_PUTS_AND_STAYS)


class Bash(_Complete, BashComplete):
    """Completion for bash."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor and the one at it."""
        self._typed = read_line(
            # A script of before this one gives the words alone.
            os.environ.get("COMP_LINE", os.environ.get("COMP_WORDS", "")),
            os.environ.get("COMP_WORDBREAKS", ""),
        )
        return self._typed.words[1:-1], self._typed.words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return what bash puts in place of what it does not keep of the last word."""
        value = str(item.value).removeprefix(self._typed.kept)
        if self._typed.quote == '"':
            # Bash takes an escaped quote at the end for the one that closes, and adds none.
            closing = '"' if value.endswith('"') else ""
            value = re.sub(r'(["\\$`])', r"\\\1", value) + closing
        elif value and not self._typed.quote:
            value = shlex.quote(value)
        return f"{item.type},{value}"


class Typed(NamedTuple):
    """A line of bash up to the cursor."""

    words: list[str]
    """Without their quotes; the last, which may be empty, is the one at the cursor."""
    kept: str
    """What of the last word bash keeps, whatever is put in."""
    quote: str
    """The quote that is open, or nothing."""


def read_line(line: str, breaks: str) -> Typed:
    """Take a line apart as bash does, which ends words at each of `breaks` for its own purposes."""
    words, word, kept, quote, escaped = [], "", "", "", False
    for char in line:
        if escaped:
            word, escaped = word + char, False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            word, quote = (word, "") if char == quote else (word + char, quote)
        elif char in "'\"":
            quote, kept = char, word
        elif char.isspace():
            words += [word] if word else []
            word = kept = ""
        else:
            word += char
            kept = word if char in breaks else kept
    return Typed([*words, word], kept, quote)


def register() -> None:
    """Put ours in place of click's; for this process only, and only where it completes."""
    for ours in (Bash, Zsh, Fish):
        add_completion_class(ours)
