"""Who else computes."""

from __future__ import annotations

import os

import pytest

from gan_toolkit.bench import machine


@pytest.fixture
def two_of_three(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    monkeypatch.setattr(os, "sysconf", lambda _: 100)


@pytest.mark.usefixtures("two_of_three")
def test_only_our_cores_count_and_idle_time_and_guests_do_not(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        # user nice system idle iowait irq softirq steal guest guest_nice
        "cpu0 100 20 50 800 30 5 15 10 40 7\n"
        "cpu1 900 0 0 0 0 0 0 0 0 0\n"
        "cpu2 300 0 0 700 0 0 0 0 0 0\n"
        "intr 12345\n"
    )

    assert machine.busy_seconds(stat) == pytest.approx((200 + 300) / 100)


def test_a_system_that_does_not_tell(tmp_path, monkeypatch):
    assert machine.busy_seconds(tmp_path / "none") is None

    monkeypatch.setattr(machine, "busy_seconds", lambda: None)

    assert machine.busy_cores(0.0) is None


def test_busy_cores_are_seconds_computed_in_a_second(monkeypatch):
    computed = iter([10.0, 10.3])
    now = iter([5.0, 5.2])
    monkeypatch.setattr(machine, "busy_seconds", lambda: next(computed))
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(machine.time, "sleep", lambda _: None)

    assert machine.busy_cores() == pytest.approx(0.3 / 0.2)
