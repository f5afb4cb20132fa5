"""The folders of `docs/reference/data_files.md`, each opened as a user would."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, Batches, DataError
from gantk_data.archives import open_tree
from gantk_data.readers.image_folder import image_folder

UNDECODABLE = b"x\xff\xfe.png"

Change = Callable[[Path], object]


def read(root: Path, **options: Any) -> ArrayDataset:
    given = {"classes": False, "resize": "crop", "background": "white", "skip_bad": False}
    given |= {"size": 4, "channels": 1, "max_pixels": 64_000_000}
    given |= {"labels": None, "label": None, "factors": None}
    return image_folder(root, **given | options)


def greys(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


def save(path: Path, grey: int = 9) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (4, 4), grey).save(path, "PNG")
    return path


def outside(root: Path) -> Path:
    return save(root.parent / "outside" / "o.png")


def bind(path: Path) -> None:
    """A socket; its address must be short, so it is bound from its own folder."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def undecodable(root: Path) -> str:
    return f"{root}/{os.fsdecode(UNDECODABLE)}"


# Each changes a folder that holds a.png (grey 1) and z.png (grey 2). What it adds is grey 9.
READ: dict[str, Change] = {
    "F03": lambda root: (root / "x.png").symlink_to(save(root / ".kept" / "k.png")),
    "F04": lambda root: (root / "x.png").symlink_to(outside(root)),
    "F12": lambda root: save(root / "x 'y' \"z\" $(w).png"),
    "F13": lambda root: save(root / "x\ny.png"),
    "F14": lambda root: save(root / "x ü 画.png"),
    "F15": lambda root: save(Path(undecodable(root))),
    "F23": lambda root: save(root / "x.PNG"),
    "F31": lambda root: save(root / "A.png").rename(root / "d.PnG"),
}
LEFT_OUT: dict[str, Change] = {
    "F01": lambda root: save(root / ".x.png"),
    "F02": lambda root: (save(root / ".x" / "x.png"), save(root / "__MACOSX" / "x.png")),
    "F05": lambda root: (root / "x").symlink_to(outside(root).parent),
    "F06": lambda root: (root / "x").symlink_to(root),
    "F09": lambda root: os.mkfifo(root / "x.png"),
    "F10": lambda root: bind(root / "x.png"),
    "F11": lambda root: (root / "x.png").symlink_to("/dev/zero"),
    "F27": lambda root: (root / "x.png").mkdir(),
}
BAD: dict[str, tuple[Change, str]] = {
    "F07": (
        lambda root: (root / "x.png").symlink_to(root / "nowhere"),
        "x.png: it can't be read: No such file or directory",
    ),
    "F08": (
        lambda root: (root / "x.png").symlink_to(root / "x.png"),
        "x.png: it can't be read: Too many levels of symbolic links",
    ),
    "F24": (lambda root: (root / "x.png").write_bytes(b"text"), "x.png: not a picture"),
}
# Each makes a folder from nothing.
EMPTY: dict[str, tuple[Change, str]] = {
    "F19": (lambda root: None, "saw 0 files with other suffixes;"),
    "F20": (lambda root: (root / "a" / "b").mkdir(parents=True), "saw 0 files"),
    "F21": (lambda root: save(root / ".x.png"), "saw 0 files"),
    "F22": (
        lambda root: [(root / f"{n}.t\nt").write_bytes(b"x") for n in range(12)],
        r"saw 12 files with other suffixes (.t\nt 12)",
    ),
    "F28": (
        lambda root: (root.rmdir(), root.write_bytes(b"x")),
        "is neither a folder nor an archive",
    ),
    "F29": (lambda root: root.rmdir(), "there is no folder"),
}
# Rows with a test of their own.
OTHERS = {
    "F16": "refused",
    "F17": "refused",
    "F18": "read",
    "F25": "left out",
    "F26": "refused",
    "F30": "read",
    "F32": "read",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    save(root / "a.png", 1)
    save(root / "z.png", 2)
    return root


def test_every_row_is_tested_and_every_test_has_its_row(
    documented: Callable[[str], dict[str, str]],
) -> None:
    assert documented("F") == {
        **dict.fromkeys(READ, "read"),
        **dict.fromkeys(LEFT_OUT, "left out"),
        **dict.fromkeys(BAD, "refused"),
        **dict.fromkeys(EMPTY, "refused"),
        **OTHERS,
    }


@pytest.mark.parametrize("row", READ)
def test_what_counts_is_read(root: Path, row: str) -> None:
    READ[row](root)

    assert sorted(greys(read(root))) == [1, 2, 9]


@pytest.mark.parametrize("row", LEFT_OUT)
def test_what_does_not_count_is_left_out(root: Path, row: str) -> None:
    LEFT_OUT[row](root)

    assert greys(read(root)) == [1, 2]


@pytest.mark.parametrize("row", BAD)
def test_what_can_not_be_read_is_named(root: Path, row: str) -> None:
    change, complaint = BAD[row]
    change(root)

    with pytest.raises(DataError, match="1 of 3 images") as caught:
        read(root)

    assert complaint in str(caught.value)


@pytest.mark.parametrize("row", EMPTY)
def test_a_folder_without_pictures_says_what_it_saw(tmp_path: Path, row: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    change, complaint = EMPTY[row]
    change(root)

    with pytest.raises(DataError) as caught:
        read(root)

    assert str(root) in str(caught.value)
    assert complaint in str(caught.value)
    assert str(caught.value).isprintable()


def test_f16_an_unreadable_picture_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbidden = save(root / "x.png")
    kept = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path == forbidden:
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)

    with pytest.raises(DataError, match=r"1 of 3 .*x\.png: it can't be read: Permission denied"):
        read(root)


def test_f17_an_unreadable_folder_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(root / "sub" / "x.png")
    kept = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if "sub" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return kept(path)

    monkeypatch.setattr(os, "scandir", scandir)

    with pytest.raises(DataError, match=r"root/sub/: Permission denied"):
        read(root)


def test_f18_pictures_are_found_however_deep_they_lie(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    depth = 1050  # deeper than Python may recurse, about as deep as a path may be long
    for _ in range(depth):
        Path("d").mkdir()
        os.chdir("d")
    picture = save(Path("x.png").absolute())

    try:
        assert sorted(greys(read(root))) == [1, 2, 9]
    finally:  # here, because shutil recurses
        picture.unlink()
        for _ in range(depth):
            os.chdir("..")
            Path("d").rmdir()


def test_f25_bad_pictures_are_left_out_when_asked(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path(undecodable(root)).write_bytes(b"")
    (root / "x\ny.png").write_bytes(b"")

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = read(root, skip_bad=True)

    assert greys(data) == [1, 2]
    (record,) = caplog.records
    assert r"x\ny.png: the file is empty; x\udcff\udcfe.png: the file is empty" in record.message
    assert record.message.isprintable()


@pytest.mark.parametrize("size", [3, 8])
def test_f26_fewer_pictures_than_a_batch_are_refused_with_both_numbers(
    root: Path, size: int
) -> None:
    with pytest.raises(DataError, match=f"batch of {size} is larger than the 2 samples of root"):
        Batches(read(root), size, seed=0)


def test_f30_the_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)

    assert greys(read(tmp_path / "link")) == [1, 2]


def test_f32_pictures_of_all_sizes_become_one(root: Path) -> None:
    for size in ((1, 1), (31, 418), (418, 31), (3, 5), (640, 480)):
        Image.new("L", size, 9).save(root / f"{size}.png")

    for resize in ("crop", "pad", "stretch"):
        data = read(root, size=32, resize=resize, background="black")
        assert len(data) == 7
        assert data.sample_shape == (1, 32, 32)


@pytest.mark.parametrize("name", ["x\ny.png", "x ü.png", UNDECODABLE])
def test_class_names_and_messages_can_always_be_printed(root: Path, name: str | bytes) -> None:
    odd = root / os.fsdecode(name)
    save(odd / "1.png")
    for loose in ("a.png", "z.png"):
        (root / loose).unlink()

    data = read(root, classes=True)

    (shown,) = data.classes
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize("name", ["x\ny.png", UNDECODABLE])
def test_a_tree_reads_and_stamps_any_name(root: Path, name: str | bytes) -> None:
    save(root / os.fsdecode(name))

    with open_tree(root) as tree:
        assert dict(tree.each())[os.fsdecode(name)].startswith(b"\x89PNG")
        assert len(tree.stamp()) == 64


def test_a_tree_names_a_link_to_nothing(root: Path) -> None:
    (root / "x.png").symlink_to(root / "nowhere")

    with open_tree(root) as tree, pytest.raises(DataError, match=r"x\.png: No such file"):
        tree.read("x.png")
