"""A run that is killed at any instant is taken up again and ends as if nothing had happened.

The real command is started, ended by SIGKILL after a random time, and started again, as often as
the figures say: during imports, assembly, steps, checkpoints, evaluation, pictures and the report.
Nobody repairs anything in between. `pytest -m slow tests/faults` does the full count.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RECIPE = ("infogan_ring", "--name", "run")
CHANGES = (
    "run.steps=240",
    "run.log_every=10",
    "run.checkpoint_every=20",
    "run.evaluate_every=120",
    "measures.bound.samples=500",
    "measures.modes.samples=500",
)
CLOCK = ("samples_per_second",)
LONGEST = 300.0


@dataclass
class Killer:
    """Drives one run to its end, killing it `left` more times on the way."""

    out: Path
    left: int
    longest: float
    """Seconds to kill after, at most; some way beyond what the whole run takes."""
    seed: int
    lost: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.out / "infogan_ring" / "run"

    def __call__(self) -> None:
        draw = random.Random(self.seed)
        ended = False
        while not ended:
            committed = self.newest()
            process = start(self.out, resume=self.folder if self.begun() else None)
            if self.left:
                ended = self._ended_within(process, draw.uniform(0, self.longest))
            else:
                ended = self._ended_within(process, LONGEST)
                assert ended, "the run did not end by itself"
            if (now := self.newest()) < committed:
                self.lost.append(f"checkpoint of step {committed}; the newest is {now}")
            if ended:
                assert process.returncode == 0, said(self.out)

    def begun(self) -> bool:
        """Return whether a user would find a run to resume."""
        return (self.folder / "run.json").exists()

    def newest(self) -> int:
        """Return the step of the newest committed checkpoint; -1 if there is none."""
        manifests = (self.folder / "checkpoints").glob("*-step*/MANIFEST.json")
        return max((json.loads(path.read_text())["step"] for path in manifests), default=-1)

    def _ended_within(self, process: subprocess.Popen[bytes], seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.left -= 1
            return False
        return True


def start(out: Path, resume: Path | None) -> subprocess.Popen[bytes]:
    sets = [word for change in CHANGES for word in ("--set", change)]
    command = ("run", *RECIPE, "--out", str(out), *sets)
    if resume is not None:
        command = ("resume", str(resume))
    out.mkdir(exist_ok=True)
    with (out / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "gan_toolkit", *command],
            stdout=said,
            stderr=said,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )


def said(out: Path) -> str:
    return (out / "said.txt").read_text()[-2000:]


def records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in CLOCK} for line in lines]


def assert_alike(one: Path, other: Path) -> None:
    """Compare all that must not depend on how often a run was killed."""
    assert records(one) == records(other)
    assert (one / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()
    mine, theirs = (max((run / "checkpoints").glob("*-step*")) for run in (one, other))
    for path in mine.glob("*.safetensors"):
        assert path.read_bytes() == (theirs / path.name).read_bytes(), path.name
    pictures = {path.relative_to(one) for path in one.rglob("*.png")}
    assert pictures == {path.relative_to(other) for path in other.rglob("*.png")}
    assert (other / "report.html").exists()


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_equals_one_that_is_not(
    kills: int, tmp_path: Path
) -> None:
    begun = time.monotonic()
    undisturbed = Killer(tmp_path / "undisturbed", 0, LONGEST, seed=0)
    undisturbed()
    whole = time.monotonic() - begun

    left, runs = kills, 0
    while left:
        disturbed = Killer(tmp_path / f"disturbed-{runs}", left, 1.2 * whole, seed=runs)
        disturbed()
        assert disturbed.lost == []
        assert_alike(undisturbed.folder, disturbed.folder)
        left, runs = disturbed.left, runs + 1
