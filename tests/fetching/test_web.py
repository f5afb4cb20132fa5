"""One file over HTTP: whole and right, or not there."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit import files
from gan_toolkit.errors import PluginError, StorageError
from gan_toolkit.fetching import web
from gan_toolkit.fetching.parts import Part, Version
from gan_toolkit.fetching.wanted import NotGot, Wanted
from gan_toolkit.sources import SourceFile
from gan_toolkit.testing.disks import HastyDisk
from gan_toolkit.testing.servers import Page, Site, serving

BODY = bytes(range(256)) * 4096


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    with serving() as there:
        there.pages["/a"] = Page(BODY)
        yield there


class Folder:
    """Where things are put, and what became of it."""

    def __init__(self, root: Path, site: Site) -> None:
        self.root, self.site = root, site
        self.told: list[tuple[str, int, int]] = []

    def wanted(self, page: str = "/a", **known: Any) -> Wanted:
        return Wanted("set/a", self.root / "set" / "a", self.site.address + page, **known)

    def get(self, wanted: Wanted | None = None, timeout: float = 5.0) -> None:
        web.download(wanted or self.wanted(), lambda *what: self.told.append(what), timeout)

    def cut(self, after: int = 300_000) -> None:
        """Get the beginning of the file only."""
        self.site.pages["/a"].stop_after = after
        with pytest.raises(NotGot):
            self.get()
        self.site.pages["/a"].stop_after = None

    @property
    def there(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.root / "set").iterdir()}


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Folder:
    return Folder(tmp_path, site)


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"size": len(BODY)},
        {"md5": md5(BODY)},
        {"sha256": hashlib.sha256(BODY).hexdigest()},
        {"contents": SourceFile("a", len(BODY), md5(BODY))},
    ],
    ids=lambda known: "+".join(known) or "nothing",
)
@pytest.mark.parametrize("announces", [True, False])
def test_a_file_is_got_whole(folder: Folder, known: dict[str, Any], announces: bool) -> None:
    folder.site.pages["/a"].announces = announces

    folder.get(folder.wanted(**known))

    assert folder.there == {"a": BODY}


def test_progress_ends_at_the_whole(folder: Folder) -> None:
    folder.get()

    assert folder.told[-1] == ("set/a", len(BODY), len(BODY))
    assert [done for _, done, _ in folder.told] == sorted(done for _, done, _ in folder.told)


# --- going on --------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [{}, {"tag": "", "changed": "Sat, 01 Jan 2022 00:00:00 GMT"}])
def test_after_a_cut_only_the_rest_is_asked_for(folder: Folder, page: dict[str, str]) -> None:
    folder.site.pages["/a"] = Page(BODY, **page)
    folder.cut(300_000)

    folder.get()

    assert folder.there == {"a": BODY}
    assert folder.site.asked == [("/a", ""), ("/a", "bytes=300000-")]


def test_a_cut_is_told_with_what_had_come(folder: Folder) -> None:
    folder.site.pages["/a"].stop_after = 1000

    with pytest.raises(NotGot, match=r"/a: the connection ended after 1,000 of 1,048,576 bytes"):
        folder.get()

    assert folder.there["a.part"] == BODY[:1000]
    assert "a" not in folder.there


@pytest.mark.parametrize(
    "now",
    [
        Page(BODY[::-1], tag='"two"'),
        Page(BODY[::-1], tag='"two"', minds_if_range=False),
        Page(BODY[::-1], tag="", changed="Sat, 01 Jan 2022 00:00:00 GMT", minds_if_range=False),
        Page(BODY[::-1] + b"more", minds_if_range=False),
        Page(BODY[:200_000], tag='"two"', minds_if_range=False),
        Page(BODY[::-1], tag='"two"', ranges=False),
    ],
    ids=["If-Range", "another tag", "a time", "another length", "shorter than the part", "whole"],
)
def test_a_file_that_has_changed_is_never_spliced(folder: Folder, now: Page) -> None:
    folder.cut()
    folder.site.pages["/a"] = now

    folder.get()

    assert folder.there == {"a": now.body}


@pytest.mark.parametrize("page", [{"tag": ""}, {"tag": 'W/"weak"'}])
def test_a_file_that_can_t_be_told_from_another_is_got_anew(
    folder: Folder, page: dict[str, str]
) -> None:
    folder.site.pages["/a"] = Page(BODY, **page)
    folder.cut()

    folder.get()

    assert [span for _, span in folder.site.asked] == ["", ""]
    assert folder.there == {"a": BODY}


def test_a_server_without_parts_sends_all_again(folder: Folder) -> None:
    folder.site.pages["/a"].ranges = False
    folder.cut()

    folder.get()

    assert folder.there == {"a": BODY}


@pytest.mark.parametrize("marks", ["{", "[]", '{"url": 3}', '{"url": "x", "size": "y"}', "null"])
def test_a_part_whose_marks_are_damaged_is_got_anew(folder: Folder, marks: str) -> None:
    folder.cut()
    (folder.root / "set" / "a.part.json").write_text(marks)

    folder.get()

    assert folder.site.asked[-1] == ("/a", "")
    assert folder.there == {"a": BODY}


def test_the_part_of_another_address_is_not_gone_on_with(folder: Folder) -> None:
    folder.cut()
    folder.site.pages["/b"] = Page(BODY[::-1])

    folder.get(folder.wanted("/b"))

    assert folder.there == {"a": BODY[::-1]}


def test_a_whole_part_needs_no_server(folder: Folder) -> None:
    """The process was killed after the last byte and before the name."""
    wanted = folder.wanted()
    wanted.place.parent.mkdir()
    part = Part(wanted.place)
    part.path.write_bytes(BODY)
    part.marks.write_text(json.dumps(Version(wanted.origin, '"one"', len(BODY))._asdict()))

    folder.get(wanted)

    assert folder.there == {"a": BODY}
    assert folder.site.asked == []


# --- what is wrong ---------------------------------------------------------------------------


def test_a_wrong_sum_is_told_with_both_values_and_nothing_is_kept(folder: Folder) -> None:
    with pytest.raises(NotGot, match=f"has md5 {md5(BODY)}, expected {'0' * 32}"):
        folder.get(folder.wanted(md5="0" * 32))

    assert folder.there == {}


def test_a_splice_by_a_server_that_lies_is_found_by_the_sum(folder: Folder) -> None:
    folder.cut()
    folder.site.pages["/a"].body = BODY[::-1]

    with pytest.raises(NotGot, match="has md5"):
        folder.get(folder.wanted(md5=md5(BODY)))

    assert folder.there == {}


@pytest.mark.parametrize("known", [{"size": 99}, {"contents": SourceFile("a", 99)}])
def test_a_file_of_another_size_is_not_begun(folder: Folder, known: dict[str, Any]) -> None:
    with pytest.raises(NotGot, match=r"/a has 1,048,576 bytes, expected (at most )?\d"):
        folder.get(folder.wanted(**known))

    assert folder.told == []
    assert folder.there == {}


def test_a_server_that_never_ends_is_stopped(folder: Folder) -> None:
    folder.site.pages["/a"].announces = False

    with pytest.raises(NotGot, match="sends more than the 1,000 bytes it can have"):
        folder.get(folder.wanted(size=1000))

    assert folder.there == {}


def test_more_than_was_announced_is_not_read(folder: Folder) -> None:
    folder.site.pages["/a"].claims = 1000

    folder.get()

    assert folder.there == {"a": BODY[:1000]}


def test_less_than_was_announced_is_a_cut(folder: Folder) -> None:
    folder.site.pages["/a"].claims = len(BODY) + 1

    with pytest.raises(NotGot, match="ended after"):
        folder.get()


def test_a_copy_packed_by_another_is_right_if_its_contents_are(folder: Folder) -> None:
    folder.site.pages["/a"].body = gzip.compress(BODY, 1)
    contents = SourceFile("a", len(BODY), md5(BODY))
    place = folder.root / "set" / "a.gz"
    url = folder.site.address + "/a"

    folder.get(Wanted("set/a.gz", place, url, md5="0" * 32, contents=contents))

    assert gzip.decompress(place.read_bytes()) == BODY


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (gzip.compress(BODY + b"more"), "has more than 1,048,576 bytes"),
        (gzip.compress(BODY[::-1]), r"has md5 \w+, expected \w+ \(unpacked\)"),
        (gzip.compress(BODY)[:-9], "can't be unpacked"),
        (BODY, "can't be unpacked"),
    ],
)
def test_wrong_contents_are_named(folder: Folder, body: bytes, text: str) -> None:
    folder.site.pages["/a"].body = body
    contents = SourceFile("a", len(BODY), md5(BODY))
    url = folder.site.address + "/a"

    with pytest.raises(NotGot, match=text):
        folder.get(Wanted("set/a.gz", folder.root / "set" / "a.gz", url, contents=contents))


# --- the way there ---------------------------------------------------------------------------


def test_redirects_are_followed(folder: Folder) -> None:
    folder.site.pages["/b"] = Page(code=302, to="/a")

    folder.get(folder.wanted("/b"))

    assert folder.there == {"a": BODY}


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:,a"])
def test_redirects_lead_to_the_web_only(folder: Folder, to: str) -> None:
    folder.site.pages["/b"] = Page(code=302, to=to)

    with pytest.raises(NotGot, match="the server answered 302"):
        folder.get(folder.wanted("/b"))

    assert folder.there == {}


def test_redirects_end(folder: Folder) -> None:
    folder.site.pages["/b"] = Page(code=302, to="/b")

    with pytest.raises(NotGot, match="the server answered 302"):
        folder.get(folder.wanted("/b"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a", "a", "//host/a"])
def test_other_addresses_are_refused(folder: Folder, url: str) -> None:
    with pytest.raises(PluginError, match="is no address"):
        folder.get(Wanted("set/a", folder.root / "set" / "a", url))


@pytest.mark.parametrize("code", [404, 403, 500, 204])
def test_what_the_server_says_is_told(folder: Folder, code: int) -> None:
    folder.site.pages["/a"] = Page(code=code)

    with pytest.raises(NotGot, match=f"/a: the server answered {code} "):
        folder.get()


def test_a_server_that_hangs_is_given_up(folder: Folder) -> None:
    folder.site.pages["/a"].waits = 3.0

    with pytest.raises(NotGot, match=r"/a: nothing came for 0\.2 seconds"):
        folder.get(timeout=0.2)


def test_nobody_at_home_is_told(folder: Folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a"

        with pytest.raises(NotGot, match="Connection refused"):
            folder.get(Wanted("set/a", folder.root / "set" / "a", url))


def test_a_host_that_is_not_there_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(NotGot, match=r"its host can't be found \(Name or service not known\)"):
        folder.get()


def test_plain_text_where_tls_should_be_is_told(folder: Folder) -> None:
    url = folder.site.address.replace("http:", "https:") + "/a"

    with pytest.raises(NotGot, match="no secure connection"):
        folder.get(Wanted("set/a", folder.root / "set" / "a", url))


# --- the disk --------------------------------------------------------------------------------


def test_too_little_space_is_told_before_anything_comes(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 0, 10))

    with pytest.raises(StorageError, match="has 10 bytes free and 1,048,576 are needed"):
        folder.get()

    assert folder.told == []


def test_what_is_there_needs_no_space_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.cut(1_000_000)
    usage = shutil._ntuple_diskusage(10, 0, 50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    folder.get()

    assert folder.there == {"a": BODY}


def test_a_full_disk_is_told_and_what_came_is_kept(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(HastyDisk):
        def write(self, path: Path, handle: int, data: bytes) -> None:
            if folder.told:
                raise OSError(28, "No space left on device")
            super().write(path, handle, data)

    monkeypatch.setattr(files, "disk", Full())

    with pytest.raises(StorageError, match="disk full"):
        folder.get()
    monkeypatch.setattr(files, "disk", HastyDisk())
    folder.get()

    assert folder.there == {"a": BODY}
    assert folder.site.asked[-1][1].startswith("bytes=")
