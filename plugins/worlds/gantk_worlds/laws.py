"""How single factors are drawn: each from a stream of its own, whatever the others are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, tau

from torch import Tensor

from gan_toolkit import Factor
from gantk_worlds.streams import Streams

_CUT = 3.0
"""Normal numbers are cut at so many standard deviations: every range can be stated, and tested."""


@dataclass(frozen=True)
class Law(ABC):
    """A factor that does not depend on any other."""

    name: str

    @property
    @abstractmethod
    def factor(self) -> Factor:
        """What the table's column holds."""

    @abstractmethod
    def draw(self, streams: Streams) -> Tensor:
        """Return values (N,), float64."""


@dataclass(frozen=True)
class Choice(Law):
    """One of several values, each as likely as the others."""

    values: Sequence[str]
    scored: bool = False

    @property
    def factor(self) -> Factor:
        """Discrete."""
        return Factor(self.name, "discrete", tuple(self.values), scored=self.scored)

    def draw(self, streams: Streams) -> Tensor:
        """Return indices."""
        return streams.below(self.name, len(self.values))


@dataclass(frozen=True)
class Even(Law):
    """Any number of a range, each as likely as the others; by `ratio`, their logarithms are."""

    low: float
    high: float
    unit: str = ""
    ratio: bool = False
    scored: bool = False

    @property
    def factor(self) -> Factor:
        """Continuous."""
        return Factor(
            self.name,
            "continuous",
            low=self.low,
            high=self.high,
            unit=self.unit,
            scored=self.scored,
        )

    def draw(self, streams: Streams) -> Tensor:
        """Return numbers from `low` to `high`."""
        if self.ratio:
            return streams.uniform(self.name, log(self.low), log(self.high)).exp()
        return streams.uniform(self.name, self.low, self.high)


@dataclass(frozen=True)
class Turn(Law):
    """A nuisance that comes back after a full turn."""

    @property
    def factor(self) -> Factor:
        """Circular."""
        return Factor(self.name, "circular", low=0.0, high=tau, unit="rad", scored=False)

    def draw(self, streams: Streams) -> Tensor:
        """Return angles."""
        return streams.uniform(self.name, 0, tau)


@dataclass(frozen=True)
class Normal(Law):
    """A nuisance about a middle, cut at three deviations; by `ratio`, its logarithm is normal."""

    middle: float
    deviation: float
    unit: str = ""
    ratio: bool = False

    @property
    def factor(self) -> Factor:
        """Continuous."""
        low, high = (self._of(end) for end in (-_CUT, _CUT))
        return Factor(self.name, "continuous", low=low, high=high, unit=self.unit, scored=False)

    def draw(self, streams: Streams) -> Tensor:
        """Return numbers about `middle`."""
        steps = self.deviation * streams.normal(self.name).clamp(-_CUT, _CUT)
        return self.middle * steps.exp() if self.ratio else self.middle + steps

    def _of(self, deviations: float) -> float:
        step = self.deviation * deviations
        return self.middle * exp(step) if self.ratio else self.middle + step
