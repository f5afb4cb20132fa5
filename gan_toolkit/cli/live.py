"""The live block of a run on a terminal: one bar, the last values, nothing that jumps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gan_toolkit.cli.display import Display, Pace, values_of
from gan_toolkit.cli.session import Session
from gan_toolkit.cli.text import duration, number, size
from gan_toolkit.files import printable

_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 240
"""Values kept for a sparkline: more than any terminal is wide in columns of a few steps each."""


class LiveDisplay(Display):
    """Redraws one block below the prose, and below what a plugin prints."""

    def __init__(self, session: Session, console: Console | None = None) -> None:
        super().__init__(session)
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._pace = Pace()
        self._values: dict[str, deque[float]] = {}
        self._rate = self._fastest = 0.0
        self._begun = time.monotonic()
        self._saved = ""
        self._live = Live(
            console=self.console,
            get_renderable=self._block,
            refresh_per_second=2,
            transient=True,  # until the run starts: what only says "wait" leaves no trace
        )

    def __enter__(self) -> LiveDisplay:
        self._live.start(refresh=True)
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()
        super().__exit__(*error)

    def prose(self, text: str) -> None:
        """Write a line above the block."""
        self.console.print(Text(printable(text)), soft_wrap=True)

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Show one event."""
        super().show(kind, event)
        if kind == "start":
            self.console.print()
            self._begun = time.monotonic()
            self._pace.at(self.step)
            self._live.transient = False
            self._live.refresh()
        elif kind == "log":
            self._pace.at(self.step)
            self._rate = float(event.get("samples_per_second", 0.0))
            self._fastest = max(self._fastest, self._rate)
            for name, value in values_of(event).items():
                self._values.setdefault(name, deque(maxlen=_POINTS)).append(value)
            self._live.refresh()
        elif kind == "checkpoint":
            self._saved = f"saved at step {self.step:,}"
        elif kind == "end":
            self._live.refresh()
            self._live.stop()

    # --- the block --------------------------------------------------------------------------

    def _block(self) -> Group:
        if not self.steps:
            waited = duration(time.monotonic() - self._begun)
            return Group(Text(f"preparing · {waited}", style="dim"))
        return Group(self._progress(), self._table(), Text(self._foot(), style="dim"), Text(""))

    def _progress(self) -> Table:
        row = Table.grid(padding=(0, 2), expand=True)
        row.add_column(ratio=1)
        total = f"{self.steps:,}"
        # Fixed widths: the bar must not grow and shrink with what stands beside it.
        for width in (2 * len(total) + 3, 6, len(f"{self._fastest:,.0f} {self.unit}/s"), 12):
            row.add_column(no_wrap=True, justify="right", min_width=width)
        left = self._pace.left(self.steps)
        going = left is not None and self.step < self.steps
        row.add_row(
            ProgressBar(
                max(self.steps, 1), self.step, complete_style="cyan", finished_style="cyan"
            ),
            Text(f"{self.step:,} / {total}"),
            Text(f"{self.step / max(self.steps, 1):.1%}", style="bold"),
            Text(f"{number(self._rate)} {self.unit}/s" if self._rate else ""),
            Text(f"{duration(left or 0)} left" if going else ""),
        )
        return row

    def _table(self) -> Table:
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(no_wrap=True, justify="right", min_width=9)
        grid.add_column(ratio=1)
        for name, values in self._values.items():
            grid.add_row(Text(printable(name)), Text(number(values[-1])), Sparkline(list(values)))
        return grid

    def _foot(self) -> str:
        # The last step is not the end: what a finished run owes may take longer than a guess.
        finishing = self.step >= self.steps and not self.outcome
        parts = [
            f"{duration(time.monotonic() - self._begun)} elapsed",
            self._memory(),
            self._saved,
            "measuring and drawing" if finishing else "",
        ]
        return " · ".join(part for part in parts if part)

    def _memory(self) -> str:
        return f"{size(self.peak_memory())} of memory" if self.peak_memory else ""


class Sparkline:
    """The course of a value, in as many characters as there is room for."""

    def __init__(self, values: Sequence[float], most: int = 48) -> None:
        self.values = values
        self.most = most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it; nothing where the terminal knows only ASCII."""
        if not options.ascii_only:
            yield Text(sparkline(self.values, min(self.most, options.max_width)), style="cyan")


def sparkline(values: Sequence[float], width: int) -> str:
    """Return at most `width` bars, each the mean of its share of the values, from low to high."""
    shares = min(width, len(values))
    if shares < 2:
        return ""
    edges = [round(i * len(values) / shares) for i in range(shares + 1)]
    means = [sum(values[low:high]) / (high - low) for low, high in pairwise(edges)]
    low, high = min(means), max(means)
    if high == low:
        return _BARS[3] * shares
    top = len(_BARS) - 1
    return "".join(_BARS[round((mean - low) / (high - low) * top)] for mean in means)
