from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gan_toolkit.cli.root import SECTIONS, Root, cli
from gan_toolkit.cli.session import Session
from gan_toolkit.plugins import load_plugins

NAMES = [name for section in SECTIONS.values() for name in section]


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture
def plugin_with_commands(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "cli_shouter.py"
    path.write_text(
        "import click\n"
        "from gan_toolkit import hookimpl\n"
        "@hookimpl\n"
        "def gantk_commands(cli):\n"
        "    @cli.command(short_help='Shout.')\n"
        "    def shout():\n"
        "        click.echo('HA')\n"
    )
    yield str(path)
    sys.modules.pop("cli_shouter", None)


@pytest.fixture
def plugin_in_a_group(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    def write(name: str) -> str:
        path = tmp_path / "cli_guest.py"
        path.write_text(
            "import click\n"
            "from gan_toolkit import hookimpl\n"
            "@hookimpl\n"
            "def gantk_commands(cli):\n"
            "    @click.command(short_help='Shout.')\n"
            "    def shout():\n"
            "        click.echo('HA')\n"
            f"    cli.add_command(shout, {name!r})\n"
        )
        return str(path)

    yield write
    sys.modules.pop("cli_guest", None)


def test_a_plugin_adds_a_command_to_a_group(
    runner: CliRunner, plugin_in_a_group: Callable[[str], str]
) -> None:
    switch = plugin_in_a_group("data shout")

    shouted = runner.invoke(cli, ["-P", switch, "data", "shout"])
    within = runner.invoke(cli, ["-P", switch, "data", "--help"])
    above = runner.invoke(cli, ["-P", switch, "--help"])
    without = runner.invoke(cli, ["data", "shout"])

    assert shouted.stdout == "HA\n"
    assert "Shout." in within.stdout
    assert "Shout." not in above.stdout
    assert without.exit_code == 2


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("data list", "the command 'data list' exists already"),
        ("nowhere shout", "there is no group 'nowhere'"),
        ("run shout", "there is no group 'run'"),
    ],
)
def test_a_plugin_takes_no_command_of_a_group(
    plugin_in_a_group: Callable[[str], str], name: str, complaint: str
) -> None:
    root = Root("gantk")
    host = load_plugins([plugin_in_a_group(name)])

    host.add_commands(root)

    assert name not in root.commands
    assert any(complaint in note for record in host.records for note in record.notes)


def test_a_plugin_whose_commands_clash_is_suspected_of_an_unknown_one(
    runner: CliRunner, plugin_in_a_group: Callable[[str], str]
) -> None:
    switch = plugin_in_a_group("data list")

    results = [runner.invoke(cli, ["-P", switch, *words]) for words in (["rnu"], ["data", "lst"])]

    note = "plugin 'cli_guest' adds none: gantk_commands raised ValueError: the command 'data list'"
    assert [result.exit_code for result in results] == [3, 3]
    assert [result.stderr for result in results] == [
        f"gantk: no command is named 'rnu'; {note} exists already; did you mean 'run'?\n",
        f"gantk: no command is named 'lst'; {note} exists already; did you mean 'list'?\n",
    ]


@pytest.mark.parametrize("command", [["info", "cli_guest"], ["list"], ["check", "cli_guest"]])
def test_a_taken_command_is_told_of_wherever_plugins_are(
    runner: CliRunner, plugin_in_a_group: Callable[[str], str], command: list[str]
) -> None:
    result = runner.invoke(cli, ["-P", plugin_in_a_group("run"), "plugins", *command])

    assert "gantk_commands raised ValueError: the command 'run' exists already" in result.stdout


def test_help_names_every_command(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["--help"])

    assert result.exit_code == 0
    assert all(f"  {name} " in result.stdout for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help(runner: CliRunner, name: str) -> None:
    result = runner.invoke(cli, [name, "--help"])

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: gantk {name}")


def test_a_near_miss_is_named(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["rnu"])

    assert result.exit_code == 2
    assert result.stderr == (
        "gantk: no command is named 'rnu'; did you mean 'run'?; see: gantk --help\n"
    )


def test_a_near_miss_in_a_group_is_named(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["plugins", "lst"])

    assert result.exit_code == 2
    assert "did you mean 'list'?" in result.stderr


def test_a_wrong_option_is_one_line(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["run", "x", "--stepz", "3"])

    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "--steps" in result.stderr


def test_version(runner: CliRunner) -> None:
    import gan_toolkit

    result = runner.invoke(cli, ["--version"])

    assert result.stdout == f"gan-toolkit, version {gan_toolkit.__version__}\n"


def test_a_plugin_adds_a_command(runner: CliRunner, plugin_with_commands: str) -> None:
    shown = runner.invoke(cli, ["-P", plugin_with_commands, "--help"])
    sys.modules.pop("cli_shouter")
    called = runner.invoke(cli, ["-P", plugin_with_commands, "shout"])

    assert "From plugins" in shown.stdout
    assert called.stdout == "HA\n"


def test_a_plugin_command_is_gone_without_the_plugin(
    runner: CliRunner, plugin_with_commands: str
) -> None:
    runner.invoke(cli, ["-P", plugin_with_commands, "shout"])

    assert runner.invoke(cli, ["shout"]).exit_code == 2


def test_nobody_replaces_a_command_of_ours() -> None:
    with pytest.raises(ValueError, match="'run' exists already"):
        cli.add_command(click.Command("run"))


def test_the_plugin_switch_is_understood_before_and_after_the_command(runner: CliRunner) -> None:
    for arguments in (
        ["-P", "no:nobody", "plugins", "list"],
        ["plugins", "list", "-P", "no:nobody"],
    ):
        result = runner.invoke(cli, arguments)

        assert result.exit_code == 2
        assert "no plugin is named 'nobody'" in result.stderr


def test_a_session_is_made_for_each_call(runner: CliRunner) -> None:
    session = Session()

    runner.invoke(cli, ["-v", "completion", "bash"], obj=session)

    assert session.verbosity == 1
