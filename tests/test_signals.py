"""Stops asked for from outside."""

from __future__ import annotations

import os
import signal

import pytest

from gan_toolkit.errors import Interrupted, Preempted
from gan_toolkit.signals import StopRequest


@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGINT, Interrupted), (signal.SIGTERM, Preempted), (signal.SIGHUP, Preempted)],
)
def test_a_signal_is_remembered_and_a_second_one_stops_at_once(
    number: signal.Signals, kind: type[Exception]
) -> None:
    before = signal.getsignal(number)

    with StopRequest() as stop:
        assert stop.error() is None
        os.kill(os.getpid(), number)
        assert isinstance(stop.error(), kind)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)

    assert signal.getsignal(number) is before


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            os.kill(os.getpid(), signal.SIGHUP)

            assert stop.error() is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_where_a_launcher_repeats_signals_a_second_one_says_nothing_new():
    with StopRequest(repeated=True) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)

        assert stop.received is signal.SIGTERM
