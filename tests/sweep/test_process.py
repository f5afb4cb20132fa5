"""A run in a process of its own stops when it is asked to, and when nobody is left to ask."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from gan_toolkit.errors import StorageError
from gan_toolkit.sweep import process
from gan_toolkit.sweep.process import Order, Tethered, obey, threads_for

CHILD = """
import os, signal, sys, time
from gan_toolkit.sweep.process import obey

def told(number, frame):
    print(signal.Signals(number).name, flush=True)
    sys.exit(7)

for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, told)
obey(os.fdopen(os.dup(0), "rb", buffering=0))
print(os.environ.get("MARK"), flush=True)
time.sleep(30)
"""


def started(log: Path) -> Tethered:
    order = Order(["-c", CHILD], log, {"MARK": "marked"})
    child = Tethered([sys.executable], order)
    until(lambda: log.exists() and "marked" in log.read_text())
    return child


def until(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.02)


@pytest.mark.parametrize("word", ["SIGINT", "SIGTERM"])
def test_a_word_is_a_signal(tmp_path: Path, word: process.StopWord) -> None:
    log = tmp_path / "logs" / "one.txt"
    child = started(log)

    assert child.poll() is None
    child.stop(word)

    assert child.wait() == 7
    assert log.read_text().splitlines() == ["marked", word]
    child.stop(word)  # it is over: nobody minds


def test_a_run_ends_with_whoever_started_it(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    parent = f"""
    import sys, time
    from pathlib import Path
    from gan_toolkit.sweep.process import Order, Tethered
    Tethered([sys.executable], Order(["-c", {CHILD!r}], Path({str(log)!r}), {{"MARK": "marked"}}))
    time.sleep(30)
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(parent)])
    until(lambda: log.exists() and "marked" in log.read_text())

    worker.kill()
    worker.wait()

    until(lambda: "SIGTERM" in log.read_text())


def test_what_is_no_word_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    monkeypatch.setattr(process, "_signal", lambda _main, number: heard.append(number))

    obey(io.BytesIO(b"nonsense\n\xff\nSIGINT\n"))

    until(lambda: len(heard) == 2)
    assert heard == [signal.SIGINT, signal.SIGTERM]


def test_where_threads_cant_be_signalled_the_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    monkeypatch.setattr(signal, "raise_signal", heard.append)
    monkeypatch.delattr(signal, "pthread_kill")

    process._signal(1, signal.SIGTERM)

    assert heard == [signal.SIGTERM]


def test_a_log_that_cant_be_written_is_an_error_of_storage(tmp_path: Path) -> None:
    (tmp_path / "log.txt").mkdir()

    with pytest.raises(StorageError, match=r"log\.txt"):
        Tethered([sys.executable], Order(["-c", "0"], tmp_path / "log.txt"))


def test_a_run_is_a_call_of_a_module(tmp_path: Path) -> None:
    order = Order(["-h"], tmp_path / "log.txt")

    assert process.starter("zipfile")(order).wait() == 0
    assert "usage" in order.log.read_text()


def test_jobs_share_the_cores_and_what_the_user_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "cores", lambda: 8)

    assert threads_for(2, {}) == {"OMP_NUM_THREADS": "4", "MKL_NUM_THREADS": "4"}
    assert threads_for(20, {"OMP_NUM_THREADS": "3"}) == {"MKL_NUM_THREADS": "1"}
