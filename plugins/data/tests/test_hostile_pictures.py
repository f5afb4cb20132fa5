"""The pictures of `docs/reference/data_files.md`, each among good ones, as a user would meet it."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from gan_toolkit import ArrayDataset, DataError
from gantk_data.readers.image_folder import image_folder

ORIENTATION = 0x0112
MANY_PIXELS = "DecompressionBomb|pixels, the limit is 64,000,000"
UNKNOWN = "not a picture of a known format"
FRAMES = "it holds several pictures"
UPRIGHT = [[200] * 4, [0] * 4, [0] * 4, [0] * 4]
NO_RANGE = "does not say its range"


class Odd(NamedTuple):
    """A file and what becomes of it."""

    name: str
    make: Callable[[], bytes]
    expected: str | list[Any]
    """What is complained of; or the colour, or the rows of grey, as which it reads within 2."""


def read(root: Path, **options: Any) -> ArrayDataset:
    given = {"classes": False, "resize": "crop", "background": "white", "skip_bad": False}
    given |= {"size": 4, "channels": 3, "max_pixels": 64_000_000}
    given |= {"labels": None, "label": None, "factors": None}
    return image_folder(root, **given | options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def one(kind: str, mode: str, colour: Any, size: tuple[int, int] = (4, 4), **options: Any) -> bytes:
    return encoded(Image.new(mode, size, colour), kind, **options)


def noise(side: int = 64) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    )


def frames(kind: str, count: int = 2, **options: Any) -> bytes:
    pictures = [Image.new("RGB", (16, 16), (40 * number % 256, 0, 0)) for number in range(count)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)


def palette(**options: Any) -> bytes:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    return encoded(image, "PNG", **options)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *more: bytes, bits: int = 8, colour: int = 0) -> bytes:
    """A PNG made by hand: its header may claim anything."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *more, chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def deep(colour: int, *values: int) -> bytes:
    """A PNG of 4x4 equal pixels with 16 bits a channel."""
    row = b"\0" + struct.pack(f">{len(values)}H", *values) * 4
    return png(4, 4, chunk(b"IDAT", zlib.compress(row * 4)), bits=16, colour=colour)


def claimed_jpeg(side: int) -> bytes:
    data = bytearray(one("JPEG", "RGB", (9, 9, 9), (64, 64)))
    at = data.find(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def claimed_webp() -> bytes:
    data = bytearray(one("WEBP", "RGB", 0, (16, 16), lossless=True))
    at = data.find(b"VP8L") + 9
    data[at : at + 4] = struct.pack("<I", 16382 | 16382 << 14)
    return bytes(data)


def cmyk(kind: str) -> bytes:
    return encoded(Image.new("RGB", (8, 8), (200, 100, 50)).convert("CMYK"), kind)


def turned(kind: str) -> bytes:
    """Stored on its side."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stored = np.rot90(UPRIGHT).astype(np.uint8)
    return encoded(Image.fromarray(stored.copy()), kind, exif=exif, quality=100)


def broken_exif() -> bytes:
    entries = struct.pack("<H", 9) + struct.pack("<HHII", 0x0112, 3, 1, 1)
    return one("JPEG", "RGB", (1, 1, 1), exif=b"Exif\0\0II*\0\x08\0\0\0" + entries)


def several_in_a_jpeg() -> bytes:
    first, second = (Image.new("RGB", (8, 8), (grey,) * 3) for grey in (60, 200))
    return encoded(first, "MPO", save_all=True, append_images=[second])


def profiled() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return one("PNG", "RGB", (10, 20, 30), icc_profile=profile)


def deflated(length: int) -> bytes:
    return zlib.compress(bytes(length), 9)


FITS = b"SIMPLE  =                    T".ljust(80) + b"END".ljust(2800)

ODD = {
    "P01": Odd("x.png", lambda: b"", "the file is empty"),
    "P02": Odd("x.png", lambda: b"not a picture\n", UNKNOWN),
    "P03": Odd("x.jpg", lambda: one("PNG", "L", 77), [77, 77, 77]),
    "P04": Odd("x.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNKNOWN),
    "P05": Odd("x.png", lambda: FITS, UNKNOWN),
    "P06": Odd("x.png", lambda: b"%PDF-1.7\n" + bytes(100), UNKNOWN),
    "P07": Odd("x.png", lambda: one("GIF", "P", 1), UNKNOWN),
    "P08": Odd("x.png", lambda: frames("GIF", 250), UNKNOWN),
    "P09": Odd("x.webp", lambda: frames("WEBP"), FRAMES),
    "P10": Odd("x.png", lambda: frames("PNG"), FRAMES),
    "P11": Odd("x.tif", lambda: frames("TIFF"), FRAMES),
    "P12": Odd("x.jpg", several_in_a_jpeg, [60, 60, 60]),
    "P13": Odd("x.png", lambda: png(10_000, 10_000), MANY_PIXELS),
    "P14": Odd("x.png", lambda: png(8_001, 8_000), "64,008,000 pixels, the limit is 64,000,000"),
    "P15": Odd("x.jpg", lambda: claimed_jpeg(10_000), MANY_PIXELS),
    "P16": Odd("x.webp", claimed_webp, MANY_PIXELS),
    "P17": Odd("x.png", lambda: png(4, 4, chunk(b"zTXt", b"a\0\0" + deflated(1 << 26))), "large"),
    "P18": Odd("x.png", lambda: png(4, 4, chunk(b"iCCP", b"a\0\0" + deflated(1 << 26))), "large"),
    "P19": Odd("x.png", lambda: one("PNG", "1", 1), [255] * 3),
    "P20": Odd("x.png", lambda: one("PNG", "L", 77), [77] * 3),
    "P21": Odd("x.png", palette, [10, 20, 30]),
    "P22": Odd("x.png", lambda: palette(transparency=1), [255] * 3),
    "P23": Odd("x.png", lambda: one("PNG", "LA", (0, 51)), [204] * 3),
    "P24": Odd("x.png", lambda: one("PNG", "RGBA", (255, 0, 0, 51)), [255, 204, 204]),
    "P25": Odd("x.png", lambda: one("PNG", "RGB", (5, 6, 7), transparency=(5, 6, 7)), [255] * 3),
    "P26": Odd("x.png", lambda: deep(0, 0x12FF), [0x12] * 3),
    "P27": Odd("x.pgm", lambda: b"P5 4 4 65535\n" + b"\x12\xff" * 16, [0x12] * 3),
    "P28": Odd("x.png", lambda: deep(2, 0x12FF, 0x34FF, 0x5600), [0x12, 0x34, 0x56]),
    "P29": Odd("x.tif", lambda: encoded(Image.new("I;16", (4, 4), 0x12FF), "TIFF"), [0x12] * 3),
    "P30": Odd(
        "x.png",
        lambda: deep(0, 0x12FF).replace(
            chunk(b"IEND", b""), chunk(b"tRNS", b"\x12\xff") + chunk(b"IEND", b"")
        ),
        "16-bit grey with a transparent value",
    ),
    "P31": Odd("x.tif", lambda: one("TIFF", "F", 0.5), f"mode F {NO_RANGE}"),
    "P32": Odd("x.tif", lambda: one("TIFF", "I", 70_000), f"mode I {NO_RANGE}"),
    "P33": Odd("x.tif", lambda: one("TIFF", "LAB", (9, 9, 9)), f"mode LAB {NO_RANGE}"),
    "P34": Odd("x.jpg", lambda: cmyk("JPEG"), [200, 100, 50]),
    "P35": Odd("x.tif", lambda: cmyk("TIFF"), [200, 100, 50]),
    "P36": Odd("x.jpg", lambda: turned("JPEG"), UPRIGHT),
    "P37": Odd("x.png", lambda: turned("PNG"), UPRIGHT),
    "P38": Odd("x.jpg", broken_exif, "UserWarning: Corrupt EXIF data"),
    "P39": Odd("x.png", profiled, [10, 20, 30]),
    "P40": Odd("x.jpg", lambda: one("JPEG", "L", 50) + b"\0" * 500, [50] * 3),
    "P41": Odd("x.png", lambda: one("PNG", "L", 50, (1, 1)), [50] * 3),
    "P42": Odd("x.png", lambda: one("PNG", "L", 50, (31, 418)), [50] * 3),
    "P43": Odd("x.png", lambda: one("PNG", "L", 50, (1, 60_000)), [50] * 3),
    "P44": Odd("x.jpg", lambda: claimed_jpeg(4_000), [128] * 3),
}

CUT: dict[str, tuple[str, Callable[[], bytes]]] = {
    "P50": ("jpg", lambda: encoded(noise(), "JPEG")),
    "P51": ("jpg", lambda: encoded(noise(), "JPEG", progressive=True)),
    "P52": ("png", lambda: encoded(noise(), "PNG")),
    "P53": ("webp", lambda: encoded(noise(), "WEBP")),
    "P54": ("tif", lambda: encoded(noise(), "TIFF")),
    "P55": ("tif", lambda: encoded(noise(), "TIFF", compression="tiff_lzw")),
    "P56": ("bmp", lambda: encoded(noise(), "BMP")),
    "P57": ("ppm", lambda: encoded(noise(), "PPM")),
    "P58": ("pgm", lambda: b"P2\n10 10\n255\n" + b"123 " * 99 + b"45\n"),
}


def test_every_row_is_tested_and_every_test_has_its_row(
    documented: Callable[[str], dict[str, str]],
) -> None:
    outcomes = {
        row: "refused" if isinstance(odd.expected, str) else "read" for row, odd in ODD.items()
    }

    assert documented("P") == outcomes | dict.fromkeys(CUT, "refused")


@pytest.mark.parametrize("row", ODD)
def test_an_odd_picture_is_read_or_refused_as_documented(tmp_path: Path, row: str) -> None:
    odd = ODD[row]
    (tmp_path / "a.png").write_bytes(one("PNG", "L", 1))
    (tmp_path / "z.png").write_bytes(one("PNG", "L", 2))
    (tmp_path / odd.name).write_bytes(odd.make())

    if isinstance(odd.expected, str):
        with pytest.raises(DataError) as caught:
            read(tmp_path)
        complaint = re.escape(f"1 of 3 images in {tmp_path} are bad: {odd.name}: ")
        assert re.search(f"{complaint}.*({odd.expected})", str(caught.value))
    else:
        samples = read(tmp_path).batch(torch.arange(3)).samples
        assert samples[[0, 2], 0, 0, 0].tolist() == [1, 2]
        expected = torch.tensor(odd.expected)
        if expected.dim() == 1:
            expected = expected.reshape(3, 1, 1)
        assert (samples[1].int() - expected).abs().max() <= 2


@pytest.mark.parametrize("row", CUT)
def test_a_picture_cut_at_any_percent_is_refused(
    tmp_path: Path, row: str, capfd: pytest.CaptureFixture[str]
) -> None:
    suffix, make = CUT[row]
    data = make()
    (tmp_path / f"whole.{suffix}").write_bytes(data)
    for percent in range(1, 100):
        (tmp_path / f"{percent:02}.{suffix}").write_bytes(data[: len(data) * percent // 100])

    with pytest.raises(DataError, match="99 of 100 images"):
        read(tmp_path)


@pytest.mark.parametrize("row", ["P50", "P51", "P52", "P53", "P58"])
def test_not_even_the_last_bytes_may_be_missing(tmp_path: Path, row: str) -> None:
    suffix, make = CUT[row]
    data = make()
    for missing in range(1, 31):
        (tmp_path / f"{missing:02}.{suffix}").write_bytes(data[:-missing])

    with pytest.raises(DataError, match="30 of 30 images"):
        read(tmp_path)


MEASURE = """
import resource, sys, time
from pathlib import Path
from gantk_data.pictures import BadPictureError, decode

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = peak()
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        decode(path)
    except BadPictureError:
        pass
    else:
        raise AssertionError(f"{path.name} was read")
    assert time.process_time() - start < 5, path.name
print(peak() - before)
"""


def test_bombs_cost_neither_memory_nor_time(tmp_path: Path) -> None:
    """In a process of its own: the peak of this one is higher than any bomb."""
    for row in ("P08", "P13", "P14", "P15", "P16", "P17", "P18"):
        (tmp_path / row).write_bytes(ODD[row].make())

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 300
