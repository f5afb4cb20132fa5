"""How a run watches itself: it looks at its samples now and then, and lets the alarms read on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gan_toolkit.alarms import COVERAGE, Alarms, NoGain
from gan_toolkit.engine import Engine, Term
from gan_toolkit.evaluation import EngineView
from gan_toolkit.events import Guard
from gan_toolkit.schedules import as_schedule
from gan_toolkit.variety import Variety

LOOK_EVERY = 50
"""Steps from one look at the samples to the next, at least: it costs a forward."""


class Health:
    """The alarms of one run and what they need; `history` are the records of its journal.

    It changes nothing in training. What it can't see costs its alarms only.
    """

    def __init__(
        self,
        engine: Engine,
        steps: int,
        history: Sequence[Mapping[str, Any]],
        view: Callable[[], EngineView],
        guard: Guard,
    ) -> None:
        self._engine = engine
        self._steps = steps
        self._history = history
        self._view = view
        self._guard = guard
        self._variety: Variety | None = None
        self.begin_again()

    def begin_again(self) -> None:
        """Stand where the records of the journal lead."""
        self._alarms = Alarms([one for t in self._engine.terms for one in _gains(t, self._steps)])
        self._looked_at = -1
        for record in self._history:
            self._alarms.take(record)
            if COVERAGE in record:
                self._looked_at = record["step"]

    def look(self, step: int) -> Mapping[str, float]:
        """Return what can be said of the samples, if it is time to look at them."""
        if step // LOOK_EVERY <= self._looked_at // LOOK_EVERY:
            return {}
        self._looked_at = step
        return self._guard.call("the look at the samples", self._seen) or {}

    def _seen(self) -> Mapping[str, float]:
        view = self._view()
        if self._variety is None:
            self._variety = Variety(view)
        return self._variety.look(view)

    def changes(self, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Let the alarms read the next record; return a record for each that changed."""
        return self._alarms.take(record)


def _gains(term: Term, steps: int) -> list[NoGain]:
    due = term.first + (steps - term.first) // 10
    unweighted = as_schedule(term.weight).at(due) == 0
    return [
        NoGain(f"{term.name}/{name}", least, due, unweighted=unweighted)
        for name, least in term.regulariser.gains().items()
    ]
