"""An environment as a stranger has it: the wheel and the example installed, no sources beside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = ("install", "--quiet", "--no-index", "--no-build-isolation", "--no-deps")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
CHANGES_WHAT_PYTHON_SEES = ("GANTK_", "PYTHON", "PYTEST", "COVERAGE", "COV_")


@dataclass(frozen=True)
class Installed:
    """A virtual environment outside the repository."""

    folder: Path
    wheel: Path
    example: Path
    """A copy of `plugins/example`."""

    def python(self, *words: str, here: Path) -> str:
        """Run Python in the folder `here` and return its standard output."""
        return run(str(self.folder / "bin" / "python"), *words, here=here)

    def gantk(self, *words: str, here: Path) -> str:
        """Run the command in the folder `here` and return its standard output."""
        return run(str(self.folder / "bin" / "gantk"), *words, here=here)

    def install(self, *what: str, here: Path) -> None:
        """Install something into it, by the pip of this environment."""
        run(*PIP, "--python", str(self.folder / "bin" / "python"), *INSTALL, *what, here=here)


def run(*words: str, here: Path) -> str:
    """Run a command to its end; fail with what it said."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(CHANGES_WHAT_PYTHON_SEES)
    }
    environment["GANTK_CACHE"] = str(here / "cache")
    done = subprocess.run(
        words, cwd=here, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words} gave {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel, install it and a copy of the example; nothing comes from a network.

    torch and the rest are those of this environment, seen through a `.pth` file: that brings their
    packages, but not the paths of an editable install.
    """
    if os.name == "nt":
        pytest.skip("the layout of a virtual environment is that of POSIX systems here")
    pytest.importorskip("pip")
    place = tmp_path_factory.mktemp("elsewhere")
    example = Path(shutil.copytree(ROOT / "plugins" / "example", place / "gantk-example"))
    build = ("wheel", *INSTALL[1:], "--wheel-dir", str(place))
    run(*PIP, *build, str(ROOT), here=place)
    (wheel,) = place.glob("*.whl")
    folder = place / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "heavy.pth").write_text("\n".join(ours) + "\n")
    made = Installed(folder, wheel, example)
    # Each its own call, as `gan-toolkit` is there before anybody installs a plugin.
    made.install("--ignore-installed", str(wheel), here=place)
    made.install(str(example), here=place)
    return made
