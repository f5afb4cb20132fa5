from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from gan_toolkit import DataError
from gantk_data.archives import ARCHIVES, Limits, expansion, open_tree


def regular(name: str, data: bytes = b"contents") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def special(kind: bytes, name: str = "special") -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = "/etc/passwd"
    return member, b""


def pack(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    packer = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{packer}") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return path


FILES = {"e": b"", "b/ü.txt": b"drei", "a/y": b"\0" * 1024, "a/x": b"one"}


def written(path: Path) -> Path:
    """FILES and some that don't count, as what the name says."""
    hidden = {".z": b"0", "__MACOSX/a/._x": b"1", "a/.DS_Store": b"2"}
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.mkdir("a")
            for name, data in (FILES | hidden).items():
                archive.writestr(name, data)
    elif path.name.endswith(ARCHIVES):
        members = [regular("./" + name, data) for name, data in (FILES | hidden).items()]
        pack(path, special(tarfile.DIRTYPE, "a"), *members)
    else:
        for name, data in (FILES | hidden).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    return path


KINDS = ("folder", *(f"a{suffix}" for suffix in ARCHIVES))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_and_its_archives_read_alike(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / kind)

    with open_tree(path) as tree:
        names = tree.names()
        read = {name: tree.read(name) for name in reversed(names)}
        all_of_it = list(tree.each())
        some = list(tree.each({"b/ü.txt", "a/x", "not there"}))

    assert read == FILES
    assert all_of_it == [(name, FILES[name]) for name in names]
    assert dict(some) == {"a/x": b"one", "b/ü.txt": b"drei"}


@pytest.mark.parametrize("kind", KINDS)
def test_files_come_in_the_order_of_the_archive_or_sorted(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / kind)

    with open_tree(path) as tree:
        assert tree.names() == (sorted(FILES) if kind == "folder" else list(FILES))


def test_contents_decide_what_an_archive_is(tmp_path: Path) -> None:
    gzipped = written(tmp_path / "a.tar.gz").rename(tmp_path / "wrongly_named.tar")

    with open_tree(gzipped) as tree:
        assert tree.read("a/x") == b"one"


@pytest.mark.parametrize("kind", KINDS)
def test_the_limits_are_parameters(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / kind)

    with (
        open_tree(path, Limits(largest=1023)) as tree,
        pytest.raises(DataError, match=r"a/y.*1,024 bytes, the limit is 1,023"),
    ):
        tree.read("a/y")


def test_a_compressed_tar_is_read_in_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.tar.gz")
    opened = []

    def counted(raw: IO[bytes]) -> gzip.GzipFile:
        opened.append(raw)
        return gzip.GzipFile(fileobj=raw)

    monkeypatch.setitem(expansion.COMPRESSIONS, b"\x1f\x8b", counted)

    with open_tree(path) as tree:
        assert dict(tree.each(FILES)) == FILES

    assert len(opened) == 1


@pytest.mark.parametrize(
    ("member", "fault"),
    [
        (regular("../out"), "leads out"),
        (regular("a/../../out"), "leads out"),
        (regular("/etc/passwd"), "leads out"),
        (regular("C:/out"), "leads out"),
        (regular("a\\..\\..\\out"), "character"),
        (special(tarfile.SYMTYPE), "neither"),
        (special(tarfile.LNKTYPE), "neither"),
        (special(tarfile.CHRTYPE), "neither"),
        (special(tarfile.FIFOTYPE), "neither"),
        (regular("good"), "occurs twice"),
    ],
)
def test_a_dishonest_member_is_named(
    tmp_path: Path, member: tuple[tarfile.TarInfo, bytes], fault: str
) -> None:
    path = pack(tmp_path / "t.tar", regular("good"), member)

    with open_tree(path) as tree, pytest.raises(DataError, match=fault) as caught:
        tree.names()

    assert repr(member[0].name) in str(caught.value)


def test_a_huge_member_is_refused_before_it_is_read(tmp_path: Path) -> None:
    member, _ = regular("huge")
    member.size = 1 << 40
    (tmp_path / "t.tar").write_bytes(member.tobuf())

    with open_tree(tmp_path / "t.tar") as tree, pytest.raises(DataError, match="the limit is"):
        tree.names()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:1024],  # after the first member, where tarfile sees a plain end
        lambda data: data[:1300],  # within the second header
        lambda data: data[:1700],  # within the second member
        lambda data: data[:1024] + b"\xff" * 512 + data[1536:],  # a header overwritten
    ],
)
def test_a_cut_or_damaged_tar_is_never_taken_for_a_short_one(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = pack(tmp_path / "t.tar", regular("first"), regular("second", bytes(600)))
    path.write_bytes(damage(path.read_bytes()))

    with open_tree(path) as tree, pytest.raises(DataError, match=r"first|second"):
        tree.names()


@pytest.mark.parametrize("kind", ["tar", "folder"])
def test_the_stamp_follows_sizes_and_times(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "files" / "t.tar"
    file.parent.mkdir()
    path = file if kind == "tar" else file.parent

    def stamp(members: int, time: int) -> str:
        pack(file, *[regular(str(number), bytes(20_000)) for number in range(members)])
        os.utime(file, (time, time))
        with open_tree(path) as tree:
            return tree.stamp()

    assert stamp(1, 10) == stamp(1, 10)
    assert len({stamp(1, 10), stamp(2, 10), stamp(1, 11)}) == 3


@pytest.mark.parametrize("data", [b"", b"x" * 2000])
def test_what_is_not_a_tar_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.tar").write_bytes(data)

    with pytest.raises(DataError, match=r"t\.tar"), open_tree(tmp_path / "t.tar") as tree:
        tree.names()
