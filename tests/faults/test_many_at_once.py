"""Fifty processes that want one run at the same instant: one gets it, the others say who has it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gan_toolkit.runs import RunFolder

# One process that has imported all it needs, and forks: fifty interpreters would not start at once.
FIFTY = """
import json, os, sys, time
from pathlib import Path
from gan_toolkit.errors import StorageError
from gan_toolkit.runs import RunFolder

folder, count = Path(sys.argv[1]), int(sys.argv[2])
ready, go = os.pipe(), os.pipe()
told, tell = os.pipe()
children = []
for _ in range(count):
    child = os.fork()
    if child == 0:
        os.write(ready[1], b".")
        os.read(go[0], 1)
        try:
            with RunFolder.open(folder).lock():
                said = "held"
                time.sleep(1.0)
        except StorageError as error:
            said = str(error)
        os.write(tell, (json.dumps([os.getpid(), said]) + "\\n").encode())
        os._exit(0)
    children.append(child)
waited = 0
while waited < count:
    waited += len(os.read(ready[0], count))
os.write(go[1], b"." * count)
for child in children:
    os.waitpid(child, 0)
os.close(tell)
print(os.read(told, 1 << 20).decode(), end="")
"""


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_of_fifty_who_want_a_run_at_once_one_gets_it_and_the_others_say_who(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, "alpha", name="wanted")

    done = subprocess.run(
        [sys.executable, "-c", FIFTY, str(run.folder), "50"],
        capture_output=True,
        text=True,
        check=True,
    )

    said = dict(json.loads(line) for line in done.stdout.splitlines())
    assert len(said) == 50
    winners = [process for process, text in said.items() if text == "held"]
    assert len(winners) == 1
    refusals = [text for text in said.values() if text != "held"]
    # Whoever asks before the winner has written its name can't know it.
    known = [text for text in refusals if f"in use by process {winners[0]} on" in text]
    unknown = [text for text in refusals if "in use by another process" in text]
    assert len(known) + len(unknown) == 49
    assert not (run.folder / "run.owner.json").exists()
