from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import events
from gan_toolkit.events import Guard, Observers, untouched_randomness
from gan_toolkit.interfaces import Picture, Tracker
from gan_toolkit.watchdog import Watchdog


def draw_everywhere() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


class Noting(Tracker):
    """Notes what it is told, draws, and fails where it is asked to."""

    def __init__(self, name: str, told: list[str], fails: tuple[str, ...] = ()) -> None:
        self.name, self.told, self.fails = name, told, fails

    def start(self, facts):
        self._take("start", facts)

    def log(self, record):
        self._take("log", record)

    def picture(self, picture, step):
        self._take("picture", step)

    def close(self):
        self._take("close", None)

    def _take(self, what, value):
        draw_everywhere()
        self.told.append(f"{self.name}.{what}")
        if isinstance(value, dict):
            value["inner"]["x"] = "spoilt"
            value.clear()
        if what in self.fails:
            raise RuntimeError(f"no {what}\x1b[31m today")


class TestUntouchedRandomness:
    def test_draws_inside_leave_no_trace_outside(self):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)
        with untouched_randomness():
            once = draw_everywhere()
            draw_everywhere()
            np.random.randn()  # leaves a spare value behind
            torch.manual_seed(77)

        assert draw_everywhere() == once

    def test_an_error_inside_is_no_way_around_it(self):
        with untouched_randomness():
            once = draw_everywhere()
        with pytest.raises(ZeroDivisionError), untouched_randomness():
            _ = draw_everywhere()[0] / 0

        assert draw_everywhere() == once

    def test_what_is_drawn_inside_does_depend_on_the_outside(self):
        with untouched_randomness():
            one = draw_everywhere()
        draw_everywhere()
        with untouched_randomness():
            other = draw_everywhere()

        assert one != other


class TestObservers:
    def everything(self, observers: Observers) -> None:
        facts = {"inner": {}}
        observers.start(facts)
        for _ in range(5):
            observers.log(facts)
        observers.picture(Picture("samples", Image.new("L", (1, 1))), 3)
        observers.close()
        assert facts == {"inner": {}}

    def test_all_are_told_everything_in_order_and_closed_in_reverse(self):
        told: list[str] = []
        said: list[str] = []

        self.everything(Observers({n: Noting(n, told) for n in "ab"}, said.append))

        assert told[:4] == ["a.start", "b.start", "a.log", "b.log"]
        assert told[-4:] == ["a.picture", "b.picture", "b.close", "a.close"]
        assert len(told) == 16
        assert said == []

    @pytest.mark.parametrize("what", ["start", "log", "picture", "close"])
    def test_one_that_fails_is_named_and_the_others_are_told_all_the_same(self, what):
        told: list[str] = []
        said: list[str] = []
        trackers = {"bad": Noting("bad", told, (what,)), "good": Noting("good", told)}
        observers = Observers(trackers, said.append)

        self.everything(observers)

        assert [line for line in told if line.startswith("good")] == [
            "good.start",
            *["good.log"] * 5,
            "good.picture",
            "good.close",
        ]
        assert said[0] == f"tracker 'bad' failed, the run goes on: RuntimeError: no {what} today"
        assert len(said) == (2 if what == "log" else 1)
        assert len(observers.failures()) == 1

    def test_after_three_failures_it_is_switched_off_but_still_closed(self):
        told: list[str] = []
        said: list[str] = []
        observers = Observers({"bad": Noting("bad", told, ("log",))}, said.append)

        self.everything(observers)

        assert told == ["bad.start", *["bad.log"] * 3, "bad.close"]
        assert said[1:] == ["tracker 'bad' is switched off after 3 failures"]
        assert observers.failures() == [
            "tracker 'bad' failed 3 times and was switched off: RuntimeError: no log today"
        ]

    def test_watching_changes_no_random_number(self):
        def next_draws(count: int) -> tuple[float, ...]:
            torch.manual_seed(3)
            random.seed(3)
            np.random.seed(3)
            trackers = {str(n): Noting("t", [], ("log",)) for n in range(count)}
            self.everything(Observers(trackers, lambda _: None))
            return draw_everywhere()

        assert next_draws(0) == next_draws(5)


class TestGuard:
    def test_what_the_call_returns_is_handed_on_and_a_failure_is_none(self):
        guard = Guard(lambda _: None)

        assert guard.call("panel 'p'", lambda a, b=1: a + b, 2, b=3) == 5
        assert guard.call("panel 'p'", lambda: 1 / 0) is None

    @pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), BaseException("x")])
    def test_even_leaving_the_process_is_contained(self, error):
        def leave():
            raise error

        said: list[str] = []
        Guard(said.append).call("it", leave)

        assert type(error).__name__ in said[0]

    def test_an_interrupt_gets_through(self):
        def interrupt():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Guard(lambda _: None).call("it", interrupt)

    def test_an_error_whose_text_fails_is_still_named(self):
        class SpitefulError(Exception):
            def __str__(self):
                raise ValueError

        def fail():
            raise SpitefulError

        said: list[str] = []
        Guard(said.append).call("it", fail)

        assert said == ["it failed, the run goes on: SpitefulError: its text can't be read"]

    def test_a_slow_call_is_told_once(self, monkeypatch):
        clock = iter([0.0, 9.0, 9.0, 20.5, 20.5, 40.0])
        monkeypatch.setattr(events.time, "monotonic", lambda: next(clock))
        said: list[str] = []
        guard = Guard(said.append)

        for _ in range(3):
            guard.call("tracker 'slow'", lambda: None)

        assert said == ["tracker 'slow' took 12 s; training waits for it"]


class Meddling(Tracker):
    """Changes what a process has one of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def log(self, record):
        os.chdir(self.folder)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.use_deterministic_algorithms(True)


def test_settings_that_an_observer_changes_are_named_once_and_put_back(tmp_path):
    before = {what: ask() for what, (ask, _) in events.SETTINGS.items()}
    said: list[str] = []
    observers = Observers({"odd": Meddling(tmp_path)}, said.append)

    for _ in range(3):
        observers.log({})

    assert {what: ask() for what, (ask, _) in events.SETTINGS.items()} == before
    assert len(said) == len(events.SETTINGS)
    assert said[0] == (
        f"tracker 'odd' changed the folder it works in from {Path.cwd()} to {tmp_path}; "
        "it was put back"
    )
    assert (
        "tracker 'odd' changed torch's default type from torch.float32 to torch.float64"
        in (said[1])
    )


def test_a_folder_that_was_removed_is_no_reason_to_fail(tmp_path, monkeypatch):
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    said: list[str] = []

    Guard(said.append).call("measure", lambda: os.chdir(tmp_path))

    assert said == [f"measure changed the folder it works in from  to {tmp_path}; it was put back"]


def test_an_observer_that_hangs_is_told_while_it_does(monkeypatch):
    monkeypatch.setattr(events, "SLOW", 0.02)
    said: list[str] = []
    told = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    with Watchdog(say, every=0.01) as dog:
        Guard(lambda _: None, dog).call("tracker 'far'", lambda: told.wait(10))

    assert said[0].startswith("tracker 'far' has taken 0 s and goes on, at ")
