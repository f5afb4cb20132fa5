"""Where a file belongs, and whether what is there is it."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.errors import PluginError
from gan_toolkit.fetching.wanted import Wanted, below, contents_of
from gan_toolkit.sources import SourceFile

BODY = b"what is in it"
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
PLAIN = SourceFile("a", len(BODY), MD5)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a", "a/../../b", "a\\b", "C:/a", "a\nb", "a\0b", "."]
)
def test_paths_that_lead_out_are_the_plugin_s_fault(tmp_path: Path, path: str) -> None:
    with pytest.raises(PluginError, match="stays below it"):
        below(tmp_path, path)


def test_a_path_is_below_the_root(tmp_path: Path) -> None:
    assert below(tmp_path, "set/./raw/a b.gz") == tmp_path / "set" / "raw" / "a b.gz"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("set/raw/a", "a"),
        ("set/raw/a.gz", "a"),
        ("a", "a"),
        ("set/x/batch1", "x/batch1"),
        ("set/y/batch1", "batch1"),
        ("set/ba", None),
        ("set/z.tar.gz", None),
    ],
)
def test_contents_are_found_by_the_end_of_the_path(path: str, name: str | None) -> None:
    names = ("a", "batch1", "x/batch1", "z.tar.gz")

    found = contents_of(path, [SourceFile(one) for one in names])

    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("known", "content", "difference"),
    [
        ({}, b"anything", ""),
        ({"size": 13}, BODY, ""),
        ({"size": 14}, BODY, "has 13 bytes, expected 14"),
        ({"md5": MD5}, BODY, ""),
        ({"md5": "0" * 32}, BODY, f"has md5 {MD5}, expected {'0' * 32}"),
        ({"sha256": "0" * 64}, BODY, f"expected {'0' * 64}"),
        ({"contents": PLAIN}, BODY, ""),
        ({"contents": PLAIN}, BODY[::-1], f"expected {MD5}"),
        ({"contents": SourceFile("a", 14)}, BODY, "has 13 bytes, expected 14"),
        ({"md5": "0" * 32, "contents": PLAIN}, BODY, ""),
        ({"md5": MD5, "contents": SourceFile("a", 13, "0" * 32)}, BODY, ""),
        ({"md5": "0" * 32, "contents": SourceFile("a", 13)}, BODY, f"expected {'0' * 32}"),
        ({"size": 14, "contents": PLAIN}, BODY, ""),
    ],
)
def test_a_file_is_compared_with_all_that_is_known(
    tmp_path: Path, known: dict[str, Any], content: bytes, difference: str
) -> None:
    (tmp_path / "a").write_bytes(content)

    standing = Wanted("a", tmp_path / "a", "", **known).standing()

    assert standing is not None
    assert standing.path == tmp_path / "a"
    assert standing.difference.endswith(difference)
    assert bool(standing.difference) == bool(difference)


@pytest.mark.parametrize(
    ("name", "other", "content"),
    [("a.gz", "a", BODY), ("a", "a.gz", gzip.compress(BODY))],
)
def test_the_same_file_packed_or_not_will_do(
    tmp_path: Path, name: str, other: str, content: bytes
) -> None:
    (tmp_path / other).write_bytes(content)

    standing = Wanted(name, tmp_path / name, "", contents=PLAIN).standing()

    assert standing is not None
    assert (standing.path.name, standing.difference) == (other, "")


@pytest.mark.parametrize("contents", [None, SourceFile("a", 13), SourceFile("a", 13, "0" * 32)])
def test_another_file_beside_it_is_no_stand_in(tmp_path: Path, contents: SourceFile | None) -> None:
    (tmp_path / "a").write_bytes(BODY)

    assert Wanted("a.gz", tmp_path / "a.gz", "", contents=contents).standing() is None


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    standing = Wanted("a", tmp_path / "a", "").standing()

    assert standing is not None
    assert standing.difference == "is not a file"
