"""Names: those of runs become folders, those anywhere in a run get to a terminal."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
import tomlkit
from click.testing import CliRunner, Result

from gan_toolkit import files, load_plugins, load_recipe
from gan_toolkit.cli.root import cli
from gan_toolkit.errors import RecipeError
from gan_toolkit.runs import RunFolder
from gan_toolkit.testing.disks import HastyDisk

TINY = Path(__file__).parent.parent / "cli"
REFUSED = (
    "", ".", "..", "...", "../out", "a/b", "/tmp/out", "a\\b", "C:", "C:\\out", "c:out", "~",
    "~root", "$HOME", "${HOME}", "$(touch out)", "`touch out`", "a;b", "a|b", "a>out", "a&b", "*",
    "?", "[a]", "a b", " a", "a ", "-rf", "--help", ".hidden", "CON", "nul", "aux.txt", "COM1",
    "a.", "a\x00b", "a\nb", "\x1b[31ma", "\x1b]0;a\x07", "é", "\u202etxt", "😀", "\ud800",
    "a" * 101, "[bold]a", "[/]", "<b>", "'", '"', "%s", "{0}", "a:b", "a@1", "a,b", "a=b", "#a",
)  # fmt: skip
TAKEN = ("a", "A9_-.b", "0", "_", "a" * 100, "run.json", "latest", "None", "true", "a..b", "1e9")


@pytest.fixture
def gantk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Call the command line in this process, in a folder of its own, with the tiny plugin."""
    plugin = tmp_path / f"tiny_of_{tmp_path.parent.name.replace('-', '_')}.py"
    shutil.copy(TINY / "tiny_plugin.py", plugin)
    shutil.copy(TINY / "tiny.toml", tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(files, "disk", HastyDisk())

    def call(*arguments: str | Path) -> Result:
        sys.modules.pop(plugin.stem, None)
        return CliRunner().invoke(cli, ["-P", str(plugin), *map(str, arguments)])

    yield call
    sys.modules.pop(plugin.stem, None)


def tree(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize(
    "command",
    [
        ("run", "../tiny.toml", "--variant", "base", "--out", "runs", "--name"),
        ("resume",),
        ("sample", "-o", "x.png"),
        ("report",),
        ("runs", "show", "--out", "runs"),
    ],
    ids=lambda command: command[0],
)
def test_an_awkward_name_is_one_line_and_leads_nowhere(
    gantk: Callable[..., Result], tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert len(REFUSED) >= 40
    before = tree(tmp_path)

    for name in REFUSED:
        given = [f"--name={name}"] if command[-1] == "--name" else ["--", name]
        done = gantk(*command[: -1 if command[-1] == "--name" else None], *given)

        assert done.exit_code == 2, (name, done.output)
        assert len(done.stderr.splitlines()) == 1, (name, done.stderr)
        assert clean(done.output), (name, done.output)

    made = {tmp_path / "here" / "runs", tmp_path / "here" / "runs" / "tiny"}
    assert tree(tmp_path) - before <= made


def test_an_allowed_name_works_everywhere_and_on_windows(
    gantk: Callable[..., Result], tmp_path: Path
) -> None:
    for name in TAKEN:
        assert PureWindowsPath(name).name == name
        assert PureWindowsPath(name).drive == ""
        run = gantk(
            "run", "../tiny.toml", "--out", "runs", f"--name={name}", "--set", "run.steps=1"
        )
        assert run.exit_code == 0, run.output

    listed = gantk("runs", "list", "--out", "runs", "--json")
    assert {Path(run["run"]).name for run in json.loads(listed.stdout)} == set(TAKEN)
    for name in TAKEN[:3]:
        folder = f"runs/tiny/{name}"
        for command in (
            ("resume", folder),
            ("sample", folder, "-o", f"{name}.png"),
            ("report", folder),
        ):
            assert gantk(*command).exit_code == 0, (name, command)


@pytest.mark.parametrize("name", ["../../out", "/out", "..", "C:\\out", "a\nb", "\x1b[2J", ""])
def test_the_name_in_a_recipe_leads_nowhere(
    gantk: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    text = (tmp_path / "tiny.toml").read_text()
    (tmp_path / "tiny.toml").write_text(text.replace('"tiny"', json.dumps(name), 1))

    done = gantk("run", "../tiny.toml", "--out", "runs")

    assert done.exit_code == 2
    assert clean(done.output)
    assert not (tmp_path / "here" / "runs").is_dir() or tree(tmp_path / "here" / "runs") == set()


# --- terminals ---------------------------------------------------------------------------------

LOUD = "\x1b]0;t\x07\x1b[31m[bold]\x9b2J\r\u202eb\x00[/]\x7f"


def clean(text: str) -> bool:
    """Whether a text has no control character but line ends, none that turns it included."""
    return not any(unicodedata.category(c)[0] == "C" and c != "\n" for c in text)


def loud(value: Any, kept: tuple[str, ...]) -> Any:
    """Put control characters into each text and key of JSON or TOML."""
    if isinstance(value, dict):
        return {k if k in kept else k + LOUD: loud(v, kept) for k, v in value.items()} | {
            k: loud(v, kept) for k, v in value.items()
        }
    if isinstance(value, list):
        return [loud(inner, kept) for inner in value]
    return value + LOUD if isinstance(value, str) else value


def test_control_characters_of_a_run_never_get_to_a_terminal(
    gantk: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every text in every file of the run is loud; the commands may refuse it, in plain words."""
    options = ("--out", "runs", "--name", "a", "--set", "run.steps=4")
    assert gantk("run", "../tiny.toml", *options).exit_code == 0
    shutil.copytree("runs/tiny/a", "runs/tiny/b")
    run = RunFolder.open(Path("runs/tiny/a"))
    for path in [*run.folder.glob("*.json"), *run.folder.glob("evaluations/*.json")]:
        path.write_text(json.dumps(loud(json.loads(path.read_text()), ("id", "format"))))
    facts = json.loads((run.folder / "run.json").read_text())
    (run.folder / "run.json").write_text(json.dumps(facts | {"id": "0123abcd"}))
    lines = run.metrics.path.read_text().splitlines()
    run.metrics.path.write_text(
        "".join(json.dumps(loud(json.loads(line), ("event", "step"))) + "\n" for line in lines)
    )
    table = tomlkit.loads(run.resolved.read_text()).unwrap()
    run.resolved.write_text(tomlkit.dumps(loud(table, ("name", "use"))))

    monkeypatch.setattr("gan_toolkit.cli.recipe.is_terminal", lambda _: True)
    for command in (
        ("runs", "list", "--out", "runs"),
        ("runs", "list", "--out", "runs", "--json"),
        ("runs", "show", "runs/tiny/a"),
        ("runs", "prune", "--out", "runs", "--dry-run"),
        ("info", "runs/tiny/a"),
        ("info", f"runs/tiny/{LOUD.replace(chr(0), '')}"),
        ("compare", "runs/tiny/a", "runs/tiny/b"),
        ("recipe", "show", "runs/tiny/a/recipe.resolved.toml"),
        ("recipe", "validate", "runs/tiny/a/recipe.resolved.toml"),
        ("recipe", "explain", "runs/tiny/a/recipe.resolved.toml"),
        ("recipe", "diff", "runs/tiny/a", "runs/tiny/b"),
        ("resume", "runs/tiny/a"),
        ("evaluate", "runs/tiny/a"),
        ("report", "runs/tiny/a"),
        ("run", "../tiny.toml", "--set", f"data.{json.dumps(LOUD)}=1"),
        ("-vv", "run", f"../{LOUD.replace(chr(0), '')}.toml"),
    ):
        done = gantk(*command)
        assert clean(done.output), (command, done.output)
        assert done.exit_code != 1, (command, done.output)


@pytest.mark.skipif(os.name == "nt", reason="names of files")
def test_nothing_writes_a_table_that_a_spreadsheet_would_run(tmp_path: Path) -> None:
    """Tables hold numbers and names of ours; whoever writes other text must quote = + - @."""
    root = Path(files.__file__).parent
    sources = [*root.rglob("*.py"), *(root.parent / "plugins").glob("*/gantk_*/**/*.py")]
    writing = [path for path in sources if re.search(r"csv\.(Dict)?[wW]riter", path.read_text())]

    # Latents and files: the names of a recipe's tables are small letters, digits and '_'.
    assert [path.relative_to(root.parent / "plugins").as_posix() for path in writing] == [
        "exporters/gantk_exporters/images.py"
    ]
    (recipe := tmp_path / "odd.toml").write_text(
        'format = 1\nname = "odd"\nextends = "infogan_ring"\n[latents."=cmd"]\nuse = "gaussian"\n'
    )
    with pytest.raises(RecipeError, match='"=cmd": not a name'):
        load_recipe(recipe, load_plugins(environ={}))
