"""`gantk plugins new`, as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gan_toolkit.cli.root import cli


def new(*words: str):
    return CliRunner().invoke(cli, ["plugins", "new", *words])


def test_it_says_what_was_written_and_what_to_do_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    told = new("wave", "--kinds", "latent,panel")

    assert told.exit_code == 0
    assert told.stdout == "gantk-wave\n"
    assert Path("gantk-wave/gantk_wave/latent.py").is_file()
    assert told.stderr.splitlines()[1:] == [
        "  pip install -e gantk-wave",
        "  gantk plugins check wave",
        "  python -m pytest gantk-wave",
        "  gantk run wave:wave",
    ]


def test_without_a_recipe_none_is_run(tmp_path):
    told = new("wave", "--kinds", "comparison", "--dir", str(tmp_path))

    assert told.exit_code == 0
    assert "gantk run" not in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["Wave", "--kinds", "latent"],
        ["wave"],
        ["wave", "--kinds", "latnt"],
        ["infogan", "--kinds", "latent"],
    ],
)
def test_bad_input_is_answered_in_one_line_and_nothing_is_written(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        cli(["plugins", "new", *words, "--dir", str(tmp_path)])

    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
