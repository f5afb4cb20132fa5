"""Load every recipe of the current folder; print of each how it ended, and what that took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from gan_toolkit import RecipeError
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import load_recipe
from gan_toolkit.testing.audit import Audit


def main() -> None:
    good, *names = sys.argv[1:]
    host = load_plugins()
    load_recipe(good, host)  # so that what is imported on first use is not told
    audit = Audit()
    for path in [Path(name) for name in names] or sorted(Path().glob("*.toml")):
        before, start = memory("VmRSS"), time.process_time()
        with audit.watching() as told:
            outcome, problems = load(path, host)
        found = {"name": path.name, "outcome": outcome, "problems": problems, "told": told}
        found["seconds"] = time.process_time() - start
        found["bytes"] = memory("VmHWM") - before
        print(json.dumps(found), flush=True)  # noqa: T201


def memory(what: str) -> int:
    """Return what the process holds (VmRSS), or held at most since this was last asked (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.exists():  # elsewhere than on Linux only time is measured
        return 0
    kilobytes = status.read_text().partition(f"{what}:")[2].split()[0]
    Path("/proc/self/clear_refs").write_text("5")
    return int(kilobytes) * 1024


def load(path: Path, host: PluginHost) -> tuple[str, list[tuple[str, str, str]]]:
    try:
        load_recipe(path, host)
    except RecipeError as error:
        return "refused", [
            (problem.place, problem.path, problem.text) for problem in error.problems
        ]
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
        return f"{type(error).__name__}: {error}", []
    return "loaded", []


main()
