from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WATCHED = """
import json, os, pathlib, shutil, socket, subprocess, sys
from gan_toolkit.testing.audit import Audit
audit = Audit(pathlib.Path("inside"))
with audit.watching() as told:
    {act}
exec("unheard = 1")
print(json.dumps(told))
"""

ACTS = {
    "import wave": "import ('wave',)",
    "eval('1')": "exec (<code",
    "type(lambda: 0)(compile('1', 'x', 'eval'), {})": "function.__new__ (<code",
    "__import__('pickle').loads(b'cos\\nsystem\\n.')": "pickle.find_class ('os'",
    "subprocess.run([sys.executable, '-c', ''])": "subprocess.Popen",
    "os.system('true')": "os.system (b'true'",
    "os.waitpid(os.fork() or os._exit(0), 0)": "os.fork",
    "socket.socket().connect_ex(('127.0.0.1', 9))": "socket.connect",
    "open('x', 'w').close()": "open 'x'",
    "os.close(os.open('x', os.O_RDWR | os.O_CREAT))": "open 'x'",
    "pathlib.Path('inside/../y').mkdir()": "os.mkdir 'inside/../y'",
    "os.rename('inside/a', 'b')": "os.rename 'b'",
    "os.rename('a', 'inside/b')": "os.rename 'a'",
    "os.symlink('/etc', 'z')": "os.symlink '/etc'",
    "open('inside/link/x', 'w').close()": "open 'inside/link/x'",
    "shutil.rmtree('elsewhere')": "shutil.rmtree 'elsewhere'",
}


@pytest.fixture
def watch(tmp_path: Path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("a", "inside/a"):
        (tmp_path / name).touch()

    def run(act: str) -> list[str]:
        command = [sys.executable, "-c", WATCHED.format(act=act)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_whatever_runs_or_leads_out_is_heard(watch) -> None:
    unheard = {act: told for act, what in ACTS.items() if what not in " ".join(told := watch(act))}

    assert unheard == {}


def test_what_is_allowed_is_not_told(watch) -> None:
    quiet = (
        "open('a').close(); open('inside/b', 'w').close(); os.mkdir('inside/c'); "
        "open(os.devnull, 'w').close(); import json; os.rename('inside/b', 'inside/d')"
    )

    assert watch(quiet) == []
