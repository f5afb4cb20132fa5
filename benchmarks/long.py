"""Whether a long run stays as fast and as small as it began: the real `launch`, with all it does.

At every record the time, the step and the memory of the process are noted; on a CPU the time is
that of all its threads, so that a neighbour does not falsify it. The first tenth is the
warm-up. Of the rest, in nine windows: the trend of the time of a step, how far windows are from
their median, and what the memory grew by. The aim: within 3 % over 20,000 steps, and no growth.

    python benchmarks/long.py infogan_ring --steps 20000
    python benchmarks/long.py infogan_digits --steps 20000
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from gan_toolkit import Override, choose_device, load_plugins, load_recipe
from gan_toolkit.launch import launch
from gan_toolkit.recipe.finding import find_recipe

WINDOWS = 10
MIB = 1024 * 1024


class Note(NamedTuple):
    """The state at one record."""

    step: int
    seconds: float
    resident: int
    """Bytes that the process holds."""


def resident() -> int:
    """Return the bytes that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def train(name: str, steps: int, threads: int) -> list[Note]:
    """Run the recipe, its variant for the CPU included, and return what was noted."""
    host = load_plugins()
    path = find_recipe(name, host)
    variants = ["cpu"] if "cpu" in load_recipe(path, host).variants else []
    keys = {"steps": steps, "log_every": 50, "threads": threads}
    overrides = [Override(f"run.{key}={value}") for key, value in keys.items()]
    recipe = load_recipe(path, host, variants=variants, overrides=overrides)
    device = choose_device("auto", recipe.run.precision, threads=threads)
    clock = time.process_time if device.torch_device.type == "cpu" else time.perf_counter
    notes: list[Note] = []

    def tell(event: Mapping[str, Any]) -> None:
        if event["event"] == "log":
            notes.append(Note(event["step"], clock(), resident()))

    with tempfile.TemporaryDirectory() as folder:
        launch(recipe, host, device=device, out=Path(folder), tell=tell)
    return notes


def show(name: str, notes: list[Note]) -> None:
    """Print the trends."""
    paces = [
        (now.step, (now.seconds - then.seconds) / (now.step - then.step))
        for then, now in pairwise(notes)
        if now.step > then.step
    ]
    kept = [(step, pace) for step, pace in paces if step > notes[-1].step / WINDOWS]
    length = max(1, len(kept) // (WINDOWS - 1))
    # Medians of windows: a record during which pictures were drawn is slow, and no trend.
    windows = [
        (kept[i][0], statistics.median(pace for _, pace in kept[i : i + length]))
        for i in range(0, len(kept) - length + 1, length)
    ]
    steps, seconds = np.array(windows).T
    middle = float(np.median(seconds))
    slope = float(np.polyfit(steps, seconds, 1)[0]) * (steps[-1] - steps[0]) / middle
    held = [note.resident for note in notes if note.step >= kept[0][0]]
    print(
        f"| {name} | {notes[-1].step:,} | {1000 * middle:.2f} | {slope:+.1%} | "
        f"{seconds.min() / middle - 1:+.1%} to {seconds.max() / middle - 1:+.1%} | "
        f"{held[-1] / MIB:,.0f} | {(held[-1] - held[0]) / MIB:+,.1f} |"
    )


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    print(f"torch {torch.__version__}, {asked.threads} threads\n")
    print("| recipe | steps | ms a step | trend | windows | MiB at the end | MiB grown |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in asked.recipes:
        show(name, train(name, asked.steps, asked.threads))


if __name__ == "__main__":
    main()
