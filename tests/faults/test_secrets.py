"""Canaries in the environment, in HOME, in the current folder and in a secret: who sings where?

Nowhere: the value of a secret, what the recipe did not ask of the environment, HOME. An ordinary
text that asks for the environment is kept where the run can't be repeated without it: the resolved
recipe and the manifests of checkpoints, but neither in the report nor in the model file. The
current folder is what one typed oneself: a terminal may name it, a file of the run may not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

TINY = Path(__file__).parent.parent / "cli"
TRACKER = '''class KeptOptions(Options):
    token: Secret
    title: str = ""


class Kept(Tracker):
    """Uses its secret and keeps quiet about it; the report of it in an error is its options."""

    def __init__(self, token, title):
        assert token.reveal() == "canary-secret"
        self.token, self.title = token, title

    def log(self, record):
        raise RuntimeError(f"no connection as {self.token}")


'''
ADDED = {
    "from gan_toolkit.testing import parts\n": (
        "from gan_toolkit.interfaces import Tracker\n"
        "from gan_toolkit.recipe.options import Secret\n"
    ),
    "@hookimpl\ndef gantk_register": TRACKER,
    '    registry.add("latent", "tiny_noise"': (
        '    registry.add("tracker", "kept", options=KeptOptions, build=own + "Kept")\n'
    ),
}
"""What the tiny plugin gets besides, by what stands after it."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the tiny recipe, told by a tracker that has a secret."""
    here = tmp_path / "canary-folder"
    (tmp_path / "canary-home").mkdir()
    here.mkdir()
    plugin = (TINY / "tiny_plugin.py").read_text()
    for before, more in ADDED.items():
        assert plugin.count(before) == 1
        plugin = plugin.replace(before, more + before)
    (here / "tiny_plugin.py").write_text(plugin)
    text = (TINY / "tiny.toml").read_text()
    told = '[trackers.board]\nuse = "kept"\ntoken = "${env:CANARY_TOKEN}"\n'
    told += 'title = "as ${env:CANARY}"\n'
    (here / "tiny.toml").write_text(text + told)
    return here


def gantk(place: Path, *arguments: str) -> str:
    """Run a command as a process; return all it wrote."""
    environment = os.environ | {
        "CANARY": "canary-value",
        "CANARY_TOKEN": "canary-secret",
        "UNASKED_TOKEN": "canary-unasked",
        "HOME": str(place.parent / "canary-home"),
    }
    command = [sys.executable, "-m", "gan_toolkit", "-P", "./tiny_plugin.py", *arguments]
    done = subprocess.run(
        command, cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}"


def songs(content: bytes) -> set[str]:
    """Return which canaries are in a file, packed parts of pictures included."""
    found = content
    for start in (i for i in range(len(content)) if content[i : i + 4] == b"IDAT"):
        length = int.from_bytes(content[start - 4 : start], "big")
        try:
            found += zlib.decompress(content[start + 4 : start + 4 + length])
        except zlib.error:
            continue
    birds = ("canary-value", "canary-secret", "canary-unasked", "canary-home", "canary-folder")
    return {bird for bird in birds if bird.encode() in found}


def test_no_canary_sings_in_what_is_kept_or_printed(place: Path) -> None:
    said = gantk(place, "run", "tiny.toml", "--name", "one", "--out", "runs")
    assert said.startswith("0\n"), said
    run = place / "runs" / "tiny" / "one"
    for command in (
        ("resume", "runs/tiny/one", "--steps", "8"),
        ("sample", "runs/tiny/one", "-o", "samples.png"),
        ("info", "runs/tiny/one/model.safetensors"),
        ("-v", "runs", "list", "--out", "runs"),
    ):
        more = gantk(place, *command)
        assert more.startswith("0\n"), more
        said += more

    kept = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}

    assert {"recipe.toml", "recipe.resolved.toml", "log.txt", "report.html", "model.safetensors",
            "environment.txt", "metrics.jsonl", "run.json"} <= set(kept)  # fmt: skip
    heard = {name: found for name, path in kept.items() if (found := songs(path.read_bytes()))}
    repeated = {"recipe.resolved.toml", *(name for name in kept if name.endswith("MANIFEST.json"))}
    assert heard == {name: {"canary-value"} for name in repeated}
    assert songs((place / "samples.png").read_bytes()) == set()
    assert songs(said.encode()) <= {"canary-folder"}
    assert "no connection as Secret(" in (run / "log.txt").read_text()


def test_no_canary_sings_in_a_failure(place: Path) -> None:
    """An error of the recipe, a fault of a plugin with its traceback, a run that is not there."""
    recipe = (place / "tiny.toml").read_text()
    (place / "wrong.toml").write_text(recipe.replace("seed = 1", 'seed = "${env:CANARY_TOKEN}"'))
    (place / "plain.toml").write_text(recipe.replace("${env:CANARY_TOKEN}", "typed in plain"))
    faulty = recipe.replace('use = "tiny_two"', 'use = "tiny_broken"\nevery = 2')
    (place / "faulty.toml").write_text(faulty)

    said = [
        gantk(place, "-vv", "run", "wrong.toml"),
        gantk(place, "-vv", "run", "plain.toml"),
        gantk(place, "-v", "run", "faulty.toml", "--name", "two", "--out", "runs"),
        gantk(place, "resume", "runs/tiny/none"),
    ]

    assert [text[0] for text in said] == ["2", "2", "0", "2"], said
    assert songs("".join(said).encode()) <= {"canary-folder"}
    run = place / "runs" / "tiny" / "two"
    assert songs((run / "log.txt").read_bytes() + (run / "report.html").read_bytes()) == set()


def test_the_search_finds_a_canary(tmp_path: Path) -> None:
    assert songs(b"x canary-value y") == {"canary-value"}
    packed = zlib.compress(b"canary-secret" * 3)
    assert songs(len(packed).to_bytes(4, "big") + b"IDAT" + packed) == {"canary-secret"}
    shutil.rmtree(tmp_path)
