from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from gan_toolkit.cli.live import LiveDisplay, sparkline
from gan_toolkit.cli.session import Session


def test_a_sparkline_runs_from_low_to_high() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"


def test_a_sparkline_of_many_values_fits_its_width() -> None:
    assert sparkline(list(range(1000)), 4) == "▁▃▆█"


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_value_has_no_course(values: list[float]) -> None:
    assert sparkline(values, 8) == ""


def test_a_constant_value_is_a_flat_line() -> None:
    assert sparkline([2.0, 2.0, 2.0], 8) == "▄▄▄"


def drawn(width: int = 80, *, notes: tuple[str, ...] = ()) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None)
    display = LiveDisplay(Session(), console)
    display.peak_memory = lambda: 512 * 2**20
    data = {"name": "dots", "source": "synthetic", "samples": 9, "shape": [1, 8, 8]}
    start = {"event": "start", "run": "runs/alpha/one", "name": "alpha", "data": data}
    with display:
        display.tell(start | {"device": "CPU", "step": 0, "steps": 1000, "batch_size": 2})
        for step in (100, 200, 300):
            values = {"critic/loss": 1.0 / step, "[bold]odd/x": 2.0, "samples_per_second": 50.0}
            display.tell({"event": "log", "step": step, **values})
        for text in notes:
            display.tell({"event": "note", "text": text})
        display.tell({"event": "checkpoint", "step": 300, "reason": "interval"})
        display.tell({"event": "end", "outcome": "finished"})
    return stream.getvalue()


def test_the_block_shows_progress_values_and_memory() -> None:
    text = drawn()

    assert "300 / 1,000" in text
    assert "30.0%" in text
    assert "50.0 img/s" in text
    assert "512 MiB of memory" in text
    assert "saved at step 300" in text


def test_nothing_is_wider_than_the_terminal() -> None:
    block = drawn(width=60)[-600:]

    assert all(len(line.split("\x1b[2K")[-1]) <= 60 for line in block.splitlines() if "█" in line)


def test_text_from_outside_is_no_markup() -> None:
    text = drawn(notes=("[red]not red[/red] \x1b[5mblink",))

    assert "[red]not red[/red] blink" in text
    assert "[bold]odd/x" in text


def test_what_is_printed_meanwhile_does_not_tear_the_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stream = io.StringIO()

    with LiveDisplay(Session(), Console(file=stream, force_terminal=True)):
        print("loud")  # noqa: T201 - the subject

    assert "loud\n" in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_the_folder_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    display = LiveDisplay(Session(), Console(file=io.StringIO(), force_terminal=True))

    display.close(Path("runs/alpha/one"))

    assert capsys.readouterr().out == "runs/alpha/one\n"
