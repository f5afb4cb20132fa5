"""Load a model file, or resume a run, of each folder in `cases`; print how it ended.

Address space is limited to 100 MB more than a good one took, so a claim that is believed shows as
a failure to allocate.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gan_toolkit import GantkError, files, load
from gan_toolkit.launch import resume
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.tensorfile import describe
from gan_toolkit.testing.audit import Audit
from gan_toolkit.testing.disks import HastyDisk

MORE = 100_000_000


def look(case: Path, host: PluginHost) -> str:
    """Do with a model file what commands do: describe, load, sample."""
    path = case / "model.safetensors"
    try:
        describe(path)
    finally:  # loading doesn't rely on somebody having looked before
        model = load(path, host)
    return f"{tuple(model.sample(2).shape)}"


def go_on(case: Path, host: PluginHost) -> str:
    notes: list[str] = []
    resume(case, host, tell=lambda event: notes.append(str(event.get("text", ""))), steps=8)
    return "; ".join(filter(None, notes))


def main() -> None:
    act, plugin, *warm = sys.argv[1:]
    acts: dict[str, Callable[[Path, PluginHost], str]] = {"look": look, "resume": go_on}
    torch.set_num_threads(1)
    files.disk = HastyDisk()
    host = load_plugins([plugin])
    for folder in warm:
        acts[act](Path(folder), host)
    kilobytes = Path("/proc/self/status").read_text().partition("VmPeak:")[2].split()[0]
    most = int(kilobytes) * 1024 + MORE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    audit = Audit(Path("cases"))
    for case in sorted(Path("cases").iterdir()):
        start = time.process_time()
        with audit.watching() as told:
            try:
                outcome, text = "done", acts[act](case, host)
            except GantkError as error:
                outcome, text = "refused", str(error)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
                outcome, text = type(error).__name__, str(error)
        seconds = time.process_time() - start
        found = {"outcome": outcome, "text": text, "told": told, "seconds": seconds}
        print(json.dumps({"name": case.name, **found}), flush=True)  # noqa: T201


main()
