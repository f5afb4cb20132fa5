"""A number that changes with progress: a pure function of the step, so there is nothing to resume.

Steps count from 0. A ramp holds its first value up to `start`, then takes `over` steps to reach its
last value, which it holds from there on, exactly.
"""

from __future__ import annotations

import math

from gan_toolkit.interfaces import Schedule


class Constant(Schedule):
    """The same number at every step."""

    def __init__(self, value: float) -> None:
        self.value = value

    def at(self, step: int) -> float:
        """Return the number, whatever `step`."""
        del step
        return self.value


class Linear(Schedule):
    """From one number to another in a straight line."""

    def __init__(self, from_: float, to: float, over: int, start: int = 0) -> None:
        _check(over, start)
        self.from_, self.to, self.over, self.start = from_, to, over, start

    def at(self, step: int) -> float:
        """Return the value at `step`."""
        return _mix(self.from_, self.to, _progress(step, self.start, self.over))


class Cosine(Schedule):
    """From one number to another along half a cosine: flat at both ends, steepest between.

    Loshchilov and Hutter 2016, equation 5, without restarts.
    """

    def __init__(self, from_: float, to: float, over: int, start: int = 0) -> None:
        _check(over, start)
        self.from_, self.to, self.over, self.start = from_, to, over, start

    def at(self, step: int) -> float:
        """Return the value at `step`."""
        progress = _progress(step, self.start, self.over)
        return _mix(self.from_, self.to, (1 - math.cos(math.pi * progress)) / 2)


def as_schedule(value: float | Schedule) -> Schedule:
    """Return a schedule as it is, and a plain number as a constant one."""
    return value if isinstance(value, Schedule) else Constant(value)


def _check(over: int, start: int) -> None:
    if over < 1:
        raise ValueError(f"over = {over}: a ramp takes at least 1 step")
    if start < 0:
        raise ValueError(f"start = {start}: steps count from 0")


def _progress(step: int, start: int, over: int) -> float:
    return min(max((step - start) / over, 0.0), 1.0)


def _mix(first: float, last: float, share: float) -> float:
    # The two-product form is exact at both ends; first + (last - first) * share is not.
    return first * (1 - share) + last * share
