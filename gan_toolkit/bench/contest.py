"""Rounds in turn, and what they come to: every figure is a ratio within one round.

A neighbour on the machine slows whoever is running; within a round it slows all alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from gan_toolkit.bench.machine import busy_seconds
from gan_toolkit.bench.process import Contestant, ContestantError, Entry

COMMON = ("batch", "shape", "device", "precision", "threads")
"""What rivals are told of the first contestant."""
Say = Callable[[str], None]


@dataclass
class Standing:
    """What is known of one contestant; lists have one value a round."""

    label: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    first_step: float | None = None
    """Seconds from the start of the process."""
    seconds: list[float] = field(default_factory=list)
    """Of a step."""
    others: list[float] = field(default_factory=list)
    """Cores that other processes kept busy meanwhile."""
    peak_bytes: int = 0
    flops: int | None = None
    """Of a step, two for each multiplication and addition."""
    failure: str = ""

    @property
    def median(self) -> float | None:
        """Seconds of a step."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def samples_per_second(self) -> float | None:
        """Real samples that it takes in."""
        samples = self.facts.get("samples_per_step", self.facts.get("batch"))
        return None if self.median is None or samples is None else samples / self.median


@dataclass(frozen=True)
class Ratio:
    """Of two contestants' seconds a step, round by round."""

    median: float
    low: float
    high: float


def ratio(one: Standing, other: Standing) -> Ratio | None:
    """Return how many times the seconds of `other` a step of `one` takes; None: not measured."""
    found = [a / b for a, b in zip(one.seconds, other.seconds, strict=False)]
    return Ratio(statistics.median(found), min(found), max(found)) if found else None


def others_busy(standings: Iterable[Standing]) -> float | None:
    """Return the median of the cores that other processes kept busy; None where unknown."""
    found = [cores for standing in standings for cores in standing.others]
    return statistics.median(found) if found else None


@dataclass
class Result:
    """A whole contest; the first standing is the one that the others are compared with."""

    standings: list[Standing]
    shares: dict[str, float] = field(default_factory=dict)
    """Of a step of the first one, by what it does; they sum to 1."""
    steps: int = 0
    """Steps of each in a round."""


def contest(entries: Sequence[Entry], *, rounds: int, steps: int | None = None, say: Say) -> Result:
    """Let the entries take turns and return how they stand.

    Without `steps` a round is about a second of the first one. Raises ContestantError when the
    first can't run; of any other, its standing says why.
    """
    with closing(Company(say)) as company:
        for entry in entries:
            company.start(entry)
        first = company.running[0][1]
        result = Result(company.standings, steps=steps or _about_a_second(first))
        company.round(result.steps, counted=False)  # to warm up
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}")
            company.round(result.steps)
        company.count_flops()
        if "shares" in first.facts["verbs"]:
            result.shares = first.ask("shares", result.steps)["shares"]
    return result


class Company:
    """All contestants of a contest, and those of them that still run."""

    def __init__(self, say: Say) -> None:
        self.standings: list[Standing] = []
        self.running: list[tuple[Standing, Contestant]] = []
        self._say = say

    def start(self, entry: Entry) -> None:
        """Start one more, in the settings of the first."""
        self._say(f"starting {entry.label}")
        standing = Standing(entry.label)
        facts = self.running[0][0].facts if self.running else {}
        try:
            contestant = Contestant(entry, {key: facts[key] for key in COMMON if key in facts})
        except ContestantError as error:
            if not self.running:
                raise
            standing.failure = first_line(error)
        else:
            standing.facts, standing.first_step = contestant.facts, contestant.first_step
            self.running.append((standing, contestant))
        self.standings.append(standing)

    def round(self, steps: int, *, counted: bool = True) -> None:
        """Let each that still runs take so many steps; one that gives up says why."""
        for standing, contestant in list(self.running):
            before = busy_seconds()
            try:
                answer = contestant.ask("steps", steps)
            except ContestantError as error:
                self._leaves(standing, contestant, error)
            else:
                if counted:
                    _enter(standing, answer, steps, before, busy_seconds())

    def count_flops(self) -> None:
        """Ask those that can count what a step computes."""
        for standing, contestant in list(self.running):
            if "flops" in contestant.facts["verbs"]:
                try:
                    standing.flops = contestant.ask("flops", 1)["flops"]
                except ContestantError as error:
                    self._leaves(standing, contestant, error)

    def _leaves(self, standing: Standing, contestant: Contestant, error: ContestantError) -> None:
        if contestant is self.running[0][1]:
            raise error
        standing.failure = first_line(error)
        self.running.remove((standing, contestant))
        contestant.close()

    def close(self) -> None:
        """End those that still run."""
        for _, contestant in self.running:
            contestant.close()


def _enter(
    standing: Standing,
    answer: Mapping[str, Any],
    steps: int,
    before: float | None,
    after: float | None,
) -> None:
    """Enter one answer; `before` and `after` are seconds that our cores had computed."""
    standing.seconds.append(answer["seconds"] / steps)
    standing.peak_bytes = max(standing.peak_bytes, answer["peak_bytes"])
    if before is not None and after is not None:
        others = after - before - answer["cpu_seconds"]
        standing.others.append(max(0.0, others) / answer["seconds"])


def first_line(error: BaseException) -> str:
    """Return what fits in a cell of a table."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _about_a_second(first: Contestant) -> int:
    """Return how many steps take about a second: the second step tells, the first was slow."""
    return max(1, round(1 / first.ask("steps", 1)["seconds"]))
