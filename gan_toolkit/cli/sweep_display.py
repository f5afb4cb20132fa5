"""What a person or a program sees of a sweep: a block of what runs, plain lines, or JSON lines."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan_toolkit.cli.compare import show_sections
from gan_toolkit.cli.scores import figure
from gan_toolkit.cli.session import Session
from gan_toolkit.cli.streams import write
from gan_toolkit.cli.text import command, count_of, echo, heading, is_lively, put, put_json, table
from gan_toolkit.strict_json import dump

if TYPE_CHECKING:
    from gan_toolkit.cli.side_by_side import Section
    from gan_toolkit.sweep.entries import Entry
    from gan_toolkit.sweep.plan import Plan
    from gan_toolkit.sweep.trial import Calls


class SweepDisplay:
    """One line for each trial that begins or ends; when nobody reads any more it falls silent."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._deaf = False

    def __enter__(self) -> SweepDisplay:
        self.session.say = self.say
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.say = echo

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take one event of a sweep."""
        if self._deaf:
            return
        try:
            self.show(str(event["event"]), event)
        except OSError:
            self._deaf = True

    def say(self, text: str) -> None:
        """Say a line of prose."""
        with suppress(OSError):
            self.prose(text)

    def prose(self, text: str) -> None:
        """Write a line of prose."""
        echo(text)

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Show one event."""
        if kind == "sweep":
            self.prose(opening(event))
        elif kind == "note":
            self.prose(str(event["text"]))
        elif kind == "trial":
            self.prose(line_of(event))

    def close(self, entries: Sequence[Entry], plan: Plan, calls: Calls) -> None:
        """Show what became of every trial, and what can be done next."""
        with suppress(OSError):
            heading(f"Sweep {plan.name}")
            numbers = [] if plan.space is None else [2]
            table(*_grid(entries, plan), right=numbers, indent="  ")
            if found := spreads(entries, plan, calls):
                put()
                show_sections(found)
            for line in next_steps(entries, plan, calls):
                self.prose(line)


class JsonSweepDisplay(SweepDisplay):
    """Each event as one JSON object on a line of stdout; prose stays on stderr."""

    def show(self, kind: str, event: Mapping[str, Any]) -> None:
        """Write one event."""
        write(dump(dict(event)))
        if kind == "note":
            self.prose(str(event["text"]))

    def close(self, entries: Sequence[Entry], plan: Plan, calls: Calls) -> None:
        """Write the last object, with all that was found."""
        from gan_toolkit.sweep.space import settings

        space = {} if plan.space is None else plan.space.search
        trials = [
            {
                "trial": one.slot.name,
                "state": one.state,
                "value": one.value if plan.space is not None else None,
                "values": list(one.values),
                "seeds": list(one.slot.seeds),
                "parameters": settings(space, one.point) if one.point else {},
                "runs": list(one.runs),
                "cause": one.cause,
            }
            for one in entries
        ]
        with suppress(BrokenPipeError):
            folder = str(calls.logs.parent)
            put_json(
                {
                    "event": "end",
                    "outcome": "finished",
                    "folder": folder,
                    "trials": trials,
                    "scores": [
                        vars(one)
                        for section in spreads(entries, plan, calls)
                        for one in (section.family.spreads if section.family else ())
                    ],
                }
            )


def sweep_display_for(session: Session, *, json: bool) -> SweepDisplay:
    """Return the display that suits where the output goes."""
    if json:
        return JsonSweepDisplay(session)
    if is_lively(os.environ):
        from gan_toolkit.cli.sweep_live import LiveSweepDisplay

        return LiveSweepDisplay(session)
    return SweepDisplay(session)


def opening(event: Mapping[str, Any]) -> str:
    """Return what a sweep is, in one line."""
    begun = "joins" if event["joined"] else "begins"
    jobs = "" if event["jobs"] == 1 else f", {event['jobs']} at a time"
    return f"sweep {event['sweep']} {begun}: {count_of(event['trials'], 'trial')}{jobs}, " + (
        f"in {event['storage']}"
    )


def line_of(event: Mapping[str, Any]) -> str:
    """Return what happened to a trial, in one line."""
    parts = [f"trial {event['trial']} {event['state']}"]
    if event["state"] in ("begun", "resumed"):
        parts += [f"{key} = {text}" for key, text in event["parameters"].items()]
        parts += [] if event["seed"] is None else [f"seed {event['seed']}"]
        parts.append(str(event["run"]))
    if event.get("value") is not None:
        parts.append(figure(event["value"]))
    if event.get("cause"):
        parts.append(f"exit {event['exit_code']}, {event['cause']}")
    return ": ".join([parts[0], ", ".join(parts[1:])]) if parts[1:] else parts[0]


def _grid(entries: Sequence[Entry], plan: Plan) -> tuple[list[Sequence[str]], Sequence[str]]:
    """Return rows and header of the table of all trials."""
    from gan_toolkit.sweep.space import settings

    space = {} if plan.space is None else plan.space.search
    seeded = plan.space is not None and any(len(one.slot.seeds) > 1 for one in entries)
    target = [] if plan.space is None else [plan.space.target]
    header = ["trial", "state", *target, *(["of its seeds"] if seeded else []), *space, "runs"]
    rows: list[Sequence[str]] = []
    for one in entries:
        point = settings(space, one.point) if one.point else {}
        value = "-" if one.value is None else figure(one.value)
        seeds = ", ".join(map(figure, one.values)) or "-"
        rows.append(
            [
                one.slot.name,
                one.state,
                *([value] if target else []),
                *([seeds] if seeded else []),
                *(_short(point.get(key)) for key in space),
                one.cause or ", ".join(one.runs),
            ]
        )
    return rows, header


def _short(text: str | None) -> str:
    """Return a value of a point in the digits that tell it."""
    if text is None:
        return "-"
    try:
        return figure(float(text))
    except ValueError:
        return text


def spreads(entries: Sequence[Entry], plan: Plan, calls: Calls) -> list[Section]:
    """Return what seeds make of every final score, where nothing else varies and runs are here."""
    if plan.space is not None:
        return []
    from gan_toolkit.cli.side_by_side import sections
    from gan_toolkit.comparison import read_sides
    from gan_toolkit.runs import RUN, RunFolder

    folders = [calls.shelf / Path(run).name for e in entries if e.state == "done" for run in e.runs]
    there = [RunFolder.open(folder) for folder in folders if (folder / RUN).exists()]
    if len(there) < 2:
        return []
    return [section for section in sections(read_sides(there)) if section.family is not None]


def best_of(entries: Sequence[Entry], plan: Plan) -> Entry | None:
    """Return the trial with the best value, None when none has one."""
    if plan.space is None:
        return None
    known = [one for one in entries if one.value is not None]
    sign = 1 if plan.space.direction == "maximise" else -1
    return max(known, key=lambda one: sign * (one.value or 0.0), default=None)


def next_steps(entries: Sequence[Entry], plan: Plan, calls: Calls) -> list[str]:
    """Return the commands that a person may want now."""
    from gan_toolkit.sweep.space import settings

    best = best_of(entries, plan)
    if best is None or plan.space is None:
        done = [run for one in entries if one.state == "done" for run in one.runs]
        return [f"Next: {command('compare', *done)}"] if 1 < len(done) <= 10 else []
    point = settings(plan.space.search, best.point)
    given = [word for key, text in point.items() for word in ("--set", f"{key}={text}")]
    target = f"{plan.space.target} {figure(best.value or 0.0)}"
    again = ["sweep", *calls.run[1:], *given, "--seeds", 5, "--name", f"{plan.name}-best"]
    return [
        f"best: trial {best.slot.name}, {target}; the best of several is partly luck, so check it:",
        f"  {command(*again)}",
    ]
