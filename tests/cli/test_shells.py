"""What bash, zsh and fish put into a line: asked for one by one, and in the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem
from click.testing import CliRunner

from gan_toolkit.cli.root import cli
from gan_toolkit.cli.shells import Bash, Fish, Typed, Zsh, read_line

BREAKS = " \t\n\"'@><=;|&(:"
"""What COMP_WORDBREAKS is unless somebody changes it."""
PATIENCE = 60.0
"""Seconds after which a shell is taken for dead."""


@pytest.mark.parametrize(
    ("line", "words", "kept", "quote"),
    [
        ("gantk run x --set a.b", ["gantk", "run", "x", "--set", "a.b"], "", ""),
        ("gantk run  x ", ["gantk", "run", "x", ""], "", ""),
        ("gantk --set a.b=", ["gantk", "--set", "a.b="], "a.b=", ""),
        ("gantk --set a.b=c", ["gantk", "--set", "a.b=c"], "a.b=", ""),
        ("gantk --set=a=c", ["gantk", "--set=a=c"], "--set=a=", ""),
        ("gantk -P no:wo", ["gantk", "-P", "no:wo"], "no:", ""),
        ("gantk run name@1 x:y", ["gantk", "run", "name@1", "x:y"], "x:", ""),
        ("gantk --set 'a=\"b", ["gantk", "--set", 'a="b'], "", "'"),
        ("gantk --set a='\"b", ["gantk", "--set", 'a="b'], "a=", "'"),
        ("gantk --set 'a=\"b\"' c", ["gantk", "--set", 'a="b"', "c"], "", ""),
        (r'gantk --set "a=\"b', ["gantk", "--set", 'a="b'], "", '"'),
        (r"gantk run my\ recipe", ["gantk", "run", "my recipe"], "", ""),
        (r"gantk run 'back\s", ["gantk", "run", r"back\s"], "", "'"),
    ],
)
def test_a_line_is_read_as_bash_reads_it(
    line: str, words: list[str], kept: str, quote: str
) -> None:
    assert read_line(line, BREAKS) == Typed(words, kept, quote)


def test_where_the_colon_does_not_break_words_it_is_not_kept() -> None:
    assert read_line("gantk -P no:wo", BREAKS.replace(":", "")).kept == ""


@pytest.mark.parametrize(
    ("line", "value", "put"),
    [
        ("gantk run in", "infogan_ring", "infogan_ring"),
        ("gantk --set a.b=", "a.b=true", "true"),
        ("gantk --set a.b=", 'a.b="word"', "'\"word\"'"),
        ("gantk --set 'a.b=", 'a.b="word"', 'a.b="word"'),
        ('gantk --set "a.b=', 'a.b="word"', r'a.b=\"word\""'),
        ('gantk --set "a.b=', "a.b=1", "a.b=1"),
        ("gantk run my", "my recipe", "'my recipe'"),
        ("gantk --set a.b=", "a.b=", ""),
    ],
)
def test_bash_puts_in_what_it_does_not_keep(
    monkeypatch: pytest.MonkeyPatch, line: str, value: str, put: str
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_WORDBREAKS", BREAKS)
    shell = Bash(cli, {}, "gantk", "X")

    before, typed = shell.get_completion_args()

    assert ["gantk", *before, typed] == read_line(line, BREAKS).words
    assert shell.format_completion(CompletionItem(value)) == f"plain,{put}"


@pytest.mark.parametrize("shell", [Bash, Zsh, Fish])
def test_a_value_behind_an_option_takes_the_option_along(shell: type[Bash | Zsh | Fish]) -> None:
    asked = shell(cli, {}, "gantk", "X")

    behind = asked.get_completions(["run", "infogan_ring"], "--set=run.crit")
    alone = asked.get_completions(["run", "infogan_ring", "--set"], "run.deterministic=t")

    assert [item.value for item in behind] == ["--set=run.critic_steps="]
    assert [item.value for item in alone] == ["run.deterministic=true"]


@pytest.mark.parametrize("words", [["nothing"], ["plugins", "chek"], ["-P", "./gone.py", "x"]])
def test_for_a_line_at_fault_nothing_is_offered(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert Zsh(cli, {}, "gantk", "X").get_completions(words, "") == []
    assert capfd.readouterr() == ("", "")


def test_a_broken_plugin_is_not_told_of_in_the_middle_of_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken_in_a_line.py"
    broken.write_text("import nothing_there")

    offered = Zsh(cli, {}, "gantk", "X").get_completions(["-P", str(broken)], "ru")

    assert [item.value for item in offered] == ["run", "runs"]
    assert capfd.readouterr() == ("", "")


def test_scripts_are_ours() -> None:
    """A newer click whose script has other words would bring back the space behind a key."""
    printed = {s: CliRunner().invoke(cli, ["completion", s]).stdout for s in ("bash", "zsh")}

    assert "compopt -o nospace" in printed["bash"]
    assert "-S ''" in printed["zsh"]


# --- the shells themselves -------------------------------------------------------------------


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"there is no {shell} here")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a run in it, a program `gantk`, and start-up files that complete it.

    What a line would run is printed instead, each word in angle brackets.
    """
    program = tmp_path / "bin" / "gantk"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gan_toolkit "$@"\n')
    program.chmod(0o755)
    run = tmp_path / "runs" / "tiny" / "first" / "run.json"
    run.parent.mkdir(parents=True)
    run.write_text("{}")
    ours = 'source <(gantk completion {}  2> /dev/null)\ngantk() {{ printf "<%s>" "$@"; echo; }}\n'
    (tmp_path / ".bashrc").write_text(f"{ours.format('bash')}PS1='> '\n")
    complete = f"autoload -U compinit && compinit -u -d {tmp_path}/dump\n"
    (tmp_path / ".zshrc").write_text(
        f"{complete}{ours.format('zsh')}unset zle_bracketed_paste\nPS1='> '\n"
    )
    (tmp_path / "inputrc").write_text("set bell-style none\nset enable-bracketed-paste off\n")
    return tmp_path


def environment(home: Path) -> dict[str, str]:
    here = {"HOME": str(home), "ZDOTDIR": str(home), "INPUTRC": str(home / "inputrc")}
    path = f"{home}/bin{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **here, "PATH": path, "TERM": "dumb"}


@contextmanager
def terminal(home: Path, *words: str) -> Iterator[int]:
    """Start a shell that takes its end for a terminal; give ours."""
    ours, its = pty.openpty()
    shell = subprocess.Popen(
        words, stdin=its, stdout=its, stderr=its, cwd=home, env=environment(home), close_fds=True
    )
    os.close(its)
    try:
        yield ours
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def until(end: int, pattern: str) -> str:
    """Read from a terminal until the pattern is there; return what its group matched."""
    text, patience = "", time.monotonic() + PATIENCE
    while time.monotonic() < patience:
        if select.select([end], [], [], 0.5)[0]:
            text += os.read(end, 65_536).decode(errors="replace")
            if found := re.search(pattern, text):
                return found[1]
    raise AssertionError(f"{pattern!r} never came; what came: {text!r}")


LINES = {
    "gantk completion fi\t": "<completion><fish>",
    "gantk resume fi\t": "<resume><first>",
    "gantk components show latent unif\t": "<components><show><latent><uniform>",
    "gantk -P no:wor\t": "<-P><no:worlds>",
    "gantk run infogan_r\t": "<run><infogan_ring>",
    "gantk run infogan_ring --set run.crit\t2": "<run><infogan_ring><--set><run.critic_steps=2>",
    "gantk run infogan_ring --set=run.deterministic=t\t": (
        "<run><infogan_ring><--set=run.deterministic=true>"
    ),
    "gantk run infogan_ring --set objective.use=h\t": (
        '<run><infogan_ring><--set><objective.use="hinge">'
    ),
    "gantk run infogan_ring --set 'objective.use=\"h\t": (
        '<run><infogan_ring><--set><objective.use="hinge">'
    ),
    'gantk run infogan_ring --set "objective.use=h\t': (
        '<run><infogan_ring><--set><objective.use="hinge">'
    ),
}
"""What is typed, and the words that are run by the line that results."""


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(("bash", "--noprofile", "-i"), marks=needs("bash"), id="bash"),
        pytest.param(("zsh", "-i"), marks=needs("zsh"), id="zsh"),
    ],
)
def test_a_tabulator_makes_a_line_that_can_be_run(shell: tuple[str, ...], home: Path) -> None:
    with terminal(home, *shell) as end:
        until(end, "(> )$")
        told = {}
        for line in LINES:
            os.write(end, f"{line}\n".encode())
            told[line] = until(end, r"(<[^\n]*>)\r?\n[^<]*> $")

    assert told == LINES


@needs("fish")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gantk completion fi", ["fish"]),
        ("gantk resume ", ["first"]),
        ("gantk -P no:wor", ["no:worlds"]),
        ("gantk run infogan_ring --set run.crit", ["run.critic_steps="]),
        (
            "gantk run infogan_ring --set=run.deterministic=",
            ["--set=run.deterministic=false", "--set=run.deterministic=true"],
        ),
        ("gantk run infogan_ring --set 'objective.use=\"h", ['objective.use="hinge"']),
    ],
)
def test_fish_offers(line: str, offered: list[str], home: Path) -> None:
    ask = "gantk completion fish 2> /dev/null | source; complete -C $argv[1]"

    done = subprocess.run(
        ["fish", "--no-config", "-c", ask, line],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env=environment(home),
    )

    assert (done.stdout.splitlines(), done.stderr) == (offered, "")
