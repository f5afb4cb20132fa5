"""With every kind of broken plugin installed at once, the commands that help still do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from gan_toolkit.testing.distributions import lay

HOOK = "from gan_toolkit import hookimpl\n@hookimpl\n"
BROKEN = {
    "imports": "import nothing_there",
    "leaves": "raise SystemExit(3)",
    "argument": HOOK + "def gantk_register(registry, engine): ...",
    "new": "GANTK_API = (1, 4)",
    "misspelt": HOOK + "def gantk_registr(registry): ...",
    "unmarked": "def gantk_register(registry): ...",
    "version": "GANTK_API = 'x'",
    "half": HOOK
    + dedent("""\
        def gantk_register(registry):
            registry.add("latent", "half", build="nowhere:Half")
            registry.add("latent", "gaussian", build="nowhere:Half")
        """),
    "shy": "from gan_toolkit import SkipPlugin\nraise SkipPlugin('needs CUDA')",
    "commands": HOOK + "def gantk_commands(cli): raise RuntimeError('no commands')",
    "recipes": HOOK + "def gantk_recipes(): raise RuntimeError('no recipes')",
    "checks": HOOK + "def gantk_checks(): raise RuntimeError('no checks')",
    "builds": HOOK
    + dedent("""\
        def gantk_register(registry):
            registry.add("latent", "castle", build="in_the_air:Castle", summary="a castle")
        """),
}
STATUS = {
    **dict.fromkeys(BROKEN, "failed"),
    **dict.fromkeys(("commands", "recipes", "checks", "builds"), "loaded"),
    "new": "incompatible",
    "shy": "skipped",
    "rival": "duplicate",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name, code in BROKEN.items():
        lay(folder, name, code)
    lay(folder, "rival", "raise RuntimeError('never imported')", entry="latents")
    return folder


def gantk(site: Path, *words: str, also: Path | None = None) -> subprocess.CompletedProcess[str]:
    given = (site, also, os.environ.get("PYTHONPATH"))
    path = os.pathsep.join(str(part) for part in given if part)
    return subprocess.run(
        [sys.executable, "-m", "gan_toolkit", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("plugins", "list"),
        ("plugins", "info", "imports"),
        ("components", "list"),
        ("recipe", "list"),
        ("recipe", "validate", "infogan_mnist"),
        ("completion", "bash"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_commands_that_help_end_well(site: Path, words: tuple[str, ...]) -> None:
    done = gantk(site, *words)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_each_is_listed_with_what_became_of_it(site: Path) -> None:
    done = gantk(site, "plugins", "list", "--json")

    records = [r for r in json.loads(done.stdout) if r["distribution"] != "gan-toolkit"]
    found = {record["distribution"].removeprefix("gantk-"): record for record in records}
    assert {name: found[name]["status"] for name in STATUS} == STATUS
    assert found["commands"]["notes"] == ["gantk_commands raised RuntimeError: no commands"]
    assert found["recipes"]["notes"] == ["gantk_recipes raised RuntimeError: no recipes"]
    assert found["rival"]["reason"].startswith("already provided by gan-toolkit")
    assert "'castle'" not in done.stderr


def test_the_doctor_tells_of_hooks_that_raised(site: Path) -> None:
    findings = json.loads(gantk(site, "doctor", "--json").stdout)

    told = {f["what"]: f["found"] for f in findings if not f["well"]}
    assert told["plugin checks"] == "gantk_checks raised RuntimeError: no checks"
    assert told["plugin imports"].startswith("failed: ModuleNotFoundError")


def test_check_finds_what_each_of_them_does_wrong(site: Path, tmp_path: Path) -> None:
    names = [*(name for name in STATUS if name != "rival"), "heavy"]
    lay(tmp_path, "heavy", "import torch\n" + HOOK + "def gantk_recipes(): return []")

    done = gantk(site, "plugins", "check", "--json", *names, also=tmp_path)

    failed = {
        finding["plugin"]: finding["detail"]
        for finding in json.loads(done.stdout)
        if finding["outcome"] == "failed"
    }
    assert done.returncode == 3
    assert set(failed) == set(names) - {"shy"}
    taken = "latent 'gaussian' is already registered by latents; block one of the two"
    assert failed["half"] == f"failed: {taken}"
    assert failed["new"] == "incompatible: needs plugin API 1.4, this is 1.0"
    assert failed["checks"] == "gantk_checks raised RuntimeError: no checks"
    assert failed["heavy"] == "its module loads torch, or can't be imported by itself"
    assert "'castle' can't be built from 'in_the_air:Castle'" in failed["builds"]
    assert done.stderr.splitlines()[-1].endswith("checks failed")
