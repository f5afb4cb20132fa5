"""The live block of a sweep."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gan_toolkit.cli import sweep_display
from gan_toolkit.cli.session import Session
from gan_toolkit.cli.sweep_display import JsonSweepDisplay, SweepDisplay, sweep_display_for
from gan_toolkit.cli.sweep_live import LiveSweepDisplay
from gan_toolkit.sweep.entries import Entry
from gan_toolkit.sweep.plan import Plan, Slot
from gan_toolkit.sweep.space import Dimension, Space
from gan_toolkit.sweep.trial import Calls


def trial(name: str, state: str, **more: Any) -> dict[str, Any]:
    known = {"event": "trial", "trial": name, "state": state, "parameters": {"a.b": "1"}}
    return {**known, "seed": None, "run": f"runs/r/s-{name}", **more}


def drawn(display: LiveSweepDisplay) -> str:
    stream = io.StringIO()
    Console(file=stream, width=80, color_system=None).print(display._block())
    return stream.getvalue()


def test_it_shows_a_bar_for_what_runs_and_counts_what_ended(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, color_system=None)
    session = Session()
    plan = Plan("s", {}, [])
    calls = Calls([], [], tmp_path, tmp_path / "logs", "s")

    with LiveSweepDisplay(session, console) as display:
        display.tell({"event": "sweep", "sweep": "s", "trials": 3, "steps": 1000, "jobs": 2,
                      "joined": False, "storage": "sqlite:///x.db"})  # fmt: skip
        display.tell(trial("0000", "begun"))
        display.tell(trial("0001", "begun"))
        display.tell({"event": "progress", "trial": "0001", "step": 250, "samples_per_second": 9e3})
        block = drawn(display)
        display.tell(trial("0001", "done", value=0.5))
        display.tell(trial("0000", "lost"))
        after = drawn(display)
        display.close([], plan, calls)

    assert "0000" in block.splitlines()[0]
    assert "preparing" in block.splitlines()[0]
    assert "250 / 1,000  9,000/s" in block.splitlines()[1]
    assert "0 of 3 ended here" in block
    assert "1 of 3 ended here" in after
    assert "0001" not in after
    text = stream.getvalue()
    assert "sweep s begins: 3 trials, 2 at a time, in sqlite:///x.db" in text
    assert "trial 0001 done: 0.500" in text


def test_values_of_all_kinds_stand_in_the_table(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    space = Space(
        target="m/x", direction="minimise", search={"a": Dimension(values=["wide", "deep"])}
    )
    slots = [Slot("0000"), Slot("0001")]
    entries = [
        Entry(slots[0], "done", {"a": '"wide"'}, 0.25, ["runs/r/s-0000"], [0.25]),
        Entry(slots[1], "failed", cause="no data", exit_code=4),
    ]
    calls = Calls(["run", "r"], [], tmp_path, tmp_path / "logs", "s")

    SweepDisplay(Session()).close(entries, Plan("s", {}, slots, space), calls)

    out, err = capsys.readouterr()
    assert out.splitlines()[1:] == [
        "  trial  state     m/x  a       runs",
        '  0000   done    0.250  "wide"  runs/r/s-0000',
        "  0001   failed      -  -       no data",
    ]
    assert "gantk sweep r --set 'a=\"wide\"' --seeds 5 --name s-best" in err


def test_json_notes_are_prose_too(capsys: pytest.CaptureFixture[str]) -> None:
    JsonSweepDisplay(Session()).tell({"event": "note", "text": "waiting"})

    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"event": "note", "text": "waiting"}, "waiting\n")


def test_a_terminal_gets_the_live_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_display, "is_lively", lambda _environment: True)

    assert isinstance(sweep_display_for(Session(), json=False), LiveSweepDisplay)


def test_a_display_that_nobody_reads_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def gone(text: str) -> None:
        told.append(text)
        raise BrokenPipeError

    monkeypatch.setattr(sweep_display, "echo", gone)
    display = SweepDisplay(Session())

    display.say("one")
    for _ in range(2):
        display.tell({"event": "note", "text": "two"})

    assert told == ["one", "two"]
