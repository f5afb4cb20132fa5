from __future__ import annotations

import threading
import time

from gan_toolkit.watchdog import Watchdog


def sleep_until(event: threading.Event) -> None:
    event.wait(10)


def test_what_takes_too_long_is_told_once_while_it_does_with_its_place():
    said: list[str] = []
    told = threading.Event()

    def say(text: str) -> None:
        said.append(text)
        told.set()

    with Watchdog(say, every=0.01) as dog, dog.watching("tracker 'slow'", 0.05):
        sleep_until(told)
        time.sleep(0.1)

    (text,) = said
    assert text.startswith("tracker 'slow' has taken 0 s and goes on, at ")
    assert "test_watchdog.py" in text or "threading.py" in text
    assert text.endswith("Ctrl-C twice ends the run at once")


def test_what_is_quick_is_not_told_and_inner_work_gives_the_outer_its_time_anew():
    said: list[str] = []

    with Watchdog(said.append, every=0.01) as dog:
        with dog.watching("a step", 0.3):
            for _ in range(4):
                with dog.watching("a tracker", 0.3):
                    time.sleep(0.1)
        time.sleep(0.4)

    assert said == []


def test_whoever_can_not_be_told_stops_nothing():
    tried = threading.Event()

    def say(text: str) -> None:
        tried.set()
        raise OSError("no terminal")

    with Watchdog(say, every=0.01) as dog, dog.watching("a step", 0.0):
        assert tried.wait(10)


def test_without_a_thread_nothing_is_looked_after():
    said: list[str] = []

    with Watchdog(said.append, every=0.01).watching("a step", 0.0):
        time.sleep(0.05)

    assert said == []


def test_a_thread_that_is_gone_has_no_place():
    from gan_toolkit import watchdog

    assert watchdog._place(-1) == "at an unknown place"
