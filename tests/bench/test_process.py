"""The asker's side: answers, and every way not to give one."""

from __future__ import annotations

import signal
from contextlib import closing

import pytest

from gan_toolkit.bench.process import Contestant, ContestantError, Entry
from gan_toolkit.errors import ExitCode


def test_a_contestant_answers_whatever_libraries_print(fake):
    with closing(Contestant(fake("well"), {})) as contestant:
        answer = contestant.ask("steps", 2)

        assert contestant.facts["batch"] == 4
        assert contestant.first_step > 0
        assert answer["seconds"] >= 0.002
        assert answer["peak_bytes"] > 0


@pytest.mark.parametrize(
    ("kind", "said", "code"),
    [
        ("fails", "no network of that size", ExitCode.UNEXPECTED),
        ("silent", "it ended without a word, exit code 3", ExitCode.PLUGIN),
        ("complains", "last words", ExitCode.UNEXPECTED),
        ("babbles", "it wrote 'what?' where an answer was due", ExitCode.UNEXPECTED),
        ("lists", "it wrote '[1]' where an answer was due", ExitCode.UNEXPECTED),
    ],
)
def test_why_it_can_t_run_is_said_in_its_own_words(fake, kind, said, code):
    with pytest.raises(ContestantError) as caught:
        Contestant(fake(kind), {})

    assert str(caught.value) == said
    assert caught.value.exit_code == code


def test_a_program_that_is_not_there():
    with pytest.raises(ContestantError, match=r"^no-such-program: No such file or directory$"):
        Contestant(Entry("none", ["no-such-program"]), {})


def test_nobody_waits_for_ever(fake):
    with pytest.raises(ContestantError, match=r"^no answer in 0 s$"):
        Contestant(fake("hangs"), {}, patience=0.05)


def test_one_that_says_it_failed_need_not_end(fake):
    contestant = Contestant(fake("well"), {})
    contestant.patience = 0.05

    with closing(contestant), pytest.raises(ContestantError, match=r"^tired$") as caught:
        contestant._understood('{"failed": "tired"}')

    assert caught.value.exit_code == ExitCode.UNEXPECTED


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, r"^ended by SIGKILL: is the memory full\?$"),
        (signal.SIGTERM, r"^ended by SIGTERM$"),
    ],
)
def test_one_that_was_ended_from_outside(fake, number, said):
    contestant = Contestant(fake("well"), {})
    contestant._process.send_signal(number)
    contestant._process.wait()

    with closing(contestant), pytest.raises(ContestantError, match=said):
        contestant.ask("steps", 1)
