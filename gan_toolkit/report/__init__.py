"""The report of a run: one HTML file in its folder that opens without a server or a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gan_toolkit import files
from gan_toolkit.charts import Mark
from gan_toolkit.errors import GantkError
from gan_toolkit.files import printable
from gan_toolkit.report.album import Album, Budget, Source, draw
from gan_toolkit.report.curves import charts
from gan_toolkit.report.gather import gather
from gan_toolkit.report.page import page
from gan_toolkit.report.pictures import figures
from gan_toolkit.runs import RunFolder

Open = Callable[[], Source]
"""Opens what draws the pictures of the codes; GantkError or ValueError says why it can't."""


def write_report(
    run: RunFolder, *sources: Open, budget: Budget | None = None, path: Path | None = None
) -> Path:
    """Write the report of a run and return where: `report.html` in its folder, if not told.

    Its parts have budgets that add up to less than 8 MB.

    The first of the sources that works draws the codes; without one the report says why. Reads
    without a lock, and the file is put in place whole, so it may be written while the run goes on.
    """
    album, source, why = _album(sources, budget)
    gathered = gather(run)
    shown = figures(run.folder, gathered.warnings)
    text = page(gathered, charts(gathered.records, _marks(source)), shown, album, why)
    target = path or run.report
    files.write_atomic(target, text)
    return target


def _album(
    sources: tuple[Open, ...], budget: Budget | None
) -> tuple[Album | None, Source | None, str]:
    why = ""
    for opened in sources:
        try:
            source = opened()
            return draw(source, budget), source, ""
        except (GantkError, ValueError, RuntimeError, MemoryError) as error:
            why = printable(str(error).partition("\n")[0]) or type(error).__name__
    return None, None, why or "nothing was there to draw it"


def _marks(source: Source | None) -> dict[str, Mark]:
    """Return the entropy of each code, by which the curve of its information is read."""
    found = {}
    for name in source.codes if source else ():
        latent = source.space[name] if source else None
        if latent is not None:
            found[name] = Mark(latent.entropy(), name, latent.discrete)
    return found
