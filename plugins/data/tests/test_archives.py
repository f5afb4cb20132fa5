from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan_toolkit import DataError
from gantk_data.archives import open_tar, open_tree


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
    with tarfile.open(path, "w") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return path


def test_a_tar_and_its_folder_read_alike(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "x").write_bytes(b"one")
    (folder / "y").write_bytes(b"two")
    (folder / ".z").write_bytes(b"hidden")
    tar = pack(tmp_path / "t.tar", special(tarfile.DIRTYPE, "a"), regular("a/x", b"one"))
    with tarfile.open(tar, "a") as archive:
        member, data = regular("./y", b"two")
        archive.addfile(member, io.BytesIO(data))

    for path in (folder, tar):
        with open_tree(path) as tree:
            assert {name: tree.read(name) for name in tree.names()} == {"a/x": b"one", "y": b"two"}


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

    with open_tar(path) as tree, pytest.raises(DataError, match=fault) as caught:
        tree.names()

    assert repr(member[0].name) in str(caught.value)


def test_a_huge_member_is_refused_before_it_is_read(tmp_path: Path) -> None:
    member, _ = regular("huge")
    member.size = 1 << 40
    (tmp_path / "t.tar").write_bytes(member.tobuf())

    with open_tar(tmp_path / "t.tar") as tree, pytest.raises(DataError, match="the limit is"):
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

    with open_tar(path) as tree, pytest.raises(DataError, match=r"first|second"):
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

    with pytest.raises(DataError, match=r"t\.tar"), open_tar(tmp_path / "t.tar") as tree:
        tree.names()
