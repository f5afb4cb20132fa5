"""From the folder of a run to what a page says: whatever is there, and a note on what is not.

A run may have stopped at any instant, and a folder may come from anywhere: no file in it is
needed, none is trusted, and one that can't be read costs its own part of the page only.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gan_toolkit import files, strict_json
from gan_toolkit.errors import GantkError
from gan_toolkit.report.places import without_places
from gan_toolkit.report.scores import Block, blocks, void_reasons
from gan_toolkit.report.settings import Setting, settings
from gan_toolkit.runs import RunFolder
from gan_toolkit.scores import headline
from gan_toolkit.wording import duration, shape_of, size

_LARGEST_TEXT = 8 * 2**20
_LONGEST_RECIPE = 1_000
"""Lines of a recipe, and of a log, that are shown."""
_LONGEST_LOG = 200
_LONGEST_LINE = 400
_MOST_PACKAGES = 1_000
_MOST_WARNINGS = 12
_TROUBLE = re.compile(
    r"failed|switched off|damaged|no loss has reached|not bit-exact|alarm|left out|went back"
)
_AT_THE_END = re.compile(r"(.+) failed \d+ times?")
"""What the log says of an observer when the run ends; it repeats what was said at once."""

T = TypeVar("T")
Rows = list[tuple[str, str]]


@dataclass
class Gathered:
    """What the folder of a run says."""

    title: str
    summary: str
    place: str
    status: str
    cause: str
    data_name: str
    data_source: str
    facts: Rows
    data_rows: Rows
    settings: dict[str, list[Setting]]
    recipe_lines: list[str]
    command: str
    environment: Rows
    packages: list[str]
    scores: list[Block]
    headline: str
    """The scores in one line."""
    records: list[dict[str, Any]]
    step: int
    """The last step that was recorded or saved."""
    log: list[str]
    warnings: list[str] = field(default_factory=list)

    @property
    def is_real(self) -> bool:
        """Whether the data is the set whose name one may think of."""
        return self.data_source == "real"


def gather(run: RunFolder) -> Gathered:
    """Read what is there; `warnings` names what could not be read."""
    notes: list[str] = []
    facts = run.run_json
    tables = _tried(lambda: tomllib.loads(_text(run.resolved)), notes) or {}
    places, written = run.read_origins()
    records = _tried(run.metrics.read, notes) or []
    lines = _tried(lambda: _lines(run.environment), notes) or []
    given = _tried(lambda: _lines(run.recipe), notes) or []
    said = _tried(lambda: _lines(run.log_file), notes) or []
    data = _dict(facts.get("data"))
    evaluations = list(_evaluations(run, notes))
    gathered = Gathered(
        title=str(facts.get("recipe", "")),
        summary=written.get("summary", str(tables.get("summary", ""))),
        place=f"{run.folder.absolute().parent.name}/{run.folder.absolute().name}",
        status=str(facts.get("status", "")),
        cause=str(facts.get("cause", "")),
        data_name=str(data.get("name", "")),
        data_source=str(data.get("source", "")),
        facts=[],
        data_rows=_data_rows(data),
        settings=dict(settings(tables, places, written)),
        recipe_lines=given[:_LONGEST_RECIPE],
        command=_command(facts.get("argv")),
        environment=_environment(facts, lines),
        packages=[line for line in lines if "==" in line][:_MOST_PACKAGES],
        scores=blocks(evaluations),
        headline=headline([record for _, records in evaluations for record in records]),
        records=records,
        step=max((run.saved_step(), *_steps(records))),
        log=said[-_LONGEST_LOG:],
    )
    gathered.facts = _facts(facts, tables, gathered.step)
    gathered.warnings = [*_warnings(gathered), *notes]
    return gathered


def _tried(read: Callable[[], T], notes: list[str]) -> T | None:
    """Return what is read; None, and a note, when it can't be."""
    try:
        return read()
    except (GantkError, OSError, ValueError, RecursionError) as error:
        notes.append(str(error).partition("\n")[0])
        return None


def _steps(records: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    return (record["step"] for record in records if isinstance(record.get("step"), int))


def _text(path: Path) -> str:
    if not path.exists():
        return ""
    return files.read_bytes(path, _LARGEST_TEXT).decode("utf-8", "replace")


def _lines(path: Path) -> list[str]:
    """Return the lines of a text, the end of very long ones cut off."""
    text = _text(path).removesuffix("\n")
    # Not at every kind of line end there is: some of them may stand inside a text.
    return [line[:_LONGEST_LINE] for line in text.split("\n")] if text else []


def _facts(facts: Mapping[str, Any], tables: Mapping[str, Any], step: int) -> Rows:
    keys = _dict(tables.get("run"))
    steps = keys.get("steps")
    done = f"{step:,} of {steps:,}" if isinstance(steps, int) and steps != step else f"{step:,}"
    batch = keys.get("batch_size")
    rows = [
        ("steps", done),
        ("batch", f"{batch:,} samples" if isinstance(batch, int) else ""),
        ("variant", ", ".join(map(str, _list(facts.get("variants"))))),
        ("seed", str(facts.get("seed", ""))),
        ("device", str(facts.get("device", ""))),
        ("time", _time(facts)),
        ("memory", _size(facts.get("peak_memory"))),
        ("begun", _moment(facts.get("begun") or facts.get("created"))),
    ]
    return [(name, text) for name, text in rows if text]


def _command(argv: object) -> str:
    """Return the command line as one could type it: whose program it was does not matter."""
    if not isinstance(argv, list) or not argv:
        return ""
    return shlex.join(["gantk", *map(_word, map(str, argv[1:]))])


def _word(word: str) -> str:
    """Clean one word of a command line: here it is still known where a path with spaces ends."""
    option, equals, value = word.partition("=")
    return f"{option}={without_places(value)}" if equals else without_places(word)


def _data_rows(data: Mapping[str, Any]) -> Rows:
    samples, shape = data.get("samples"), _list(data.get("shape"))
    rows = [
        ("name", str(data.get("name", ""))),
        ("source", str(data.get("source", ""))),
        ("samples", f"{samples:,}" if isinstance(samples, int) else ""),
        ("shape", shape_of(shape) if shape and all(isinstance(s, int) for s in shape) else ""),
        ("notice", str(data.get("notice", ""))),
        ("fingerprint", str(data.get("fingerprint", ""))),
    ]
    return [(name, text) for name, text in rows if text]


def _environment(facts: Mapping[str, Any], lines: Sequence[str]) -> Rows:
    head = [line for line in lines if line and "==" not in line]
    rows = [(name, rest) for name, _, rest in (line.partition(" ") for line in head)]
    plugins = _dict(facts.get("plugins"))
    rows.append(("plugins", ", ".join(f"{name} {version}" for name, version in plugins.items())))
    rows += [("recipe digest", str(facts.get("recipe_digest", ""))), ("run id", str(facts["id"]))]
    return [(name, text) for name, text in rows if text]


def _evaluations(run: RunFolder, notes: list[str]) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for path in sorted(run.evaluations.glob("step-*.json")):
        found = _tried(partial(_scores, path), notes)
        if found is not None:
            yield found


def _scores(path: Path) -> tuple[int, list[dict[str, Any]]]:
    facts = strict_json.parse_object(files.read_bytes(path, _LARGEST_TEXT))
    step = re.search(r"\d{8,18}", path.stem)
    scores = [score for score in _list(facts.get("scores")) if isinstance(score, dict)]
    return int(step[0]) if step else 0, scores


def _warnings(gathered: Gathered) -> list[str]:
    """Return what a reader must know before believing anything else."""
    found = []
    for reason, names in void_reasons(gathered.scores).items():
        whose = names[0] if len(names) == 1 else f"{len(names)} scores"
        found.append(f"{whose} void: {reason}")
    said = dict.fromkeys(line for line in gathered.log if _TROUBLE.search(line))
    ends = {match[1] for line in said if (match := _AT_THE_END.match(line))}
    begun = {line for line in said for who in ends if line.startswith(f"{who} failed, ")}
    return found + [line for line in said if line not in begun][-_MOST_WARNINGS:]


def _time(facts: Mapping[str, Any]) -> str:
    try:
        begun = datetime.fromisoformat(str(facts.get("begun")))
        ended = datetime.fromisoformat(str(facts.get("ended")))
        return duration((ended - begun).total_seconds()) if ended >= begun else ""
    except (TypeError, ValueError):
        return ""


def _moment(text: object) -> str:
    try:
        return f"{datetime.fromisoformat(str(text)):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return ""


def _size(count: object) -> str:
    return size(count) if isinstance(count, int) and count > 0 else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
