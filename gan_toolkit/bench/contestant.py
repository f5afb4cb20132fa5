"""What a contestant does: set itself up, take one step, then step whenever it is asked to.

Orders come on stdin and answers go to stdout, a line each. The first order is one JSON object of
settings; the answer is `{"ready": {...}}`, its facts, or `{"failed": "why"}`. Every other order is
`VERB COUNT`; the answer has the `seconds` that it took, the `cpu_seconds` of all threads, and
`peak_bytes`, the most memory held so far. `steps` is the verb everybody knows; `flops` counts the
operations of a step, `shares` says what its time goes to.

Only the standard library is used, so that a script in another environment can import it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

Settings = Mapping[str, Any]
"""What rivals must have in common: batch, shape, device, precision, threads. None: choose."""
Verb = Callable[[int], "Mapping[str, Any] | None"]
SetUp = Callable[[Settings], "tuple[Mapping[str, Any], Mapping[str, Verb]]"]
"""Makes facts and verbs of settings. What a verb returns is added to its answer."""

_STATUS = Path("/proc/self/status")


def serve(
    set_up: SetUp, orders: Iterable[str] | None = None, answers: TextIO | None = None
) -> None:
    """Answer orders until there are no more; what goes wrong is the last answer, and raised."""
    stream = _stdout_to_ourselves() if answers is None else answers
    lines = iter(sys.stdin if orders is None else orders)
    try:
        facts, verbs = set_up(json.loads(next(lines)))
        verbs["steps"](1)
        _put(stream, {"ready": {**facts, "verbs": list(verbs)}})
        for line in lines:
            verb, count = line.split()
            _put(stream, _timed(verbs[verb], int(count)))
    except BaseException as error:
        _put(stream, {"failed": str(error) or type(error).__name__, "kind": type(error).__name__})
        raise


def _timed(verb: Verb, count: int) -> dict[str, Any]:
    begun, used = time.perf_counter(), time.process_time()
    found = verb(count)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - used
    answer = {"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_bytes": peak_bytes()}
    return answer | dict(found or {})


def peak_bytes() -> int:
    """Return the most memory that this process has held; 0 where the system does not tell.

    Not `ru_maxrss`: on Linux a child starts with the peak of the process that started it.
    """
    if not _STATUS.exists():
        return 0
    lines = _STATUS.read_text().splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _put(stream: TextIO, answer: Mapping[str, Any]) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


def _stdout_to_ourselves() -> TextIO:
    """Take stdout for answers; what anything else prints there goes to stderr."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return own
