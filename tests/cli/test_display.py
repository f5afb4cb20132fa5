from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.cli import display as display_module
from gan_toolkit.cli.display import (
    Display,
    JsonDisplay,
    Pace,
    PlainDisplay,
    values_of,
)
from gan_toolkit.cli.scores import show_scores
from gan_toolkit.cli.session import Session
from gan_toolkit.cli.text import is_lively

START = {
    "event": "start",
    "run": "runs/alpha/one",
    "name": "alpha",
    "variants": ["cpu"],
    "data": {"name": "dots", "source": "synthetic", "samples": 60000, "shape": [1, 8, 8]},
    "device": "CPU, f32",
    "step": 0,
    "steps": 60000,
    "batch_size": 64,
    "latents": {"noise": "beta, 62 wide, noise", "shape": "gamma, 10 wide, H = 2.3026 nats"},
}
LOG = {
    "event": "log",
    "step": 2000,
    "critic/loss": 1.31,
    "generator/loss": 0.84,
    "critic/information": -2.91,
    "information/shape": 2.91,
    "samples_per_second": 812.0,
}
SCORES = [
    {"measure": "bound", "name": "shape", "value": 2.1, "unit": "nats", "ceiling": 2.3026},
    {"measure": "clusters", "name": "accuracy", "value": None, "void": "too few samples"},
]


def show(display: Display, *events: dict[str, Any]) -> None:
    with display:
        for event in events:
            display.tell(event)


def test_a_plain_line_says_step_pace_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay(Session())

    show(display, START, LOG)

    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("step 2000/60000 3.3% 812 img/s eta ")
    assert line.endswith("critic 1.31 generator 0.840 information/shape 2.91")


def test_the_opening_says_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    show(PlainDisplay(Session()), START)

    assert capsys.readouterr().err.splitlines() == [
        "recipe        alpha, variant cpu",
        "data          dots (synthetic), 60,000 samples of 1x8x8",
        "device        CPU, f32",
        "steps         60,000 of 64 samples",
        "latent noise  beta, 62 wide, noise",
        "latent shape  gamma, 10 wide, H = 2.3026 nats",
        "run           runs/alpha/one",
    ]


def test_points_are_not_called_images(capsys: pytest.CaptureFixture[str]) -> None:
    points = START | {"data": START["data"] | {"shape": [2]}}  # type: ignore[operator]

    show(PlainDisplay(Session()), points, LOG)

    assert " 812 samples/s " in capsys.readouterr().err


def test_the_last_line_on_stdout_is_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay(Session())

    show(
        display,
        START | {"steps": 10},
        LOG | {"step": 10},
        {"event": "evaluation", "step": 10, "scores": SCORES},
        {"event": "picture", "step": 10, "path": "samples/x.png"},
        {"event": "model", "path": "model.safetensors"},
        {"event": "end", "outcome": "finished"},
    )
    display.close(Path("runs/alpha/one"))

    out, err = capsys.readouterr()
    assert out == "runs/alpha/one\n"
    assert ["bound", "shape", "2.10", "nats", "2.30"] in [line.split() for line in err.splitlines()]
    assert "  void:  too few samples (clusters accuracy)" in err
    assert "gantk traverse runs/alpha/one shape -o shape.png" in err
    assert "gantk sample runs/alpha/one" in err


def test_a_reason_that_voids_many_values_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    void = {"measure": "clusters", "value": None, "void": "too few samples"}

    show_scores([void | {"name": "a"}, void | {"name": "b"}], "Measured")

    err = capsys.readouterr().err
    assert err.count("too few samples") == 1
    assert "(2 values of clusters)" in err


def test_a_reference_stands_beside_the_value(capsys: pytest.CaptureFixture[str]) -> None:
    distance = {"measure": "quality", "name": "frechet", "value": 12.5, "reference": 0.25}

    show_scores([distance], "Measured")

    lines = [line.split() for line in capsys.readouterr().err.splitlines()]
    assert ["measure", "of", "value", "reference"] in lines
    assert ["quality", "frechet", "12.5", "0.250"] in lines


def test_an_evaluation_on_the_way_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show(PlainDisplay(Session()), START, {"event": "evaluation", "step": 5, "scores": SCORES})

    line = capsys.readouterr().err.splitlines()[-1]
    assert line == ("evaluation at step 5: bound shape 2.10 of 2.30 nats, clusters accuracy void")


def test_json_lines_end_with_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    display = JsonDisplay(Session())

    show(display, START, LOG, {"event": "note", "text": "hm"}, {"event": "end", "outcome": "ok"})
    display.close(Path("runs/alpha/one"))

    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["event"] for record in records] == ["start", "log", "note", "end"]
    assert records[1] == LOG
    assert records[-1] == {"event": "end", "outcome": "ok", "run": "runs/alpha/one"}
    assert err == "hm\n"


def test_commands_can_be_pasted_into_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    display = PlainDisplay(Session())

    show(display, START, LOG, {"event": "model", "path": "model.safetensors"})
    display.close(Path("my runs/one"))

    assert "  gantk sample 'my runs/one' -n 64 -o samples.png" in capsys.readouterr().err


def test_the_exit_code_is_certain_before_anybody_can_read_that_all_is_saved() -> None:
    for event in (
        {"event": "checkpoint", "step": 3, "reason": "stop"},
        {"event": "end", "outcome": "finished"},
    ):
        session, settled = Session(), []
        session.settle = lambda settled=settled: settled.append("settled")  # type: ignore[misc]

        show(PlainDisplay(session), START, {"event": "checkpoint", "step": 2, "reason": "interval"})
        assert not settled
        show(PlainDisplay(session), event)

        assert settled


def test_a_closed_pipe_silences_the_display_and_not_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def broken(text: str) -> None:
        calls.append(text)
        raise BrokenPipeError

    monkeypatch.setattr(display_module, "echo", broken)
    display = PlainDisplay(Session())

    show(display, START, LOG, LOG)

    assert len(calls) == 1
    assert display.step == 2000


def test_a_fault_of_the_display_is_said_once_and_the_run_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(PlainDisplay(Session()), START, {"event": "evaluation", "step": 5}, LOG, LOG)

    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "the display failed (KeyError: 'scores'); the run goes on"


def test_log_messages_of_the_library_are_prose(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    session = Session()
    deafen = session.listen()
    logging.getLogger("gantk.data").info("preparing %d samples", 3)
    deafen()
    logging.getLogger("gantk.data").info("unheard")

    assert capsys.readouterr() == ("", "preparing 3 samples\n")


def test_values_prefer_losses_and_what_terms_say_themselves() -> None:
    event = LOG | {"critic/penalty": 0.1} | {f"other/{i}": 0.0 for i in range(9)}

    names = list(values_of(event))

    assert names[:3] == ["critic", "generator", "information/shape"]
    assert "critic/information" not in names
    assert len(names) == 8


@pytest.mark.parametrize("setting", [{"TERM": "dumb"}, {"CI": "true"}, {"TERM": "xterm"}])
def test_only_a_real_terminal_is_lively(setting: dict[str, str]) -> None:
    assert not is_lively(setting)  # under pytest stderr is no terminal


def test_a_terminal_is_lively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    assert is_lively({"TERM": "xterm"})
    assert not is_lively({"TERM": "xterm", "CI": "1"})


def test_pace_forgets_the_first_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gan_toolkit.cli.display.time.monotonic", lambda: now[0])
    pace = Pace()

    pace.at(0)
    for step, seconds in ((1, 60.0), (10, 1.0), (20, 1.0)):
        assert (pace.left(100) is None) == (step < 20)
        now[0] += seconds
        pace.at(step)

    left = pace.left(100)
    assert left is not None
    assert left < 10


def test_scores_are_shown_with_anchors_warnings_and_a_headline(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gap = {"measure": "gap", "name": "all", "value": 0.4, "anchors": {"untrained": 0.05}}
    many = [{"measure": "m", "name": name, "value": 1.0, "warnings": ["few"]} for name in "abcd"]

    show_scores([gap | {"headline": "GAP", "warnings": ["dead: x"]}, *many], "Measured")

    lines = capsys.readouterr().err.splitlines()
    assert lines[1].split() == ["measure", "of", "value", "untrained"]
    assert lines[2].split() == ["gap", "all", "0.400", "0.0500"]
    assert lines[3].split() == ["m", "a", "1"]
    assert lines[-3].split(maxsplit=1) == ["warning:", "dead: x (gap all)"]
    assert lines[-2].split(maxsplit=1) == ["warning:", "few (4 scores)"]
    assert lines[-1].split(maxsplit=2) == ["in", "short:", "GAP 0.400"]
