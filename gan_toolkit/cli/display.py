"""What a person or a program sees of a run: a live block, plain lines, or JSON lines.

A display never ends a run: when nobody listens any more it falls silent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan_toolkit.cli.scores import describe_scores, show_scores
from gan_toolkit.cli.session import Session
from gan_toolkit.cli.streams import write
from gan_toolkit.cli.text import (
    command,
    count_of,
    duration,
    echo,
    is_lively,
    number,
    put_json,
    shape_of,
)
from gan_toolkit.strict_json import dump

MOST_VALUES = 8
_PLAYERS = ("critic", "generator")
_COUNTS = ("step", "samples_per_second")
_WATCHED = "watch/"
"""Before the names of values that alarms look at: they speak up by themselves."""


class Pace:
    """How long what is left will take, from the last intervals between records."""

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._seconds_per_step: float | None = None
        self._intervals = 0

    def at(self, step: int) -> None:
        """Learn that `step` steps are done now."""
        now = time.monotonic()
        if self._last is not None and step > self._last[0]:
            self._intervals += 1
            self._learn(step - self._last[0], now - self._last[1])
        self._last = (step, now)

    def _learn(self, steps: int, seconds: float) -> None:
        # The first interval holds what happens once, such as compiling: it is soon forgotten, and
        # if it was one step long, it says nothing at all.
        if self._intervals == 1 and steps == 1:
            return
        latest, known = seconds / steps, self._seconds_per_step
        share = 1.0 if self._intervals <= 2 or known is None else 0.3
        self._seconds_per_step = share * latest + (1 - share) * (known or 0.0)

    def left(self, steps: int) -> float | None:
        """Return the seconds until `steps` steps are done, counted from now; None: unknown yet."""
        if self._last is None or self._seconds_per_step is None:
            return None
        step, then = self._last
        return max(0.0, (steps - step) * self._seconds_per_step - (time.monotonic() - then))


class Display:
    """Base of the three: takes events, remembers what the end needs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.step = 0
        self.steps = 0
        self.unit = "samples"
        self.latents: list[str] = []
        self.codes: list[str] = []
        """The latents that some term speaks of."""
        self.pictures = 0
        self.outcome = ""
        self.has_model = False
        self.report = ""
        """The name of the run's report, once there is one."""
        self.peak_memory: Callable[[], int] | None = None
        """Tells the bytes that the run has held at most."""
        self._scores: list[dict[str, Any]] = []
        self._scored_at = -1
        self._deaf = False

    def __enter__(self) -> Display:
        self.session.say = self.say
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.say = echo

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take one event of a run."""
        kind = str(event.get("event"))
        try:
            self._remember(kind, event)
            if not self._deaf:
                self.show(kind, event)
        except OSError:  # nobody reads any more
            self._deaf = True
        except Exception as error:  # noqa: BLE001 - a run is worth more than what shows it
            self._deaf = True
            with suppress(OSError, ValueError):
                echo(f"the display failed ({type(error).__name__}: {error}); the run goes on")

    def say(self, text: str) -> None:
        """Say a line of prose."""
        if not self._deaf:
            try:
                self.prose(text)
            except (OSError, ValueError):
                self._deaf = True

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if kind == "start":
            for line in opening(event):
                self.prose(line)
        elif _is_said(kind, event):
            self.prose(str(event.get("text")))
        elif kind == "evaluation" and self.step < self.steps:
            self.prose(f"evaluation at step {self.step:,}: {describe_scores(event['scores'])}")
        elif kind == "report" and event.get("status") in ("stopped", "failed"):
            self.prose(f"report: {(self.session.run or Path()) / self.report}")
        elif kind in ("checkpoint", "picture", "model", "report") and self.session.verbosity:
            what = event.get("path") or event.get("reason")
            self.prose(f"{kind} at step {event.get('step', self.step)}: {what}")

    def prose(self, text: str) -> None:
        """Write a line of prose."""
        echo(text)

    def _remember(self, kind: str, event: Mapping[str, Any]) -> None:
        self.step = int(event.get("step", self.step))
        if kind == "start":
            self.session.run = Path(event["run"])
            self.steps = int(event["steps"])
            self.latents = list(event.get("latents", {}))
            if len(event["data"].get("shape", ())) == 3:
                self.unit = "img"
        elif kind == "log" and not self.codes:
            spoken_of = {name.partition("/")[2] for name in event}
            self.codes = [name for name in self.latents if name in spoken_of]
        elif kind == "picture":
            self.pictures += 1
        elif kind == "model":
            self.has_model = True
        elif kind == "report":
            self.report = str(event.get("path"))
        elif kind == "checkpoint":
            self.session.saved_at = self.step
            if event.get("reason") == "stop":  # before anybody can read of it
                self.session.settle()
        elif kind == "evaluation":
            if self._scored_at != self.step:
                self._scores.clear()
            self._scored_at = self.step
            self._scores += event["scores"]
        elif kind == "end":
            self.outcome = str(event.get("outcome"))
            self.session.settle()

    def close(self, run: Path) -> None:
        """Say what was found and what can be done next; the last line on stdout is the folder."""
        with suppress(OSError):
            if self._scores:
                show_scores(self._scores, f"Measured at step {self._scored_at:,}")
            for line in self._next_steps(run):
                self.prose(line)
        with suppress(BrokenPipeError):
            write(str(run))

    def _next_steps(self, run: Path) -> list[str]:
        lines = []
        if self.pictures:
            lines.append(f"{count_of(self.pictures, 'picture')} in {run}")
        if self.report:
            lines.append(f"report: {run / self.report}")
        if self.has_model:
            lines.append("Next:")
            if self.codes:
                code = self.codes[0]
                file = f"{code.replace('.', '-')}.png"
                lines.append(f"  {command('traverse', run, code, '-o', file)}")
            lines.append(f"  {command('sample', run, '-n', 64, '-o', 'samples.png')}")
        return lines


class PlainDisplay(Display):
    """One line an interval, no control codes: for files, pipes, CI and simple terminals."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._pace = Pace()

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if kind == "start":
            self._pace.at(self.step)
        if kind == "log":
            self._pace.at(self.step)
            self.prose(self._line(event))
        else:
            super().show(kind, event)

    def _line(self, event: Mapping[str, Any]) -> str:
        share = self.step / max(self.steps, 1)
        parts = [f"step {self.step}/{self.steps}", f"{share:.1%}"]
        rate = event.get("samples_per_second")
        if rate:
            parts.append(f"{number(float(rate))} {self.unit}/s")
        left = self._pace.left(self.steps)
        if left is not None and self.step < self.steps:
            parts.append(f"eta {duration(left)}")
        return " ".join(
            [*parts, *(f"{name} {number(value)}" for name, value in values_of(event).items())]
        )


class JsonDisplay(Display):
    """Each event as one JSON object on a line of stdout; prose stays on stderr."""

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Write one event."""
        if kind != "end":  # it comes from `close`: the last object holds the folder
            write(dump(dict(event)))
        if _is_said(kind, event):
            self.prose(str(event.get("text")))

    def close(self, run: Path) -> None:
        """Write the last object; that of a run which fails is written where its error is told."""
        with suppress(BrokenPipeError):
            put_json({"event": "end", "outcome": self.outcome, "run": str(run)})


def display_for(session: Session, *, json: bool) -> Display:
    """Return the display that suits where the output goes."""
    if json:
        return JsonDisplay(session)
    if is_lively(os.environ):
        from gan_toolkit.cli.live import LiveDisplay

        return LiveDisplay(session)
    return PlainDisplay(session)


def _is_said(kind: str, event: Mapping[str, Any]) -> bool:
    """Return whether an event has a text that nobody else says: of a stop, the error does."""
    return kind in ("note", "alarm") or (kind == "divergence" and event.get("action") != "stop")


def opening(event: Mapping[str, Any]) -> list[str]:
    """Return what a run is about to do, a fact a line."""
    data = event["data"]
    variants = event.get("variants") or []
    begun = f", from step {event['step']:,}" if event.get("step") else ""
    samples = f"{data['samples']:,} samples of {shape_of(data['shape'])}"
    facts = {
        "recipe": event["name"] + (f", variant {', '.join(variants)}" if variants else ""),
        "data": f"{data['name']} ({data['source']}), {samples}",
        "device": event["device"],
        "steps": f"{event['steps']:,} of {event['batch_size']} samples{begun}",
    }
    facts |= {f"latent {name}": about for name, about in event.get("latents", {}).items()}
    facts["run"] = event["run"]
    width = max(map(len, facts))
    return [f"{name.ljust(width)}  {about}" for name, about in facts.items()]


def values_of(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the values worth a look: the losses, what terms say of themselves, other terms."""
    known = {
        name: float(value)
        for name, value in event.items()
        if isinstance(value, int | float) and name not in _COUNTS and not name.startswith(_WATCHED)
    }
    losses = {p: known[f"{p}/loss"] for p in _PLAYERS if f"{p}/loss" in known}
    said = {name: v for name, v in known.items() if name.partition("/")[0] not in _PLAYERS}
    speakers = {name.partition("/")[0] for name in said} | {"loss"}
    silent = {
        name: value
        for name, value in known.items()
        if name not in said and name.partition("/")[2] not in speakers
    }
    return dict([*losses.items(), *said.items(), *silent.items()][:MOST_VALUES])
