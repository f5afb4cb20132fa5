"""A contestant's side: set up, one step, then answers."""

from __future__ import annotations

import io
import json
import os

import pytest

from gan_toolkit.bench import contestant
from gan_toolkit.bench.contestant import peak_bytes, serve


def answers(set_up, orders):
    stream = io.StringIO()
    serve(set_up, orders, stream)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_first_step_is_done_when_it_is_ready():
    done = []

    def set_up(settings):
        return {"batch": settings["batch"]}, {"steps": done.append}

    (ready,) = answers(set_up, ['{"batch": 8}'])

    assert ready == {"ready": {"batch": 8, "verbs": ["steps"]}}
    assert done == [1]


def test_an_answer_says_what_the_order_took_and_what_its_verb_found():
    verbs = {"steps": lambda count: None, "shares": lambda count: {"shares": {"data": count}}}

    _, steps, shares = answers(lambda _: ({}, verbs), ["{}", "steps 3", "shares 2"])

    assert set(steps) == {"seconds", "cpu_seconds", "peak_bytes"}
    assert 0 <= steps["seconds"] < 1
    assert shares["shares"] == {"data": 2}


def test_a_verb_may_know_its_peak_better():
    verbs = {"steps": lambda count: {"peak_bytes": 5}}

    assert answers(lambda _: ({}, verbs), ["{}", "steps 1"])[1]["peak_bytes"] == 5


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("too small"), "too small"), (SystemExit(), "SystemExit")]
)
def test_what_goes_wrong_is_the_last_answer_and_raised(error, said):
    stream = io.StringIO()

    def set_up(_):
        raise error

    with pytest.raises(type(error)):
        serve(set_up, ["{}"], stream)

    assert json.loads(stream.getvalue()) == {"failed": said, "kind": type(error).__name__}


def test_the_peak_is_that_of_the_process_and_zero_where_nobody_tells(tmp_path, monkeypatch):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n")
    monkeypatch.setattr(contestant, "_STATUS", status)

    assert peak_bytes() == 2 * 1024**2

    status.unlink()

    assert peak_bytes() == 0


def test_what_libraries_print_does_not_get_between_the_answers(capfd):
    before = os.dup(1)
    try:
        with contestant._stdout_to_ourselves() as stream:
            os.write(1, b"a library says hello")
            stream.write("an answer")
    finally:
        os.dup2(before, 1)
        os.close(before)

    assert capfd.readouterr() == ("an answer", "a library says hello")
