"""What must answer at once never loads torch or NumPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = Path(__file__).parents[2] / "recipes" / "infogan_ring.toml"

PROBE = """
import sys
from gan_toolkit.cli.root import cli
try:
    cli(sys.argv[1:], prog_name="gantk")
finally:
    slow = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "optuna"}
    heavy = sorted(slow & set(sys.modules))
    print("HEAVY", heavy, file=sys.stderr)
"""


def gantk(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("sweep", "--help"),
        ("report", "--help"),
        ("plugins", "list"),
        ("components", "list"),
        ("data", "list"),
        ("data", "fetch", "mnist", "--dry-run"),
        ("recipe", "list"),
        ("recipe", "validate", "infogan_mnist"),
        ("recipe", "schema"),
        ("recipe", "diff", "infogan_ring", "infogan_digits"),
        ("recipe", "explain", "regularisers.information.weight", "infogan_ring"),
        ("recipe", "migrate", str(RECIPE)),
        ("completion", "bash"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_quick_commands_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    result = gantk(*arguments)

    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1] == "HEAVY []"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("gantk re", ["plain,resume", "plain,report", "plain,recipe"]),
        ("gantk run infogan_ring --set run.crit", ["plain,run.critic_steps="]),
        ("gantk resume no", ["file,no"]),
        ("gantk sweep infogan_r", ["plain,infogan_ring"]),
        ("gantk sweep infogan_ring --set run.crit", ["plain,run.critic_steps="]),
    ],
)
def test_completion_loads_nothing_heavy(line: str, offered: list[str]) -> None:
    result = gantk(_GANTK_COMPLETE="bash_complete", COMP_LINE=line, COMP_WORDBREAKS=" =")

    assert result.stdout.split() == offered
    assert result.stderr.splitlines()[-1] == "HEAVY []"


def test_python_m_is_the_same_program() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "gan_toolkit", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.startswith("gan-toolkit, version ")


def test_threads_wait_passively_unless_told_otherwise() -> None:
    import os

    code = (
        "import os, sys, gan_toolkit.cli\n"
        "sys.argv = ['gantk', '--version']\n"
        "try: gan_toolkit.cli.main()\n"
        "finally: print(os.environ['OMP_WAIT_POLICY'])\n"
    )
    clean = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
        ).stdout.split()[-1]
        for env in (clean, clean | {"OMP_WAIT_POLICY": "active"})
    ]

    assert said == ["passive", "active"]
