"""The runs below a folder, what each takes, and making room. Light: no torch here.

Only what lies in the folder of a run, two levels below the folder of runs and no link, is ever
removed; links inside are removed themselves, never what they lead to.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gan_toolkit import files
from gan_toolkit.errors import GantkError
from gan_toolkit.files import PIN, is_link, storage_errors
from gan_toolkit.runs import RUN, RunFolder


@dataclass(frozen=True)
class Found:
    """The folder of a run, read if it can be."""

    folder: Path
    run: RunFolder | None
    fault: str = ""
    """Why it can't be read."""

    @property
    def facts(self) -> dict[str, Any]:
        """What `run.json` says; empty when it can't be read."""
        return {} if self.run is None else self.run.run_json

    @property
    def status(self) -> str:
        """What became of it; a run whose process is gone without a word has died."""
        if self.run is None:
            return "damaged"
        status = str(self.facts.get("status", "?"))
        return "died" if status == "running" and not self.run.seems_held() else status

    def changed(self) -> datetime:
        """Return when it ended, or else began."""
        for key in ("ended", "begun", "created"):
            try:
                when = datetime.fromisoformat(self.facts[key])
            except (KeyError, TypeError, ValueError):
                continue
            return when if when.tzinfo else when.replace(tzinfo=UTC)
        return datetime.fromtimestamp(self.folder.stat().st_mtime, UTC)


@dataclass(frozen=True)
class Removal:
    """What would be removed of one run, and how much room it makes."""

    run: RunFolder
    paths: tuple[Path, ...]
    bytes: int


def all_runs(parent: Path) -> list[Found]:
    """Return the runs below a folder, the latest last."""
    runs = [_read(folder) for shelf in _folders(parent) for folder in _folders(shelf)]
    return sorted(filter(None, runs), key=lambda found: (found.changed(), found.folder))


def size_of(path: Path) -> int:
    """Return the bytes below a path; links count as themselves."""
    if is_link(path) or not path.is_dir():
        return path.lstat().st_size if os.path.lexists(path) else 0
    return sum(size_of(inner) for inner in path.iterdir())


def choose(
    runs: Sequence[Found], *, keep: int = 0, older: float | None = None, whole: bool = False
) -> list[Removal]:
    """Return what may go, but for the newest `keep` of each recipe and what is no `older` in days.

    Whole runs, whatever became of them; otherwise the checkpoints of those that finished and left
    a model, but for pinned ones. Runs that can't be read are nobody's to judge, and stay.
    """
    limit = None if older is None else datetime.now(UTC) - timedelta(days=older)
    newer: Counter[Path] = Counter()
    removals = []
    for found in reversed(runs):
        newer[found.folder.parent] += 1
        young = limit is not None and found.changed() > limit
        if found.run is None or young or newer[found.folder.parent] <= keep:
            continue
        paths = (found.folder,) if whole else tuple(_checkpoints(found, found.run))
        if paths:
            removals.append(Removal(found.run, paths, sum(map(size_of, paths))))
    return removals[::-1]


def remove(removal: Removal) -> None:
    """Remove what was chosen; StorageError when another process holds the run.

    Each folder is renamed first, so that none is ever half gone under its own name.
    """
    with removal.run.lock():
        for path in removal.paths:
            files.remove_stale(path.parent)  # what a prune that was killed left
            with storage_errors(path), files.temporary(path.parent) as doomed:
                files.disk.rename(path, doomed)
                files.remove_tree(doomed)


def _checkpoints(found: Found, run: RunFolder) -> Iterator[Path]:
    """Yield the checkpoints that a finished run can do without."""
    if found.status != "finished" or not run.model.is_file() or is_link(run.checkpoints):
        return
    for folder in _folders(run.checkpoints):
        if not os.path.lexists(folder / PIN):
            yield folder


def _read(folder: Path) -> Found | None:
    if not os.path.lexists(folder / RUN):
        return None
    try:
        return Found(folder, RunFolder.open(folder))
    except GantkError as error:
        return Found(folder, None, str(error))


def _folders(path: Path) -> list[Path]:
    """Return the folders in a folder: no links, and nothing that is being written or removed."""
    if not path.is_dir():
        return []
    inside = sorted(path.iterdir())
    return [p for p in inside if p.is_dir() and not is_link(p) and not p.name.startswith(".")]
