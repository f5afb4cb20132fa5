from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gan_toolkit.cli.root import cli


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["data", "check", *map(str, arguments)])


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    (root / "deep").mkdir(parents=True)
    (root / "notes.txt").write_text("no picture")
    for number in range(40):
        (root / "deep" / f"{number:02}.jpg").write_bytes(jpeg())
    return root


@pytest.fixture
def some_bad(pictures: Path) -> Path:
    (pictures / "cut.jpg").write_bytes(jpeg()[:-300])
    (pictures / "deep" / "empty.png").write_bytes(b"")
    (pictures / "gone.png").symlink_to(pictures / "nowhere")
    return pictures


def test_all_good_is_said_and_nothing_is_listed(pictures: Path) -> None:
    result = run(pictures)

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"all of 40 pictures in {pictures} can be decoded\n"


def test_each_bad_file_is_a_line_with_its_reason(some_bad: Path) -> None:
    result = run(some_bad)

    names, reasons = zip(*(line.split("\t") for line in result.stdout.splitlines()), strict=True)
    assert result.exit_code == 4
    assert names == ("cut.jpg", "deep/empty.png", "gone.png")
    assert "runcated" in reasons[0]
    assert reasons[1:] == ("the file is empty", "it can't be read: No such file or directory")
    assert result.stderr == f"gantk: 3 of 43 pictures in {some_bad} are bad\n"


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar"])
def test_archives_are_checked_in_place(some_bad: Path, tmp_path: Path, kind: str) -> None:
    (some_bad / "gone.png").unlink()
    archive = shutil.make_archive(str(tmp_path / "archive"), kind, some_bad)

    result = run(archive)

    assert result.exit_code == 4
    assert sorted(line.split("\t")[0] for line in result.stdout.splitlines()) == [
        "cut.jpg",
        "deep/empty.png",
    ]


def test_the_list_as_json(some_bad: Path) -> None:
    result = run(some_bad, "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 4
    assert document["pictures"] == 43
    assert document["bad"][1] == {"file": "deep/empty.png", "reason": "the file is empty"}


@pytest.mark.parametrize(("data", "code"), [(jpeg(), 0), (b"", 4)])
def test_a_single_picture(tmp_path: Path, data: bytes, code: int) -> None:
    (tmp_path / "a.jpg").write_bytes(data)

    result = run(tmp_path / "a.jpg")

    assert result.exit_code == code
    assert result.stdout == ("" if data else "a.jpg\tthe file is empty\n")


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there only")
def test_names_are_printed_on_one_line(tmp_path: Path) -> None:
    for name in (b"a\nb.png", b"\xff.png", b"\x1b[31m\t.png"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")

    result = run(tmp_path)

    assert sorted(line.split("\t")[0] for line in result.stdout.splitlines()) == [
        "\\udcff.png",
        "\\x1b[31m\\t.png",
        "a\\nb.png",
    ]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere", "there is no folder or archive"),
        ("notes.txt", "is neither a folder nor an archive (.zip .tar"),
        ("empty", "0 images in"),
    ],
)
def test_what_holds_no_picture_is_refused(tmp_path: Path, name: str, complaint: str) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()

    result = run(tmp_path / name)

    assert result.exit_code == 4
    assert complaint in result.stderr
