"""The archives of `docs/reference/data_files.md`, made byte by byte: writers are too honest."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import os
import random
import re
import stat
import struct
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gan_toolkit import DataError
from gantk_data.archives import Limits, open_tree

LIMITS = Limits(members=1000, total=1 << 30)
END = bytes(1024)
CUT = "cut or damaged|can't be read"


@dataclass(frozen=True)
class Odd:
    """An archive and what becomes of it."""

    data: Callable[[], bytes]
    fault: str = ""
    """What is complained of; nothing if it is read."""
    member: str = ""
    """Which member is named."""
    holds: dict[str, bytes] | None = None


# --- tars ------------------------------------------------------------------------------------


def header(name: str = "x.png", size: int = 0, kind: bytes = b"0", **facts: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def member(name: str, data: bytes = b"data", kind: bytes = b"0") -> bytes:
    return header(name, len(data), kind) + padded(data)


def pax(**facts: str) -> bytes:
    """An extended header for the member that follows."""
    text = b""
    for fact, value in facts.items():
        rest = f" {fact.replace('__', '.')}={value}\n".encode()
        length = len(rest)
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        text += str(length).encode() + rest
    return member("pax", text, b"x")


def link(kind: bytes) -> bytes:
    return header("link", 0, kind, linkname="/etc/passwd")


def patched(block: bytes, at: int, what: bytes) -> bytes:
    """A tar header with other bytes and the sum that fits them."""
    block = block[:at] + what + block[at + len(what) :]
    total = sum(block[:148]) + sum(block[156:512]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def climbing() -> bytes:
    """The pattern of CVE-2025-4517: links so deep that resolving them gives up at a limit."""
    deep = "d" * 247
    steps = "/".join(deep for _ in range(16))
    return (
        member(steps + "/", b"", b"5")
        + header("/".join("a" for _ in range(16)), 0, b"2", linkname=steps)
        + member("a/flag", b"out")
        + END
    )


def tar_of(*blocks: bytes) -> Callable[[], bytes]:
    return lambda: b"".join((member("good.png"), *blocks, END))


NEGATIVE = (-512).to_bytes(12, "big", signed=True)

TARS = {
    "A01": Odd(tar_of(member("../out")), "leads out", "../out"),
    "A02": Odd(tar_of(member("a/../../out")), "leads out", "a/../../out"),
    "A03": Odd(tar_of(pax(path="/etc/x.png"), member("x.png")), "leads out", "/etc/x.png"),
    "A04": Odd(tar_of(member("C:/out")), "leads out", "C:/out"),
    "A05": Odd(tar_of(member("a\\..\\out")), "character", "a\\..\\out"),
    "A06": Odd(tar_of(pax(path="a\0b.png"), member("x.png")), "character", "a\0b.png"),
    "A07": Odd(tar_of(link(b"2")), "neither", "link"),
    "A08": Odd(tar_of(link(b"1")), "neither", "link"),
    "A09": Odd(tar_of(link(b"3")), "neither", "link"),
    "A10": Odd(tar_of(link(b"4")), "neither", "link"),
    "A11": Odd(tar_of(link(b"6")), "neither", "link"),
    "A12": Odd(tar_of(header("sparse", 0, b"S")), "neither", "sparse"),
    "A13": Odd(
        tar_of(pax(GNU__sparse__map="0,1", GNU__sparse__size="9"), member("x.png")),
        "neither",
        "x.png",
    ),
    "A14": Odd(tar_of(member("x.png", b"", b"Z")), "neither", "x.png"),
    "A15": Odd(tar_of(member("good.png")), "occurs twice", "good.png"),
    "A16": Odd(tar_of(member("./good.png")), "occurs twice", "./good.png"),
    "A17": Odd(tar_of(member("Good.PNG")), "only in upper and lower case", "Good.PNG"),
    "A18": Odd(tar_of(member("\udcfc.png")), "not UTF-8", "\udcfc.png"),
    "A19": Odd(tar_of(member("./")), "no name", "."),
    "A20": Odd(tar_of(header("x.png", 1 << 40)), "limit is 67,108,864", "x.png"),
    "A21": Odd(tar_of(patched(header("x.png"), 124, NEGATIVE)), "it claims -512", "x.png"),
    "A22": Odd(tar_of(pax(size="-512"), member("x.png")), "it claims -512", "x.png"),
    "A23": Odd(tar_of(header("pax", 1 << 33, b"x")), "header is too long", "good.png"),
    "A24": Odd(tar_of(patched(header("l", 9, b"L"), 124, NEGATIVE)), "too long", "good.png"),
    "A25": Odd(tar_of(pax(comment="1" * 60_000), member("x.png")), "too long", "good.png"),
    "A26": Odd(tar_of(*[header("l", 0, b"L")] * 3000), "too long", "good.png"),
    "A27": Odd(climbing, "neither"),
    "A28": Odd(lambda: member("good.png")[:-100], CUT, "good.png"),
    "A29": Odd(lambda: member("good.png"), CUT, "good.png"),
    "A30": Odd(lambda: member("good.png") + b"\xff" * 512 + END, CUT, "good.png"),
    "A31": Odd(lambda: b"", "x.tar"),
    "A32": Odd(lambda: b"no archive at all" * 100, "x.tar"),
    "A33": Odd(
        tar_of(member(".DS_Store"), member("__MACOSX/._x"), member("a/.b/c"), header("a", 0, b"5")),
        holds={"good.png": b"data"},
    ),
    "A34": Odd(tar_of(*[member(f"{n}", b"") for n in range(1000)]), "more than 1,000 members"),
}

# --- compressed tars -------------------------------------------------------------------------


def bomb(pack: Callable[[bytes], bytes], megabytes: int = 8) -> Callable[[], bytes]:
    """A member that claims an honest size, many times over."""
    plain = member("good.png") + b"".join(
        member(f"{number}.png", bytes(1 << 20)) for number in range(megabytes)
    )
    return lambda: pack(plain + END)


TOO_MUCH = "expand to more than 200 times"
GOOD = b"".join((member("good.png", os.urandom(4000)), member("b.png"), END))

PACKED = {
    "A40": Odd(bomb(gzip.compress), TOO_MUCH),
    "A41": Odd(bomb(bz2.compress), TOO_MUCH),
    "A42": Odd(bomb(lzma.compress), TOO_MUCH),
    "A43": Odd(lambda: gzip.compress(GOOD + bytes(1 << 26)), TOO_MUCH),
    "A44": Odd(lambda: gzip.compress(GOOD)[:2000], CUT),
    "A45": Odd(lambda: gzip.compress(GOOD)[:-8] + bytes(8), "its end can't be read"),
    "A46": Odd(lambda: gzip.compress(GOOD)[:-5], "its end can't be read"),
    "A47": Odd(lambda: gzip.compress(b"no tar" * 1000), "can't be read"),
    "A48": Odd(lambda: gzip.compress(member("g") + link(b"2") + END), "neither", "link"),
    "A49": Odd(lambda: bz2.compress(GOOD)[:-20], CUT),
    "A50": Odd(lambda: lzma.compress(GOOD)[:-20], CUT),
}

# --- zips ------------------------------------------------------------------------------------


@dataclass
class Entry:
    """One member of a zip, told apart by what it holds, what it says and what it is said to."""

    name: bytes = b"x.png"
    data: bytes = b"data"
    method: int = 8
    flags: int = 0
    attributes: int = 0
    size: int | None = None
    """What is claimed; else the truth."""
    sum: int | None = None
    local_name: bytes | None = None
    offset: int | None = None
    """Where the directory says it is; else where it is."""


def zip_of(*entries: Entry, good: bool = True) -> bytes:
    body, directory = b"", b""
    entries = (Entry(b"good.png"), *entries) if good else entries
    for entry in entries:
        packed = entry.data
        if entry.method == 8:
            squeeze = zlib.compressobj(9, wbits=-15)
            packed = squeeze.compress(entry.data) + squeeze.flush()
        facts = struct.pack(
            "<5H3I",
            20,
            entry.flags,
            entry.method,
            0,
            0x21,
            zlib.crc32(entry.data) if entry.sum is None else entry.sum,
            len(packed),
            len(entry.data) if entry.size is None else entry.size,
        )
        local = entry.name if entry.local_name is None else entry.local_name
        at = len(body) if entry.offset is None else entry.offset
        names = struct.pack("<HHHHHII", len(entry.name), 0, 0, 0, 0, entry.attributes, at)
        directory += b"PK\1\2" + struct.pack("<H", 3 << 8 | 20) + facts + names + entry.name
        body += b"PK\3\4" + facts + struct.pack("<HH", len(local), 0) + local + packed
    return body + directory + end_record(len(entries), len(directory), len(body))


def end_record(count: int, length: int, at: int) -> bytes:
    return b"PK\5\6" + struct.pack("<4H2IH", 0, 0, count, count, length, at, 0)


def quoted() -> bytes:
    """Overlapping entries as in Fifield's bomb: each one's data holds the next one's header."""
    inner = zip_of(Entry(b"b.png", bytes(5000)), good=False)
    local = inner[: inner.index(b"PK\1\2")]
    outer = zip_of(Entry(b"a.png", local, method=0), good=False)
    at = outer.index(local)
    body = outer[: outer.index(b"PK\1\2")]
    first = outer[len(body) :][: 46 + 5]
    second = bytearray(inner[len(local) :][: 46 + 5])
    second[42:46] = struct.pack("<I", at)
    directory = first + bytes(second)
    return body + directory + end_record(2, len(directory), len(body))


def huge_directory() -> bytes:
    return zip_of() + bytes(100_000) + end_record(65535, 99_000, 0)


def many_small_bombs() -> bytes:
    return zip_of(*[Entry(b"%d.png" % number, bytes(1 << 20)) for number in range(20)])


def in_unix(kind: int) -> int:
    return (kind | 0o644) << 16


ZIPS = {
    "A60": Odd(lambda: zip_of(Entry(b"../out")), "leads out", "../out"),
    "A61": Odd(lambda: zip_of(Entry(b"/etc/x.png")), "leads out", "/etc/x.png"),
    "A62": Odd(lambda: zip_of(Entry(b"C:/out")), "leads out", "C:/out"),
    "A63": Odd(lambda: zip_of(Entry(b"a\\..\\out")), "character", "a\\..\\out"),
    "A64": Odd(lambda: zip_of(Entry(b"a.png\0.txt")), "character", "a.png\0.txt"),
    "A65": Odd(lambda: zip_of(Entry(attributes=in_unix(stat.S_IFLNK))), "neither", "x.png"),
    "A66": Odd(lambda: zip_of(Entry(attributes=in_unix(stat.S_IFIFO))), "neither", "x.png"),
    "A67": Odd(lambda: zip_of(Entry(flags=1)), "encrypted", "x.png"),
    "A68": Odd(lambda: zip_of(Entry(method=12)), "packed by method 12", "x.png"),
    "A69": Odd(lambda: zip_of(Entry(b"good.png")), "occurs twice", "good.png"),
    "A70": Odd(lambda: zip_of(Entry(b"GOOD.png")), "upper and lower case", "GOOD.png"),
    "A71": Odd(lambda: zip_of(Entry(offset=0, local_name=b"good.png")), "shares bytes", "x.png"),
    "A72": Odd(quoted, "shares bytes", "b.png"),
    "A73": Odd(lambda: zip_of(Entry(data=bytes(1 << 25))), "more than 200 times", "x.png"),
    "A74": Odd(many_small_bombs, "up to it the files claim", ".png"),
    "A75": Odd(lambda: zip_of(Entry(data=bytes(1 << 25), size=100)), CUT, "x.png"),
    "A76": Odd(lambda: zip_of(Entry(size=9)), "holds 4 of 9|can't be read", "x.png"),
    "A77": Odd(lambda: zip_of(Entry(sum=1)), "can't be read: Bad CRC", "x.png"),
    "A78": Odd(lambda: zip_of(Entry(local_name=b"y.png")), "directory", "x.png"),
    "A79": Odd(lambda: zip_of(Entry(offset=100_000)), "can't be read", "x.png"),
    "A80": Odd(lambda: zip_of(Entry())[:-30], CUT),
    "A81": Odd(lambda: zip_of(Entry()).replace(b"PK\1\2", b"PK\0\0", 1), CUT),
    "A82": Odd(huge_directory, "its directory claims 99,000 bytes, the limit is 1,000 members"),
    "A83": Odd(lambda: zip_of(Entry(b"\xfc.png")), "not UTF-8", "\udcfc.png"),
    "A84": Odd(lambda: zip_of(Entry(b"\xfc.png", flags=0x800)), CUT),
    "A85": Odd(
        lambda: zip_of(Entry("ü.png".encode()), good=False),
        holds={"ü.png": b"data"},
    ),
    "A86": Odd(
        lambda: zip_of(
            Entry(b"__MACOSX/x"), Entry(b"a/.DS_Store"), Entry(b"a/", b"", 0, attributes=0x10)
        ),
        holds={"good.png": b"data"},
    ),
    "A87": Odd(
        lambda: zip_of(Entry(data=os.urandom(1 << 19), size=1 << 26 | 1)),
        "67,108,865 bytes, the limit is 67,108,864",
        "x.png",
    ),
    "A88": Odd(lambda: zip_of(Entry(b"in.zip", zip_of()), good=False), holds={"in.zip": zip_of()}),
    "A89": Odd(lambda: zip_of(good=False), holds={}),
    "A90": Odd(lambda: b"Rar!\x1a\x07\x01\0" + bytes(2000), "can't be read"),
}

ODD = {
    **{row: ("x.tar", odd) for row, odd in TARS.items()},
    **{row: ("x.tar.gz", odd) for row, odd in PACKED.items()},
    **{row: ("x.zip", odd) for row, odd in ZIPS.items()},
}


def test_every_row_is_tested_and_every_test_has_its_row(
    documented: Callable[[str], dict[str, str]],
) -> None:
    outcomes = {row: "refused" if odd.holds is None else "read" for row, (_, odd) in ODD.items()}

    assert documented("A") == outcomes


@pytest.mark.parametrize("row", ODD)
def test_an_odd_archive_is_read_or_refused_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    name, odd = ODD[row]
    path = tmp_path / "in" / "deep" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(odd.data())
    monkeypatch.chdir(path.parent)
    before = set(tmp_path.rglob("*"))

    if odd.holds is None:
        with pytest.raises(DataError, match=odd.fault) as caught:
            list_all(path)
        text = str(caught.value)
        assert text.startswith(str(path))
        assert repr(odd.member)[1:-1] in text
        assert text.isprintable()
    else:
        assert list_all(path) == odd.holds

    assert set(tmp_path.rglob("*")) == before


def list_all(path: Path) -> dict[str, bytes]:
    with open_tree(path, LIMITS) as tree:
        return dict(tree.each())


@pytest.mark.parametrize("row", [row for row, (_, odd) in ODD.items() if odd.holds is None])
def test_names_alone_are_refused_alike_or_hold_only_good_ones(tmp_path: Path, row: str) -> None:
    """What lies in the contents is found when they are read; never is a bad name handed out."""
    name, odd = ODD[row]
    (tmp_path / name).write_bytes(odd.data())

    try:
        with open_tree(tmp_path / name, LIMITS) as tree:
            names = set(tree.names())
    except DataError:
        names = set()

    assert names <= {"good.png", "b.png", "x.png"}


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.zip"])
def test_all_files_together_are_limited(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    data = zip_of(Entry(b"b.png")) if name == "x.zip" else GOOD
    path.write_bytes(gzip.compress(data) if name == "x.tar.gz" else data)
    most = 7 if name == "x.zip" else 4003

    with open_tree(path, Limits(total=most)) as tree, pytest.raises(DataError) as caught:
        list(tree.each())

    assert re.search(rf"{most:,}(?! bytes of)", str(caught.value))
    assert "limit" in str(caught.value)


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.zip"])
def test_an_archive_cut_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    pictures = {"a.png": os.urandom(999), "b.png": os.urandom(999)}
    if name == "x.zip":
        data = zip_of(*[Entry(file.encode(), held) for file, held in pictures.items()])
    else:
        data = b"".join(member(file, held) for file, held in pictures.items()) + END[:512]
    data = gzip.compress(data) if name == "x.tar.gz" else data

    for length in [*range(0, len(data), 37), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(DataError, match=r"x\."):
            list_all(path)


@pytest.mark.parametrize("kind", ["x.tar", "x.tar.gz", "x.zip"])
def test_damage_of_any_kind_ends_as_a_data_error(tmp_path: Path, kind: str) -> None:
    """300 odd archives made odder: never another error, never a file written."""
    draw = random.Random(0)
    plain = [odd.data() for odd in (ZIPS if kind == "x.zip" else TARS).values()]
    plain = [data for data in plain if 0 < len(data) < 10_000]
    path = tmp_path / kind

    for _ in range(300):
        data = bytearray(draw.choice(plain))
        for _ in range(draw.randint(1, 4)):
            start, length = draw.randrange(len(data)), draw.choice((1, 1, 12, 512))
            data[start : start + length] = draw.randbytes(length)
            if kind != "x.zip":
                block = start // 512 * 512
                data[block : block + 512] = patched(bytes(data[block : block + 512]), 0, b"")
        path.write_bytes(gzip.compress(data, 1) if kind == "x.tar.gz" else data)

        with contextlib.suppress(DataError):
            list_all(path)

    assert list(tmp_path.iterdir()) == [path]


MEASURE = """
import resource, sys, time
from pathlib import Path
from gan_toolkit import DataError
from gantk_data.archives import Limits, open_tree

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        with open_tree(path, Limits()) as tree:
            for name, data in tree.each():
                del data
    except DataError:
        pass
    else:
        raise AssertionError(f"{path.name} was read")
    assert time.process_time() - start < 5, path.name
print(peak() - before)
"""


def a_gigabyte(mode: int) -> bytes:
    """Zeros in a deflate stream of one part again and again: a megabyte."""
    squeeze = zlib.compressobj(9, wbits=-15)
    part = squeeze.compress(bytes(1 << 24)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return part * 64 + squeeze.flush(mode)


def test_bombs_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    """In a process of its own: the peak of this one is higher than any bomb."""
    for row in ("A23", "A24", "A25", "A26", "A40", "A41", "A42", "A71", "A72", "A73", "A74"):
        (tmp_path / row).write_bytes(ODD[row][1].data())
    zeros = gzip.compress(bytes(1 << 24)) * 64
    (tmp_path / "behind the end").write_bytes(gzip.compress(GOOD) + zeros)
    (tmp_path / "in a header").write_bytes(gzip.compress(header("pax", 1 << 30, b"x")) + zeros)
    lie = zip_of(Entry(data=a_gigabyte(zlib.Z_FINISH), method=0, size=100))
    lie = lie.replace(struct.pack("<3H", 20, 0, 0), struct.pack("<3H", 20, 0, 8))
    (tmp_path / "more than claimed").write_bytes(lie)

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200


WATCHED = """
import json, sys
from pathlib import Path
from gan_toolkit import DataError
from gan_toolkit.testing.audit import Audit
from gantk_data.archives import Limits, open_tree

def read(path):
    try:
        with open_tree(path, Limits(members=1000, total=1 << 30)) as tree:
            for _ in tree.each():
                pass
    except DataError:
        pass

audit, folders = Audit(), sorted(Path(sys.argv[1]).iterdir())
for path in folders:  # so that what is imported on first use is not told
    read(next(path.iterdir()))
with audit.watching() as told:
    for path in folders:
        read(next(path.iterdir()))
print(json.dumps(told))
"""


def test_no_archive_writes_starts_or_asks_for_anything(tmp_path: Path) -> None:
    """As the interpreter saw it, in a process of its own."""
    for row, (name, odd) in ODD.items():
        (tmp_path / row).mkdir()
        (tmp_path / row / name).write_bytes(odd.data())

    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
