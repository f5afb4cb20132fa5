from __future__ import annotations

import io
import json
import logging
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Dataset, RowWriter, StorageError
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data import collection
from gantk_data import keeping as keeping_module
from gantk_data.options import ImageFolderOptions
from gantk_data.readers.image_folder import image_folder


def read(root: Path, size: int = 4, channels: int = 3, **options: Any) -> ArrayDataset:
    given = {"root": str(root), "size": size, "channels": channels, **options}
    checked = ImageFolderOptions(**given)
    return image_folder(**{name: getattr(checked, name) for name in type(checked).model_fields})


def only(root: Path, size: int = 4, channels: int = 3, **options: Any) -> list[Any]:
    """The single picture of a folder: (C, H, W) as nested lists."""
    data = read(root, size, channels, **options)
    assert len(data) == 1
    return data.batch(torch.tensor([0])).samples[0].tolist()


def plain(values: list[int]) -> list[list[list[int]]]:
    """What a picture of one colour reads as."""
    return [[[value] * 4] * 4 for value in values]


def save(path: Path, image: Image.Image, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


def one_colour(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (4, 4), colour)


def palette(transparent: bool = False) -> Image.Image:
    image = one_colour("P", 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    if transparent:
        image.info["transparency"] = 1
    return image


def sixteen_bits(value: int) -> Image.Image:
    return Image.fromarray(np.full((4, 4), value, dtype=np.uint16))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (one_colour("1", 1), [255, 255, 255]),
        (one_colour("L", 77), [77, 77, 77]),
        (one_colour("RGB", (1, 2, 3)), [1, 2, 3]),
        (palette(), [10, 20, 30]),
        (palette(transparent=True), [255, 255, 255]),
        (one_colour("LA", (0, 255)), [0, 0, 0]),
        (one_colour("LA", (9, 0)), [255, 255, 255]),
        (one_colour("RGBA", (255, 0, 0, 0)), [255, 255, 255]),
        (one_colour("RGBA", (255, 0, 0, 51)), [255, 204, 204]),
        (one_colour("RGBA", (255, 0, 0, 255)), [255, 0, 0]),
        (sixteen_bits(0x1234), [0x12] * 3),
        (sixteen_bits(0xFFFF), [0xFF] * 3),
        (sixteen_bits(0x00FF), [0] * 3),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_every_mode_has_one_meaning(
    tmp_path: Path, image: Image.Image, expected: list[int]
) -> None:
    save(tmp_path / "a.png", image)

    assert only(tmp_path) == plain(expected)


def test_a_named_transparent_colour_is_transparent(tmp_path: Path) -> None:
    save(tmp_path / "a.png", one_colour("RGB", (5, 6, 7)), transparency=(5, 6, 7))

    assert only(tmp_path, background="grey") == plain([128] * 3)


@pytest.mark.parametrize(("suffix", "mode"), [("tif", "CMYK"), ("jpg", "CMYK"), ("jpg", "YCbCr")])
def test_print_and_video_colours_become_rgb(tmp_path: Path, suffix: str, mode: str) -> None:
    save(tmp_path / f"a.{suffix}", one_colour("RGB", (200, 100, 50)).convert(mode))

    reds, greens, blues = (plane[0][0] for plane in only(tmp_path))

    assert abs(reds - 200) + abs(greens - 100) + abs(blues - 50) < 20


def test_sixteen_bits_of_a_pnm_are_scaled(tmp_path: Path) -> None:
    values = np.full(16, 0xAB12, dtype=">u2")
    (tmp_path / "a.pgm").write_bytes(b"P5 4 4 65535\n" + values.tobytes())

    assert only(tmp_path, channels=1) == plain([0xAB])


def test_grey_is_the_luma(tmp_path: Path) -> None:
    save(tmp_path / "a.png", one_colour("RGB", (255, 0, 0)))

    assert only(tmp_path, channels=1) == plain([76])


def test_alpha_lies_on_the_stated_background(tmp_path: Path) -> None:
    save(tmp_path / "a.png", one_colour("RGBA", (255, 255, 255, 0)))

    assert only(tmp_path, background="black") == plain([0, 0, 0])


@pytest.mark.parametrize("bits", [8, 16])
def test_exif_rotation_is_applied(tmp_path: Path, bits: int) -> None:
    upright = np.zeros((4, 4), dtype=np.uint8)
    upright[0, :] = 200
    stored = np.rot90(upright).copy()
    image = Image.fromarray(stored if bits == 8 else stored.astype(np.uint16) << 8)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    save(tmp_path / "a.png", image, exif=exif)

    assert only(tmp_path, channels=1) == [upright.tolist()]


def wide(path: Path) -> None:
    """8x4: a black half, then a white one."""
    pixels = np.zeros((4, 8), dtype=np.uint8)
    pixels[:, 4:] = 255
    save(path, Image.fromarray(pixels))


def test_crop_takes_the_centre(tmp_path: Path) -> None:
    wide(tmp_path / "a.png")

    assert only(tmp_path, channels=1) == [[[0, 0, 255, 255]] * 4]


def test_stretch_keeps_all_of_it(tmp_path: Path) -> None:
    wide(tmp_path / "a.png")

    row = only(tmp_path, channels=1, resize="stretch")[0][0]

    assert row[0] < 30
    assert row[3] > 225


def test_pad_fills_with_the_background(tmp_path: Path) -> None:
    save(tmp_path / "a.png", Image.new("RGB", (8, 4), (9, 9, 9)))

    red = only(tmp_path, resize="pad", background="grey")[0]

    assert red == [[128] * 4, [9] * 4, [9] * 4, [128] * 4]


def test_refuse_names_both_sizes(tmp_path: Path) -> None:
    wide(tmp_path / "a.png")

    with pytest.raises(DataError, match=r"a\.png: it is 8x4, expected 4x4"):
        read(tmp_path, resize="refuse")


def test_small_pictures_grow(tmp_path: Path) -> None:
    save(tmp_path / "a.png", Image.new("L", (1, 1), 50))

    assert only(tmp_path, channels=1) == plain([50])


def test_nested_folders_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for value, name in enumerate(("a/x.png", "b.png", "c/d/e/y.PNG", "c/z.bmp")):
        save(tmp_path / name, one_colour("L", value))
    save(tmp_path / ".hidden" / "h.png", one_colour("L", 99))
    save(tmp_path / "._a.png", one_colour("L", 99), format="PNG")
    (tmp_path / "notes.txt").write_text("not a picture")

    data = read(tmp_path, channels=1)

    assert data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert data.classes == ()
    assert data.name == tmp_path.name
    assert data.source == "real"
    assert data.sample_shape == (1, 4, 4)


def test_sub_folders_are_classes(tmp_path: Path) -> None:
    for name in ("zebra/deep/1.png", "ant/1.png", "ant/2.png"):
        save(tmp_path / name, one_colour("L", 0))

    data = read(tmp_path, classes=True)

    labels = data.batch(torch.arange(3)).labels
    assert data.classes == ("ant", "zebra")
    assert labels is not None
    assert labels.tolist() == [0, 0, 1]


def test_a_picture_outside_every_class_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "ant" / "1.png", one_colour("L", 0))
    save(tmp_path / "loose.png", one_colour("L", 0))

    with pytest.raises(DataError, match=r"1 images lie in .* the first is loose\.png"):
        read(tmp_path, classes=True)


@pytest.mark.parametrize(
    ("names", "saw"),
    [
        ((), "saw 0 files with other suffixes;"),
        (("a.txt", "b.txt", "c/d.gif"), r"saw 3 files with other suffixes \(.txt 2, .gif 1\)"),
        (("README",), r"saw 1 files with other suffixes \(none 1\)"),
        ((".hidden.png",), "saw 0 files"),
    ],
)
def test_a_folder_without_images_says_what_it_saw(
    tmp_path: Path, names: tuple[str, ...], saw: str
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    with pytest.raises(DataError, match=f"0 images in .*; {saw}") as caught:
        read(tmp_path)

    assert caught.value.exit_code == 4


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        read(tmp_path / "nowhere")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """A small PNG that claims side x side pixels; its size must be found in the header."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def encoded(folder: Path, image: Image.Image, suffix: str, **options: Any) -> bytes:
    path = folder / f"encoded.{suffix}"
    save(path, image, **options)
    return path.read_bytes()


def bad_file(folder: Path, fault: str) -> tuple[str, bytes]:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    if fault == "empty":
        return "bad.png", b""
    if fault == "text":
        return "bad.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    if fault == "cut":
        whole = encoded(folder, picture, "jpg")
        return "bad.jpg", whole[: len(whole) // 2]
    if fault == "cut png":
        whole = encoded(folder, picture, "png")
        return "bad.png", whole[: len(whole) // 2]
    if fault == "bomb":
        return "bad.png", bomb(8_100)
    if fault == "great bomb":
        return "bad.png", bomb(14_000)
    if fault == "gif":
        return "bad.png", encoded(folder, picture.convert("P"), "gif")
    if fault == "float":
        return "bad.tif", encoded(folder, Image.new("F", (4, 4), 0.5), "tif")
    if fault == "32 bits":
        return "bad.tif", encoded(folder, Image.new("I", (4, 4), 70_000), "tif")
    frames = {"save_all": True, "append_images": [Image.new("RGB", (64, 64))]}
    return "bad.png", encoded(folder, picture, "png", **frames)


FAULTS = {
    "empty": "the file is empty",
    "text": "not a picture of a known format",
    "cut": "OSError: image file is truncated",
    "cut png": "it is cut: a PNG ends in IEND",
    "bomb": "65,610,000 pixels, the limit is 64,000,000",
    "great bomb": "DecompressionBomb",
    "gif": "not a picture of a known format",
    "float": "mode F does not say its range",
    "32 bits": "mode I does not say its range",
    "frames": "it holds several pictures",
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_bad_file_is_named_with_its_reason(tmp_path: Path, fault: str) -> None:
    root = tmp_path / "root"
    save(root / "good.png", one_colour("L", 1))
    name, data = bad_file(tmp_path, fault)
    (root / name).write_bytes(data)

    with pytest.raises(DataError) as caught:
        read(root)

    assert f"1 of 2 images in {root} are bad: {name}: {FAULTS[fault]}" in str(caught.value)


def test_the_limit_on_pixels_is_an_option(tmp_path: Path) -> None:
    save(tmp_path / "a.png", one_colour("L", 1))

    with pytest.raises(DataError, match="16 pixels, the limit is 15"):
        read(tmp_path, max_pixels=15)


@pytest.mark.filterwarnings("default")
def test_a_warning_of_the_decoder_makes_a_file_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "a.png", one_colour("L", 1))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)

    with pytest.raises(DataError, match=r"a\.png: DecompressionBombWarning"):
        read(tmp_path)


def test_all_bad_files_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    save(tmp_path / "good.png", one_colour("L", 1))
    for number in range(7):
        (tmp_path / f"bad{number}.png").write_bytes(b"nothing")

    with pytest.raises(DataError) as caught:
        read(tmp_path)

    text = str(caught.value)
    assert "7 of 8 images" in text
    assert "bad4.png" in text
    assert "bad5.png" not in text


def test_bad_files_are_skipped_when_asked_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for value, name in enumerate(("a/1.png", "b/2.png", "c/3.png")):
        save(tmp_path / name, one_colour("L", value))
    (tmp_path / "b" / "2.png").write_bytes(b"nothing")

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = read(tmp_path, channels=1, classes=True, skip_bad=True)

    batch = data.batch(torch.arange(len(data)))
    assert batch.labels is not None
    assert batch.samples[:, 0, 0, 0].tolist() == [0, 2]
    assert batch.labels.tolist() == [0, 2]
    (record,) = caplog.records
    assert "1 of 3 images" in record.getMessage()


def test_only_bad_files_are_an_error_even_when_skipping(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")

    with pytest.raises(DataError, match="1 of 1 images"):
        read(tmp_path, skip_bad=True)


ARCHIVES = ("a.zip", "a.tar", "a.tar.gz")


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w:") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def png(value: int) -> bytes:
    file = io.BytesIO()
    one_colour("L", value).save(file, "PNG")
    return file.getvalue()


def levels(data: ArrayDataset) -> list[int]:
    return data.batch(torch.arange(len(data))).samples[:, 0, 0, 0].tolist()


def labels(data: ArrayDataset) -> list[int]:
    found = data.batch(torch.arange(len(data))).labels
    assert found is not None
    return found.tolist()


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_read_in_place_in_its_own_order(tmp_path: Path, name: str) -> None:
    files = {"b/2.png": png(2), "a/1.png": png(1), "notes.txt": b"", "a/3.png": png(3)}
    path = pack(tmp_path / name, files)

    data = read(path, channels=1, classes=True)

    assert levels(data) == [2, 1, 3]
    assert labels(data) == [1, 0, 0]
    assert data.classes == ("a", "b")
    assert data.name == name


def test_the_folder_around_all_of_an_archive_is_no_class(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"all/a/1.png": png(1), "all/b/2.png": png(2)})

    assert read(path, classes=True).classes == ("a", "b")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no archive")

    with pytest.raises(DataError, match=r"a\.txt is neither a folder nor an archive \(\.zip"):
        read(tmp_path / "a.txt")


def test_pictures_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    first = read(tmp_path, channels=1)
    monkeypatch.setattr(collection, "decode", None)

    again = read(tmp_path, channels=1)

    assert levels(again) == [1]
    assert again.fingerprint() == first.fingerprint()


@pytest.mark.parametrize("change", ["size", "contents"])
def test_what_changes_is_prepared_anew(tmp_path: Path, cache: Path, change: str) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    read(tmp_path, channels=1)
    if change == "contents":
        save(tmp_path / "1.png", Image.new("L", (5, 5), 9))

    data = read(tmp_path, size=8 if change == "size" else 4, channels=1)

    assert levels(data) == [9 if change == "contents" else 1]
    assert len(list((cache / "image_folder").glob("*/manifest.json"))) == 2


def test_a_table_beside_the_pictures_may_change(tmp_path: Path, cache: Path) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    table = tmp_path / "labels.csv"
    prints = []

    for label in ("cat", "dog"):
        table.write_text(f"file,label\n1.png,{label}\n")
        prints.append(read(tmp_path, labels=str(table)).fingerprint())

    assert len(list((cache / "image_folder").glob("*/manifest.json"))) == 1
    assert prints[0] != prints[1]


def test_what_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    for value in range(80):
        save(root / f"{value:02}.png", one_colour("L", value))
    (root / "05.png").write_bytes(b"nothing")
    monkeypatch.setattr("gan_toolkit.preparation._SYNC_BYTES", 0)
    decoded: list[int] = []
    decode, write = collection.decode, RowWriter.write

    def counted(file: io.BytesIO, *rest: Any) -> Image.Image:
        decoded.append(1)
        return decode(file, *rest)

    def stopping(self: RowWriter, first: int, rows: Any) -> None:
        if first == 70:
            raise KeyboardInterrupt
        write(self, first, rows)

    monkeypatch.setattr(RowWriter, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        read(root, channels=1, skip_bad=True)
    monkeypatch.setattr(RowWriter, "write", write)
    monkeypatch.setattr(collection, "decode", counted)

    data = read(root, channels=1, skip_bad=True)

    assert levels(data) == [value for value in range(80) if value != 5]
    assert len(decoded) == 16  # what comes after the 64 that were marked


def test_a_cache_that_cannot_be_written_does_not_end_a_small_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save(tmp_path / "root" / "1.png", one_colour("L", 1))
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "file" / "cache"))

    with caplog.at_level(logging.INFO, logger="gantk"):
        data = read(tmp_path / "root", channels=1)

    assert levels(data) == [1]
    assert "for this run only" in caplog.text


def test_a_large_set_needs_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "root" / "1.png", one_colour("L", 1))
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(keeping_module, "_MOST_IN_MEMORY", 15)

    with pytest.raises(StorageError, match="can't prepare data in"):
        read(tmp_path / "root", channels=1)


def test_a_link_to_nothing_can_be_skipped(tmp_path: Path) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    (tmp_path / "2.png").symlink_to(tmp_path / "nowhere.png")

    with pytest.raises(DataError, match=r"are bad: 2\.png: it can't be read: No such file"):
        read(tmp_path)

    assert levels(read(tmp_path, channels=1, skip_bad=True)) == [1]


def test_a_damaged_member_of_a_zip_can_be_skipped(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"1.png": png(1), "2.png": png(2)})
    path.write_bytes(path.read_bytes().replace(png(2), png(3)))

    with pytest.raises(DataError, match=r"are bad: 2\.png: it can't be read: .*CRC"):
        read(path)

    assert levels(read(path, channels=1, skip_bad=True)) == [1]


def test_a_large_jpeg_is_shrunk_by_its_decoder_unless_sizes_must_match(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    save(tmp_path / "a.jpg", Image.fromarray(noise))
    whole = collection.decode(tmp_path / "a.jpg").resize((16, 16), Image.Resampling.LANCZOS)

    shrunk = np.array(only(tmp_path, size=16, channels=1)[0])

    assert 0 < np.abs(shrunk - np.asarray(whole, dtype=int)).mean() < 12
    assert len(read(tmp_path, size=64, resize="refuse")) == 1


def test_a_refused_jpeg_is_told_by_its_own_size(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", Image.new("L", (64, 64)))

    with pytest.raises(DataError, match=r"a\.jpg: it is 64x64, expected 16x16"):
        read(tmp_path, size=16, resize="refuse")


@pytest.mark.parametrize("column", ["label", "age"])
def test_other_values_are_another_data_set(tmp_path: Path, column: str) -> None:
    for name in ("1.png", "2.png"):
        save(tmp_path / name, one_colour("L", 1))
    table = tmp_path / "t.csv"
    prints = set()

    for first, second in ((1, 2), (2, 1)):
        table.write_text(f"file,{column}\n1.png,{first}\n2.png,{second}\n")
        prints.add(read(tmp_path, labels=str(table)).fingerprint())

    assert len(prints) == 2


def test_a_table_gives_classes_and_factors(tmp_path: Path) -> None:
    for value, name in enumerate(("1.png", "b/2.png", "3.png")):
        save(tmp_path / "root" / name, one_colour("L", value))
    table = tmp_path / "labels.csv"
    table.write_text("file,age,label,hat\nb/2.png,2.5,10,yes\n1.png,1,9,no\n3.png,4e0,10,yes\n")

    data = read(tmp_path / "root", channels=1, labels=str(table))

    batch = data.batch(torch.arange(3))
    assert levels(data) == [0, 2, 1]
    assert data.classes == ("9", "10")
    assert labels(data) == [0, 1, 1]
    assert [(f.name, f.kind, f.values, f.low, f.high) for f in data.factors] == [
        ("age", "continuous", (), 1.0, 4.0),
        ("hat", "discrete", ("no", "yes"), 0.0, 1.0),
    ]
    assert batch.factors is not None
    assert batch.factors.tolist() == [[1, 0], [4, 1], [2.5, 1]]


def test_options_choose_columns(tmp_path: Path) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    table = tmp_path / "t.json"
    table.write_text(json.dumps([{"f": "1.png", "label": "x", "kind": "y", "id": 7, "a": 3}]))

    data = read(tmp_path, labels=str(table), label="kind", factors={"id": "discrete"})

    assert data.classes == ("y",)
    assert [(f.name, f.kind, f.values) for f in data.factors] == [("id", "discrete", ("7",))]


def test_bad_pictures_lose_their_rows_too(tmp_path: Path) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))
    (tmp_path / "0.png").write_bytes(b"nothing")
    table = tmp_path / "t.csv"
    table.write_text("file,label\n0.png,zero\n1.png,one\n")

    data = read(tmp_path, labels=str(table), skip_bad=True)

    assert [data.classes[label] for label in labels(data)] == ["one"]


@pytest.mark.parametrize("name", ["1.png", "all/1.png"])
def test_a_table_may_leave_out_the_folder_around_an_archive(tmp_path: Path, name: str) -> None:
    path = pack(tmp_path / "a.zip", {"all/1.png": png(1)})
    table = tmp_path / "t.csv"
    table.write_text(f"file,label\n{name},one\n")

    assert read(path, labels=str(table)).classes == ("one",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "file,label\n1.png,a\nx.png,b\n",
            r"1 of 2 rows name no image of .*: .*t\.csv:3 x\.png; there is 1\.png, 2\.png",
        ),
        ("file,label\n1.png,a\n", r"t\.csv: 1 of 2 images of .* have no row: 2\.png; add rows"),
    ],
)
def test_rows_and_pictures_must_match(tmp_path: Path, text: str, complaint: str) -> None:
    for name in ("1.png", "2.png"):
        save(tmp_path / name, one_colour("L", 1))
    table = tmp_path / "t.csv"
    table.write_text(text)

    with pytest.raises(DataError, match=complaint):
        read(tmp_path, labels=str(table))


def test_two_sources_of_classes_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", one_colour("L", 1))
    table = tmp_path / "t.csv"
    table.write_text("file,label\na/1.png,x\n")

    with pytest.raises(DataError, match=r"data\.classes and data\.labels both give classes"):
        read(tmp_path, labels=str(table), classes=True)


def test_columns_of_no_table_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "1.png", one_colour("L", 1))

    with pytest.raises(DataError, match=r"name columns of data\.labels, which is not set"):
        read(tmp_path, label="kind")


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there only")
def test_names_that_are_not_text_survive(tmp_path: Path) -> None:
    for name in ("a\nb.png", os.fsdecode(b"\xff.png")):
        save(tmp_path / name, one_colour("L", 1))
    (tmp_path / os.fsdecode(b"\xfe.png")).write_bytes(b"")

    with pytest.raises(DataError, match=r"are bad: \\udcfe\.png: the file is empty"):
        read(tmp_path)
    assert len(read(tmp_path, skip_bad=True)) == 2


class TestConformance(DatasetConformance):
    of = "dataset image_folder"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path) -> None:
        self.root = tmp_path / "data"
        for level, name in enumerate(("cats/a.png", "dogs/b.png", "dogs/c.png")):
            save(self.root / name, one_colour("L", 80 * level))

    def make(self) -> Dataset:
        return read(self.root, classes=True)
