"""What a run tells while it trains and when it is over: records that arrive, values that count."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_toolkit import files, strict_json
from gan_toolkit.errors import GantkError, StorageError, UsageError, did_you_mean
from gan_toolkit.runs import RunFolder
from gan_toolkit.scores import finite, name_of


class NoValue(GantkError):
    """The run has the value that is wanted, and it says nothing: void, or not finite."""


class Follower:
    """Reads the records of a journal that still grows, each once.

    A resume cuts the journal: then it is read from its beginning again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def records(self) -> list[dict[str, Any]]:
        """Return what was logged since the last call; half a line waits for its end."""
        try:
            size = self.path.stat().st_size
        except OSError:  # not there yet
            return []
        if size < self._read:
            self._read = 0
        if size == self._read:
            return []
        with files.open_regular(self.path) as handle:
            os.lseek(handle, self._read, os.SEEK_SET)
            content = files.read_exactly(self.path, handle, size - self._read)
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        return [record for line in whole.splitlines() if (record := _logged(line))]


def _logged(line: bytes) -> dict[str, Any]:
    """Return a record of the training, nothing for any other."""
    try:
        record = strict_json.parse_object(line)
    except ValueError:
        return {}
    return record if record.get("event") == "log" else {}


def value_of(run: RunFolder, name: str, *, scores: bool = True) -> float:
    """Return a value of a run that is over: a final score, or the last in its journal.

    Without `scores` the journal only. Raises NoValue when it says nothing, UsageError with the
    nearest when there is no such name.
    """
    final = {"/".join(name_of(record)): record for record in run.scores()[1]} if scores else {}
    journal = last_values(run)
    if name in final:
        return _usable(name, final[name])
    if name in journal:
        return journal[name]
    near = did_you_mean(name, [*final, *journal])
    listed = "" if near else f"; there are: {', '.join([*final, *journal]) or 'none'}"
    raise UsageError(f"{run.folder} has no value {name!r}{near}{listed}")


def _usable(name: str, record: Mapping[str, Any]) -> float:
    value = finite(record.get("value"))
    if record.get("void") or value is None:
        raise NoValue(f"{name} is void: {record.get('void') or 'it has no value'}")
    return float(value)


def last_values(run: RunFolder) -> dict[str, float]:
    """Return the last value of everything that the journal of a run holds."""
    found: dict[str, float] = {}
    for record in run.metrics.read():
        if record.get("event") == "log":
            numbers = {name: finite(value) for name, value in record.items() if name != "step"}
            found |= {name: float(n) for name, n in numbers.items() if n is not None}
    return found


def cause_of(folder: Path, log: Path) -> str:
    """Return why a run failed: in its own words, or the last that it said."""
    try:
        cause = RunFolder.open(folder).run_json.get("cause")
    except GantkError:
        cause = None
    if cause:
        return files.printable(str(cause).splitlines()[0])
    try:
        lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return files.printable(lines[-1]).removeprefix("gantk: ") if lines else "it said nothing"


def is_finished(folder: Path) -> bool:
    """Return whether a folder holds a run that came to its end."""
    try:
        return RunFolder.open(folder).run_json.get("status") == "finished"
    except (StorageError, UsageError):
        return False
