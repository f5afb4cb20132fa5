"""Writes the report of a run that is going on: at intervals that cost next to nothing, and last."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from gan_toolkit.evaluation import EngineView
from gan_toolkit.events import Guard
from gan_toolkit.plugins import PluginHost
from gan_toolkit.report import write_report
from gan_toolkit.report.album import Budget
from gan_toolkit.report.sources import of_run, of_view
from gan_toolkit.runs import RunFolder

SHARE = 0.01
"""Of the time of a run that reports may take while it goes on."""
FIRST_GUESS = 3.0
"""Seconds: what a report is thought to take before the first one was written."""
HASTY = Budget(seconds=2.0)
"""Of a run that was asked to stop: somebody waits for it."""


class Reporter:
    """The report of one run. Whatever goes wrong with it costs the report only."""

    def __init__(
        self,
        run: RunFolder,
        host: PluginHost,
        view: Callable[[], EngineView],
        guard: Guard,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._host = host
        self._view = view
        self._guard = guard
        self._clock = clock
        self._took = FIRST_GUESS
        self._last = clock()

    def write_if_cheap(self) -> bool:
        """Write it if the run went on long enough since the last time; return whether it did."""
        if (self._clock() - self._last) * SHARE < self._took:
            return False
        return self.write()

    def write(self, *, hasty: bool = False) -> bool:
        """Write it now; return whether it is there.

        A generator that broke is replaced by that of the last checkpoint.
        """
        begun = self._clock()
        sources = (lambda: of_view(self._view()), partial(of_run, self._run, self._host))
        budget = HASTY if hasty else None
        path = self._guard.call("report", write_report, self._run, *sources, budget=budget)
        self._last = self._clock()
        self._took = self._last - begun
        return path is not None
