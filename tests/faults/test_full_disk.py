"""A disk on which nothing more fits, met by the real command: one line, exit 8, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

CHANGES = (
    "run.steps=40",
    "run.checkpoint_every=20",
    "run.log_every=20",
    "measures.modes.enabled=false",
)
ROOM = 40_000
"""Bytes a file may have: less than a checkpoint of the optimisers, more than all that is text."""


def gantk(out: Path, *arguments: str, room: int | None = None) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    return subprocess.run(
        [sys.executable, "-m", "gan_toolkit", *arguments, "--no-report"],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=limit if room else None,
    )


def run(out: Path, *more: str, room: int | None = None) -> subprocess.CompletedProcess[str]:
    sets = [word for change in (*CHANGES, *more) for word in ("--set", change)]
    return gantk(out, "run", "infogan_ring", "--name", "one", *sets, room=room)


def test_a_file_that_does_not_fit_ends_the_run_in_one_line_and_it_goes_on_later(
    tmp_path: Path,
) -> None:
    refused = run(tmp_path, room=ROOM)

    folder = tmp_path / "runs" / "infogan_ring" / "one"
    assert refused.returncode == 8, refused.stderr
    (line,) = [text for text in refused.stderr.splitlines() if text.startswith("gantk: ")]
    assert "checkpoints" in line
    assert "Traceback" not in refused.stderr
    assert list(folder.rglob(".tmp-*")) == []
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["exit_code"]) == ("failed", 8)

    resumed = gantk(tmp_path, "resume", str(folder))

    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
