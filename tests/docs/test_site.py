"""Sphinx makes a site of the pages, without a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_site_is_built_without_a_warning_and_shows_every_public_name(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    made = subprocess.run(
        [*command, "-d", tmp_path / "cache", DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (made.returncode, made.stderr) == (0, "")
    shown = (tmp_path / "site" / "reference" / "api.html").read_text(encoding="utf-8")
    assert 'id="gan_toolkit.interfaces.Latent.posterior"' in shown
