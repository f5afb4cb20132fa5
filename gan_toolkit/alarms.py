"""Signs that a run is ill though every number is finite.

An alarm reads the log records of the journal and nothing else, one after the other: it can't change
training, and after a resume it reads them again and says the same. It is raised once, and once more
it is over; a gap between the two levels keeps it from fluttering. Light: no torch here.

Where the levels come from, and what was measured: docs/explanation/divergence.md.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

Record = Mapping[str, Any]

RIGHT = "watch/critic_right"
"""The share of pairs of a real and a generated sample of which the critic scores the real one
higher. A half is chance. No threshold: the sign of a score means nothing in some games."""
SPREAD, TWINS, COVERAGE = "watch/spread", "watch/twins", "watch/coverage"
"""What `variety` sees in the samples."""

EVERY = 10
"""Steps from one record that is looked at to the next, at least."""
PLAYERS = ("critic/", "generator/")
NORM = "gradient_norm"
FEWEST = 10
"""Records before one can jump."""


class Alarm(ABC):
    """One sign; `ringing` says whether it was raised and is not over."""

    def __init__(self, name: str, remedy: str) -> None:
        self.name = name
        self.remedy = remedy
        self.ringing = False

    @abstractmethod
    def wrong(self, record: Record) -> str:
        """Take in the next record and say what is wrong now; nothing when all is well."""


class Window:
    """The last values of a key: `least` of them or more, and of `span` steps."""

    def __init__(self, key: str, span: int, least: int) -> None:
        self._key, self._span, self._least = key, span, least
        self._values: deque[tuple[int, float]] = deque()

    def mean(self, record: Record) -> float | None:
        """Take in a record; return the mean once there are enough, None as long as there are not.

        A record without the key changes nothing.
        """
        if self._key in record:
            self._values.append((record["step"], record[self._key]))
            while self._is_enough(1):
                self._values.popleft()
        return fmean(value for _, value in self._values) if self._is_enough(0) else None

    def _is_enough(self, without: int) -> bool:
        count = len(self._values) - without
        return count >= self._least and (
            self._values[-1][0] - self._values[without][0] >= self._span
        )


class Held(Alarm):
    """A mean stays beyond `level`, on the far side of `over`, where it is well again."""

    def __init__(
        self, name: str, text: str, remedy: str, window: Window, level: float, over: float
    ) -> None:
        super().__init__(name, remedy)
        self._text, self._window = text, window
        self._level, self._over = level, over

    def wrong(self, record: Record) -> str:
        """Judge the mean of the window."""
        mean = self._window.mean(record)
        if mean is None:
            return ""
        level = self._over if self.ringing else self._level
        beyond = mean > level if self._level > self._over else mean < level
        return f"{self._text} ({mean:.3g})" if beyond else ""


class Fallen(Alarm):
    """A mean falls below `share` of the best it has been, if that was `worth` anything."""

    def __init__(
        self, name: str, text: str, remedy: str, window: Window, share: float, worth: float
    ) -> None:
        super().__init__(name, remedy)
        self._text, self._window = text, window
        self._share, self._worth = share, worth
        self._best = 0.0

    def wrong(self, record: Record) -> str:
        """Judge the mean of the window; it is over half way back."""
        mean = self._window.mean(record)
        if mean is None:
            return ""
        self._best = max(self._best, mean)
        share = (1 + self._share) / 2 if self.ringing else self._share
        fallen = self._best >= self._worth and mean < share * self._best
        return f"{self._text} ({mean:.3g}, was {self._best:.3g})" if fallen else ""


class Stuck(Alarm):
    """A mean has not once come above `level` in the first `span` steps, or since.

    Later it may lie where it likes: a critic that can no longer tell is what the game is for.
    """

    def __init__(
        self, name: str, text: str, remedy: str, window: Window, level: float, span: int
    ) -> None:
        super().__init__(name, remedy)
        self._text, self._window, self._level, self._span = text, window, level, span
        self._escaped = False

    def wrong(self, record: Record) -> str:
        """Judge the mean of the window."""
        mean = self._window.mean(record)
        self._escaped = self._escaped or (mean is not None and mean >= self._level)
        early = mean is None or record["step"] < self._span
        return "" if early or self._escaped else f"{self._text} ({mean:.3g})"


class Course:
    """How far the size of a value lies above what it was lately, in robust deviations.

    The deviation is 1.4826 times the median distance from the median, as of a normal; it is taken
    of logarithms, and at least `floor`, so that a value which hardly moves is not held to that.
    """

    floor = 0.1

    def __init__(self) -> None:
        self._past: deque[float] = deque(maxlen=50)
        self.jumps: deque[bool] = deque(maxlen=20)

    def take(self, value: float, level: float) -> None:
        """Take in the next value, and note whether it lies more than `level` above."""
        size = math.log(abs(value) or math.ulp(0.0))
        far = len(self._past) >= FEWEST and self._height(size) > level
        self.jumps.append(far)
        self._past.append(size)

    def _height(self, size: float) -> float:
        middle = median(self._past)
        spread = 1.4826 * median(abs(one - middle) for one in self._past)
        return (size - middle) / max(spread, self.floor)


class LossJumps(Alarm):
    """A loss or a term lies more than 12 deviations above what it was, in 3 of 20 records."""

    level, often = 12.0, 3

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(name, remedy)
        self._courses: dict[str, Course] = {}

    def wrong(self, record: Record) -> str:
        """Judge each loss and each term by itself; it is over when none of 20 records jumped."""
        for key, value in record.items():
            if key.startswith(PLAYERS) and not key.endswith(NORM):
                self._courses.setdefault(key, Course()).take(value, self.level)
        often = 1 if self.ringing else self.often
        wild = [key for key, course in self._courses.items() if sum(course.jumps) >= often]
        return f"{', '.join(wild)} jumps far above what it was" if wild else ""


class GradientJumps(Alarm):
    """A gradient is more than 100 times as long as it was lately; over below 10 times."""

    level, over = 100.0, 10.0

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(name, remedy)
        self._past: dict[str, deque[float]] = {}

    def wrong(self, record: Record) -> str:
        """Judge the gradient of each player by itself."""
        long = []
        for key in (player + NORM for player in PLAYERS):
            past = self._past.setdefault(key, deque(maxlen=50))
            if key in record:
                factor = self.over if self.ringing else self.level
                if len(past) >= FEWEST and record[key] > factor * median(past):
                    long.append(f"{key} is {record[key]:.3g}, mostly {median(past):.3g}")
                past.append(record[key])
        return "; ".join(long)


class NoGain(Alarm):
    """A value that training must raise by `least` has not risen at step `due`.

    What it is measured from is the first record; `unweighted`: nothing is there to raise it.
    """

    def __init__(self, key: str, least: float, due: int, *, unweighted: bool = False) -> None:
        remedy = "a larger weight of its term, a larger learning rate, or fewer codes"
        super().__init__(f"no_gain {key}", remedy)
        self._key, self._least, self._due, self._unweighted = key, least, due, unweighted
        self._window = Window(key, 0, 5)
        self._first: float | None = None

    def wrong(self, record: Record) -> str:
        """Judge the mean of the last five records; it is over at twice the gain."""
        if self._first is None:
            self._first = record.get(self._key)
        mean = self._window.mean(record)
        if record["step"] < self._due:
            return ""
        if self._first is None:
            return f"{self._key} is never computed: its term weighs 0" if self._unweighted else ""
        if mean is None:
            return ""
        gain = mean - self._first
        least = 2 * self._least if self.ringing else self._least
        return f"{self._key} has gained nothing ({gain:+.3g})" if gain < least else ""


class Alarms:
    """All alarms of a run; those of `more` beside those that every run has."""

    def __init__(self, more: Sequence[Alarm] = ()) -> None:
        self._alarms = [*_of_every_run(), *more]
        self._place = -1

    def take(self, record: Record) -> list[dict[str, Any]]:
        """Take in the next record of the journal; return a record for each change of an alarm."""
        if record.get("event") != "log" or record["step"] // EVERY <= self._place:
            return []
        self._place = record["step"] // EVERY
        changes = []
        for alarm in self._alarms:
            text = alarm.wrong(record)
            if bool(text) != alarm.ringing:
                alarm.ringing = bool(text)
                changes.append(_change(alarm, record["step"], text))
        return changes


def _change(alarm: Alarm, step: int, text: str) -> dict[str, Any]:
    said = f"{text}; try {alarm.remedy}" if text else "over"
    return {
        "event": "alarm",
        "step": step,
        "alarm": alarm.name,
        "state": "raised" if text else "over",
        "text": f"step {step}: alarm {alarm.name}: {said}",
    }


def _of_every_run() -> list[Alarm]:
    calmer = "a smaller learning rate, a penalty on the critic, or an earlier checkpoint"
    weaker = "a smaller learning rate of the critic, a penalty on it, or noise in its input"
    stronger = "a larger learning rate of the critic, or more critic_steps"
    same = "the samples are nearly all alike: spread beside real ones"
    right = "the critic ranks nearly every real sample above a generated one: share of pairs"
    chance = "the critic has never told real from generated samples: share of pairs"
    return [
        Held("collapse", same, calmer, Window(SPREAD, 0, 3), 0.05, 0.1),
        Fallen("fading", "the samples lost their spread", calmer, Window(SPREAD, 0, 3), 0.25, 0.3),
        Held("twins", "samples repeat: share with a twin", calmer, Window(TWINS, 0, 3), 0.5, 0.25),
        Fallen("coverage", "parts of the data are lost", calmer, Window(COVERAGE, 0, 3), 0.4, 0.3),
        Held("critic_wins", right, weaker, Window(RIGHT, 500, 5), 0.99, 0.97),
        Stuck("critic_lost", chance, stronger, Window(RIGHT, 0, 3), 0.6, 500),
        LossJumps("loss_jumps", calmer),
        GradientJumps("gradient_jumps", calmer),
    ]
