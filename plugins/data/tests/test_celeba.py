from __future__ import annotations

import io
import logging
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Dataset, MissingFilesError
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.options import CelebaOptions
from gantk_data.readers.celeba import box, celeba

COUNT = 6
NAMES = [f"{number:06}.jpg" for number in range(1, COUNT + 1)]
LEVELS = (10, 50, 90, 130, 170, 210)
PARTS = (0, 2, 0, 1, 2, 0)
ATTRIBUTES = ("Bald", "Male", "Smiling")
TEXTS = (
    "list_attr_celeba.txt",
    "list_eval_partition.txt",
    "list_landmarks_align_celeba.txt",
)
COLUMNS = (
    "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y "
    "leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
)


def face(level: int, size: tuple[int, int] = (178, 218)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, level, level)).save(file, "JPEG", quality=95)
    return file.getvalue()


def landmarks(number: int) -> str:
    return f"70 110 110 110 {70 + 8 * number} 140 75 155 105 155"


def write_texts(folder: Path, names: list[str] = NAMES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    attributes = [
        f"{name} {'1' if row % 2 else '-1'}  1 {'1' if row % 3 == 0 else '-1'}"
        for row, name in enumerate(names)
    ]
    marks = [f"{name}  {landmarks(row)}" for row, name in enumerate(names)]
    heads = {TEXTS[0]: " ".join(ATTRIBUTES) + " ", TEXTS[2]: COLUMNS}
    for text, lines in ((TEXTS[0], attributes), (TEXTS[2], marks)):
        (folder / text).write_text("\n".join([str(len(names)), heads[text], *lines, ""]))
    parts = [f"{name} {part}\n" for name, part in zip(names, PARTS, strict=True)]
    (folder / TEXTS[1]).write_text("".join(parts))


def write_pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, level in zip(NAMES, LEVELS, strict=True):
        (folder / name).write_bytes(face(level))


def pack(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        # Not in their order, as in no sorting.
        for name, level in reversed(list(zip(NAMES, LEVELS, strict=True))):
            archive.writestr(f"img_align_celeba/{name}", face(level))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    write_texts(folder / "celeba")
    write_pictures(folder / "celeba" / "img_align_celeba")
    return folder


def read(root: Path, **options: Any) -> ArrayDataset:
    checked = CelebaOptions(root=str(root), **{"size": 8, **options})
    given = {name: getattr(checked, name) for name in type(checked).model_fields}
    return celeba(**given)


def levels(data: ArrayDataset) -> list[int]:
    centres = data.batch(torch.arange(len(data))).samples[:, 0, 4, 4]
    return [LEVELS[int(np.argmin(np.abs(np.array(LEVELS) - int(c))))] for c in centres]


def factors(data: ArrayDataset) -> list[list[float]]:
    values = data.batch(torch.arange(len(data))).factors
    assert values is not None
    return values.tolist()


def of_part(*parts: int) -> list[int]:
    return [level for level, part in zip(LEVELS, PARTS, strict=True) if part in parts]


@pytest.mark.parametrize(
    ("split", "parts"), [("train", (0,)), ("valid", (1,)), ("test", (2,)), ("all", (0, 1, 2))]
)
def test_splits_follow_the_partition(root: Path, split: str, parts: tuple[int, ...]) -> None:
    data = read(root, split=split)

    assert levels(data) == of_part(*parts)
    assert data.name == ("CelebA" if split == "train" else f"CelebA {split}")
    assert data.sample_shape == (3, 8, 8)
    assert data.source == "real"
    held_out = data.held_out()
    assert (held_out is not None) == (split == "train")
    if held_out is not None:
        assert isinstance(held_out, ArrayDataset)
        assert levels(held_out) == of_part(2)
        assert held_out.factors == data.factors


def test_attributes_azimuth_and_landmarks_are_factors(root: Path) -> None:
    data = read(root, split="all")

    attributes, rest = data.factors[:3], data.factors[3:]
    assert [(f.name, f.values, f.scored) for f in attributes] == [
        ("Bald", ("no", "yes"), True),
        ("Male", ("no", "yes"), False),
        ("Smiling", ("no", "yes"), True),
    ]
    assert [f.name for f in rest] == ["azimuth_proxy", *COLUMNS.split()]
    assert [f.scored for f in rest] == [True] + [False] * 10
    first, last = factors(data)[0], factors(data)[5]
    assert first == [0, 1, 1, -1.0, 70, 110, 110, 110, 70, 140, 75, 155, 105, 155]
    assert last == [1, 1, 0, 1.0, 70, 110, 110, 110, 110, 140, 75, 155, 105, 155]


def test_all_attributes_can_be_scored(root: Path) -> None:
    data = read(root, scored="all")

    assert all(factor.scored for factor in data.factors[:3])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("70 110 110 110 90 140 75 155 105 155", 0.0),
        ("70 110 110 110 177 140 75 155 105 155", 2.0),
        ("90 110 90 110 90 140 75 155 105 155", -1.0),  # eyes in one place
    ],
)
def test_the_azimuth_is_read_from_the_nose(root: Path, line: str, expected: float) -> None:
    path = root / "celeba" / TEXTS[2]
    path.write_text(path.read_text().replace(landmarks(0), line))

    assert factors(read(root, split="all"))[0][3] == expected


@pytest.mark.parametrize("place", ["celeba", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_every_layout_is_read_in_place(tmp_path: Path, place: str, packed: bool) -> None:
    folder = tmp_path / "root" / place
    write_texts(folder)
    if packed:
        pack(folder / "img_align_celeba.zip")
    else:
        write_pictures(folder / "img_align_celeba")
    before = sorted(path.name for path in folder.iterdir())

    data = read(tmp_path / "root", split="all")

    assert levels(data) == list(LEVELS)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_folder_comes_before_the_zip_and_the_data_folder_is_the_default(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "img_align_celeba.zip").write_bytes(b"no zip")
    monkeypatch.setenv("GANTK_DATA", str(root))

    assert len(celeba(None, "train", 8, "128", "claimed", None)) == 3


def test_images_alone_are_a_set_without_split(tmp_path: Path) -> None:
    write_pictures(tmp_path / "img_align_celeba")

    data = read(tmp_path, split="all")

    assert levels(data) == list(LEVELS)
    assert data.factors == ()
    with pytest.raises(DataError, match=r"no list_eval_partition\.txt .* split = 'all'") as caught:
        read(tmp_path, split="train")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(("text", "kept"), [(TEXTS[0], 11), (TEXTS[2], 3)])
def test_a_text_that_is_not_there_leaves_its_factors_out(root: Path, text: str, kept: int) -> None:
    (root / "celeba" / text).unlink()

    assert len(read(root).factors) == kept


def test_missing_pictures_name_every_place(tmp_path: Path) -> None:
    write_texts(tmp_path / "celeba")

    with pytest.raises(DataError) as caught:
        read(tmp_path)

    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert "no img_align_celeba/, img_align_celeba.zip" in text
    assert f"{tmp_path / 'celeba'} or {tmp_path}" in text
    assert "gantk data info celeba" in text


def test_what_is_not_as_published_is_one_warning(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):  # when prepared, and when found
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="gantk"):
            read(root)

        (record,) = caplog.records
        text = record.getMessage()
        assert "d32c9cbf5e040fd4025c592c306e6668" in text
        assert text.count("has md5") == 3
        assert "holds 6 images, not 202,599" in text


def test_limit_takes_the_first_of_the_split(root: Path) -> None:
    data = read(root, limit=2)

    held_out = data.held_out()
    assert levels(data) == of_part(0)[:2]
    assert held_out is not None
    assert len(held_out) == 2
    with pytest.raises(DataError, match="limit = 4 is more than the 3"):
        read(root, limit=4)


def test_crops_cut_what_they_say(tmp_path: Path) -> None:
    y, x = np.mgrid[:218, :178]
    pixels = np.stack([x, y, np.zeros_like(x)], axis=2).astype(np.uint8)
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    Image.fromarray(pixels).save(folder / "000001.jpg", quality=100, subsampling=0)

    for crop, left, upper, width, height in (
        ("108", 35, 55, 108, 108),
        ("128", 25, 45, 128, 128),
        ("140", 19, 39, 140, 140),
        ("178", 0, 20, 178, 178),
        ("progressive", 25, 57, 128, 128),
        ("none", 0, 0, 178, 218),
    ):
        assert box(crop) == (left, upper, left + width, upper + height)  # type: ignore[arg-type]
        for size in (8, 64):  # small enough for the decoder to shrink, and not
            picture = read(tmp_path, split="all", crop=crop, size=size)
            image = picture.batch(torch.tensor([0])).samples[0].float()
            assert abs(image[0].mean() - (left + width / 2)) < 2.5
            assert abs(image[1].mean() - (upper + height / 2)) < 2.5
            assert abs(image[0, :, -1].mean() - (left + width * (1 - 0.5 / size))) < 4.5


@pytest.mark.parametrize(("size", "exact"), [(64, True), (32, False)])
def test_the_decoder_shrinks_only_to_twice_what_is_needed(
    tmp_path: Path, size: int, exact: bool
) -> None:
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (18, 15, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((178, 218)).save(folder / NAMES[0], quality=90)
    with Image.open(folder / NAMES[0]) as image:
        whole = image.resize((size, size), Image.Resampling.LANCZOS, box=box("128"))

    samples = read(tmp_path, split="all", size=size).batch(torch.tensor([0])).samples

    difference = samples[0].numpy().astype(int) - np.asarray(whole).transpose(2, 0, 1)
    assert (np.abs(difference).max() == 0) == exact
    assert np.abs(difference).mean() < 2


def spoil(root: Path, fault: str) -> None:
    folder = root / "celeba"
    attributes, partition, marks = (folder / text for text in TEXTS)
    picture = folder / "img_align_celeba" / NAMES[0]
    if fault == "size":
        picture.write_bytes(face(10, (178, 200)))
    elif fault == "cut":
        picture.write_bytes(face(10)[:-400])
    elif fault == "picture gone":
        picture.unlink()
    elif fault == "picture more":
        (folder / "img_align_celeba" / "000099.jpg").write_bytes(face(1))
    elif fault == "count":
        attributes.write_text(attributes.read_text().replace("6\n", "7\n", 1))
    elif fault == "value":
        attributes.write_text(attributes.read_text().replace("000002.jpg 1", "000002.jpg 3"))
    elif fault == "short line":
        attributes.write_text(attributes.read_text().replace("000002.jpg 1", "000002.jpg"))
    elif fault == "one number":
        attributes.write_text(attributes.read_text().replace("000002.jpg 1  1 -1", "000002.jpg 1"))
    elif fault == "columns":
        marks.write_text(marks.read_text().replace("nose_x nose_y", "nose_y nose_x"))
    elif fault == "column names":
        attributes.write_text(attributes.read_text().replace("Bald", "B;ld"))
    elif fault == "part":
        partition.write_text(partition.read_text().replace("000003.jpg 0", "000003.jpg 3"))
    elif fault == "twice":
        partition.write_text(partition.read_text() + "000003.jpg 0\n")
    elif fault == "empty":
        partition.write_text("\n")
    elif fault == "bytes":
        partition.write_bytes(b"\xff\xfe")
    elif fault == "split":
        partition.write_text("".join(f"{name} 2\n" for name in NAMES))


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("size", r"000001\.jpg: it is 178x200, expected 178x218"),
        ("cut", r"img_align_celeba: 000001\.jpg: OSError: image file is truncated"),
        ("picture gone", r"list_\w+\.txt: 1 pictures are not there, such as 000001\.jpg"),
        ("picture more", r"list_\w+\.txt: 1 pictures are not listed in it, such as 000099\.jpg"),
        ("count", r"list_attr_celeba\.txt: line 1 promises '7' pictures, 6 are listed"),
        ("value", r"list_attr_celeba\.txt: 000002\.jpg has 3; an attribute is -1 or 1"),
        ("short line", r"line 4 is not a file's name and 3 whole numbers: '000002\.jpg  1 -1'"),
        ("one number", r"line 4 is not a file's name and 3 whole numbers: '000002\.jpg 1'"),
        ("columns", r"list_landmarks_align_celeba\.txt: its columns are lefteye_x"),
        ("column names", r"list_attr_celeba\.txt: line 2 does not name the columns"),
        ("part", r"list_eval_partition\.txt: 000003\.jpg has 3; a part is 0, 1 or 2"),
        ("twice", r"list_eval_partition\.txt: a picture is listed twice"),
        ("empty", r"list_eval_partition\.txt: it is empty"),
        ("bytes", r"list_eval_partition\.txt: it can't be read: 'ascii'"),
        ("split", r"no image is of split 'train'"),
    ],
)
def test_damage_is_named_and_nothing_is_kept(
    root: Path, cache: Path, fault: str, complaint: str
) -> None:
    spoil(root, fault)

    with pytest.raises(DataError, match=complaint) as caught:
        read(root)

    assert caught.value.exit_code == 4
    kept = {path.suffix for path in (cache / "celeba").iterdir() if not path.is_dir()}
    assert kept <= {".lock"}


def test_another_set_is_not_celeba(tmp_path: Path) -> None:
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(face(0))

    with pytest.raises(MissingFilesError, match=r"no 000001\.jpg, .* in .*img_align_celeba;"):
        read(tmp_path, split="all")


def test_one_picture_in_two_places_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pictures(tmp_path / "img_align_celeba" / name)

    with pytest.raises(DataError, match=r"b/000001\.jpg and a/000001\.jpg are one picture"):
        read(tmp_path, split="all")


def test_a_text_that_changes_is_read_again(root: Path) -> None:
    before = read(root, split="all")
    attributes = next(root.rglob(TEXTS[0]))
    attributes.write_text(attributes.read_text().replace("000002.jpg 1  1", "000002.jpg -1  1"))

    after = read(root, split="all")

    assert before.fingerprint() != after.fingerprint()
    bald = [[row[0] for row in factors(data)] for data in (before, after)]
    assert [old - new for old, new in zip(*bald, strict=True)].count(1.0) == 1


def test_it_is_prepared_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(root)

    monkeypatch.setattr("gantk_data.readers.celeba.decode", None)

    assert read(root).fingerprint() == first.fingerprint()


class TestConformance(DatasetConformance):
    of = "dataset celeba"

    @pytest.fixture(autouse=True)
    def files(self, root: Path) -> None:
        self.root = root

    def make(self) -> Dataset:
        return read(self.root)
