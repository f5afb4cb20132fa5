"""What became of a plugin, and why, in one line."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Literal

from gan_toolkit.hooks import BrokenPlugin, IncompatiblePlugin, SkipPlugin
from gan_toolkit.registry import RegistrationError

Status = Literal["loaded", "failed", "incompatible", "duplicate", "skipped", "blocked"]

_TROUBLE = {
    "failed": "failed to load",
    "incompatible": "is incompatible",
    "duplicate": "is a duplicate",
}


@dataclass
class PluginRecord:
    """What became of a plugin."""

    name: str
    target: str
    distribution: str
    version: str
    status: Status = "loaded"
    reason: str = ""
    traceback: str = ""
    hooks: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    """What it offers, each as `kind name`."""
    milliseconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    quiet: bool = False
    """Whether this is no trouble to the user: the same plugin stands there twice."""

    @property
    def trouble(self) -> str:
        """One line for stderr, or nothing."""
        if self.status not in _TROUBLE or self.quiet:
            return ""
        return (
            f"plugin {self.name!r} {_TROUBLE[self.status]} ({self.reason}); "
            f"see: gantk plugins info {self.name}"
        )


def blame(record: PluginRecord, error: BaseException) -> None:
    """Set down why a plugin is not loaded."""
    record.status = "failed"
    if isinstance(error, SkipPlugin):
        record.status = "skipped"
    elif isinstance(error, IncompatiblePlugin):
        record.status = "incompatible"
    record.reason = line_of(error)
    record.hooks = ()
    record.traceback = "".join(traceback.format_exception(error))


def line_of(error: BaseException, *, always_named: bool = False) -> str:
    """Return the first useful line of an error, without control characters."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception:  # noqa: BLE001 - even its text may raise
        lines = []
    text = "".join(c if c.isprintable() else "?" for c in lines[0]) if lines else ""
    ours = isinstance(error, BrokenPlugin | SkipPlugin | RegistrationError)
    if ours and not always_named:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
