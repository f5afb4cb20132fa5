"""The live block of a sweep on a terminal: how many are done, and a bar for each that runs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gan_toolkit.cli.session import Session
from gan_toolkit.cli.sweep_display import SweepDisplay
from gan_toolkit.cli.text import duration, number
from gan_toolkit.files import printable

if TYPE_CHECKING:
    from gan_toolkit.sweep.entries import Entry
    from gan_toolkit.sweep.plan import Plan
    from gan_toolkit.sweep.trial import Calls


class LiveSweepDisplay(SweepDisplay):
    """Redraws one block below the lines of trials that ended."""

    def __init__(self, session: Session, console: Console | None = None) -> None:
        super().__init__(session)
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._trials = self._steps = 0
        self._ended = 0
        self._running: dict[str, dict[str, Any]] = {}
        self._begun = time.monotonic()
        self._live = Live(
            console=self.console, get_renderable=self._block, refresh_per_second=2, transient=True
        )

    def __enter__(self) -> LiveSweepDisplay:
        super().__enter__()
        self._live.start(refresh=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()
        super().__exit__(*error)

    def prose(self, text: str) -> None:
        """Write a line above the block."""
        self.console.print(Text(printable(text)), soft_wrap=True)

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if kind == "sweep":
            self._trials, self._steps = int(event["trials"]), int(event["steps"])
        elif kind == "progress":
            self._running.setdefault(str(event["trial"]), {}).update(event)
        elif kind == "trial" and event["state"] in ("begun", "resumed"):
            self._running[str(event["trial"])] = {}
        elif kind == "trial":
            self._running.pop(str(event["trial"]), None)
            self._ended += event["state"] in ("done", "pruned", "failed")
        super().show(kind, event)

    def close(self, entries: Sequence[Entry], plan: Plan, calls: Calls) -> None:
        """Take the block away and show what became of every trial."""
        self._live.stop()
        super().close(entries, plan, calls)

    def _block(self) -> Group:
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(ratio=1)
        for _ in ("steps", "rate"):
            grid.add_column(no_wrap=True, justify="right")
        for name, record in self._running.items():
            step, steps = int(record.get("step", 0)), self._steps
            rate = record.get("samples_per_second")
            grid.add_row(
                Text(printable(name)),
                ProgressBar(max(steps, step), step, complete_style="cyan", finished_style="cyan"),
                Text(f"{step:,} / {steps:,}" if step else "preparing"),
                Text(f"{number(float(rate))}/s" if rate else ""),
            )
        elapsed = duration(time.monotonic() - self._begun)
        foot = f"{self._ended:,} of {self._trials:,} ended here · {elapsed} elapsed"
        return Group(grid, Text(foot, style="dim"))
