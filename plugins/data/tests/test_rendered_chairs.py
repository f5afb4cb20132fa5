from __future__ import annotations

import io
import logging
import tarfile
from collections.abc import Iterator
from math import tau
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, DataError, Dataset, MissingFilesError
from gan_toolkit.testing.conformance import DatasetConformance
from gantk_data.readers.rendered_chairs import TURNS, parse, rendered_chairs

CHAIRS = ("1a6f", "0c11", "b200")
DEGREES = (0, 11, 186, 348)
CLASSES = (0, 1, 16, 30)


def render(level: int, side: int = 600) -> bytes:
    """A grey block of 100x100 at (150, 150), on white."""
    pixels = np.full((side, side, 3), 255, dtype=np.uint8)
    pixels[150:250, 150:250] = (level, level + 1, level + 2)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def name_of(chair: str, number: int, elevation: int, degrees: int) -> str:
    folder = f"rendered_chairs/{chair}/renders"
    return f"{folder}/image_{number:03}_p{elevation:03}_t{degrees:03}_r096.png"


def level_of(chair: int, elevation: int, turn: int) -> int:
    return 10 + chair * 60 + elevation * 30 + turn * 5


@pytest.fixture(scope="module")
def renders() -> dict[str, bytes]:
    """Three chairs from eight views, in the order of no sorting; III has a gap."""
    files = {}
    for chair, name in enumerate(CHAIRS):
        for elevation in (0, 1):
            for turn, degrees in enumerate(DEGREES):
                number = turn + 1 + 32 * elevation
                file = name_of(name, number, (20, 30)[elevation], degrees)
                files[file] = render(level_of(chair, elevation, turn))
    return files


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GANTK_CACHE", str(folder))
    return folder


def pack(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def unpack(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def expected() -> Iterator[tuple[float, float, float, int]]:
    """Model, azimuth, elevation and level of each sample, in order."""
    for model, name in enumerate(sorted(CHAIRS)):
        for elevation in (0, 1):
            for turn, klass in enumerate(CLASSES):
                level = level_of(CHAIRS.index(name), elevation, turn)
                yield model, klass * tau / 31, elevation, level


def check(data: ArrayDataset, size: int) -> None:
    models, azimuths, elevations, levels = zip(*expected(), strict=True)
    batch = data.batch(torch.arange(len(data)))
    assert data.name == "3D Chairs"
    assert data.source == "real"
    assert data.sample_shape == (1, size, size)
    assert [factor.name for factor in data.factors] == ["model", "azimuth", "elevation"]
    assert [factor.kind for factor in data.factors] == ["discrete", "circular", "discrete"]
    assert data.factors[0].values == tuple(sorted(CHAIRS))
    assert data.factors[2].values == ("20", "30")
    assert batch.factors is not None
    wanted = torch.tensor([models, azimuths, elevations]).T
    torch.testing.assert_close(batch.factors, wanted)
    centre = size * 200 // 600
    assert batch.samples[:, 0, centre, centre].tolist() == [level + 1 for level in levels]
    assert batch.samples[:, 0, 0, 0].tolist() == [255] * len(data)


def test_a_tar_is_read_without_extracting(tmp_path: Path, renders: dict[str, bytes]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    noise = {"rendered_chairs/all_chair_names.mat": b"MATLAB 5.0", "._junk": b"x"}
    pack(root / "rendered_chairs.tar", noise | renders)

    check(rendered_chairs(root, 30, "none", None), 30)

    assert [path.name for path in root.iterdir()] == ["rendered_chairs.tar"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_is_read_from_above_or_inside(
    tmp_path: Path, renders: dict[str, bytes], inside: bool
) -> None:
    unpack(tmp_path, renders | {"rendered_chairs/all_chair_names.mat": b"MATLAB 5.0"})

    root = tmp_path / "rendered_chairs" if inside else tmp_path

    check(rendered_chairs(root, 24, "none", None), 24)


def test_the_tar_is_looked_for_first(tmp_path: Path, renders: dict[str, bytes]) -> None:
    pack(tmp_path / "rendered_chairs.tar", renders)
    unpack(tmp_path, dict(list(renders.items())[:8]))

    assert len(rendered_chairs(tmp_path, 6, "none", None)) == 24


def test_without_a_root_the_data_folder_is_read(
    tmp_path: Path, renders: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(tmp_path / "rendered_chairs.tar", renders)
    monkeypatch.setenv("GANTK_DATA", str(tmp_path))

    assert len(rendered_chairs(None, 6, "none", None)) == 24


def test_the_box_shows_chairs_larger(tmp_path: Path, renders: dict[str, bytes]) -> None:
    pack(tmp_path / "rendered_chairs.tar", renders)

    image = rendered_chairs(tmp_path, 40, "box", 1).batch(torch.tensor([0])).samples[0, 0]

    level = level_of(CHAIRS.index("0c11"), 0, 0) + 1
    assert image[8:12, 8:12].unique().tolist() == [level]  # it reaches from 5 to 15
    assert int(image[20, 20]) == 255


def test_grey_is_the_plain_mean(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (600, 600), (255, 0, 1)).save(file, "PNG")
    pack(tmp_path / "rendered_chairs.tar", {name_of("a", 1, 20, 0): file.getvalue()})

    samples = rendered_chairs(tmp_path, 4, "none", None).batch(torch.tensor([0])).samples

    assert samples.unique().tolist() == [85]  # luma would be 76


def test_limit_takes_the_first_in_order(tmp_path: Path, renders: dict[str, bytes]) -> None:
    pack(tmp_path / "rendered_chairs.tar", renders)

    data = rendered_chairs(tmp_path, 6, "none", 10)

    factors = data.batch(torch.arange(10)).factors
    assert factors is not None
    assert len(data) == 10
    assert factors[:, 0].tolist() == [0] * 8 + [1] * 2
    assert data.factors[0].values == ("0c11", "1a6f")
    with pytest.raises(DataError, match="limit = 25 is more than the 24"):
        rendered_chairs(tmp_path, 6, "none", 25)


def test_pictures_are_prepared_once(
    tmp_path: Path, renders: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    pack(tmp_path / "rendered_chairs.tar", renders)
    first = rendered_chairs(tmp_path, 6, "none", None)

    with monkeypatch.context() as patch:
        patch.setattr("gantk_data.readers.rendered_chairs.decode", None)
        second = rendered_chairs(tmp_path, 6, "none", None)

    assert first.fingerprint() == second.fingerprint()
    assert second.factors == first.factors
    assert len(list((cache / "rendered_chairs").glob("*/manifest.json"))) == 1


@pytest.mark.parametrize("layout", ["tar", "folder"])
def test_changed_files_and_options_are_prepared_again(
    tmp_path: Path, renders: dict[str, bytes], layout: str, cache: Path
) -> None:
    some = dict(list(renders.items())[:2])
    name = next(iter(some))
    for files in (some, some | {name: renders[name] + b"longer"}):
        if layout == "tar":
            pack(tmp_path / "rendered_chairs.tar", files)
        else:
            unpack(tmp_path, files)
        rendered_chairs(tmp_path, 6, "none", None)
    rendered_chairs(tmp_path, 7, "none", None)
    rendered_chairs(tmp_path, 6, "box", None)
    rendered_chairs(tmp_path, 6, "none", 1)

    assert len(list((cache / "rendered_chairs").glob("*/manifest.json"))) == 5


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        rendered_chairs(tmp_path, 64, "none", None)

    text = str(caught.value)
    assert f"no rendered_chairs.tar, rendered_chairs/, <id>/renders/ in {tmp_path};" in text
    assert "gantk data info rendered_chairs" in text
    assert caught.value.exit_code == 4


def test_an_archive_of_something_else_says_what_it_saw(tmp_path: Path) -> None:
    pack(tmp_path / "rendered_chairs.tar", {"cats/1.png": b"", "cats/2.png": b""})

    with pytest.raises(MissingFilesError, match=r"saw 2 other files, the first is cats/1\.png"):
        rendered_chairs(tmp_path, 64, "none", None)


@pytest.mark.parametrize("layout", ["tar", "folder"])
@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "the file is empty"),
        (render(0)[:-2000], "it is cut: a PNG ends in IEND"),
        (render(0, side=300), "it is 300x300, expected 600x600"),
    ],
)
def test_a_damaged_render_is_named_and_nothing_is_kept(
    tmp_path: Path, data: bytes, complaint: str, layout: str, cache: Path
) -> None:
    files = {name_of("a", 1, 20, 0): render(0), name_of("a", 2, 20, 11): data}
    if layout == "tar":
        pack(tmp_path / "rendered_chairs.tar", files)
    else:
        unpack(tmp_path, files)

    with pytest.raises(DataError, match=complaint) as caught:
        rendered_chairs(tmp_path, 6, "none", None)

    assert "a/renders/image_002_p020_t011_r096.png: " in str(caught.value)
    assert [path.suffix for path in (cache / "rendered_chairs").iterdir()] in ([], [".lock"])


def names(chair: str = "a", degrees: tuple[int, ...] = DEGREES) -> list[str]:
    return [name_of(chair, n, p, t) for p in (20, 30) for n, t in enumerate(degrees)]


@pytest.mark.parametrize("first", [0, 360])
def test_the_floored_degrees_of_a_turn_are_its_31_classes(first: int) -> None:
    degrees = [first] + [k * 360 // TURNS for k in range(1, TURNS)]

    views = parse(names(degrees=tuple(degrees)), Path("x.tar"))

    assert [view.turn for view in views] == [*range(TURNS), *range(TURNS)]
    by_class = {view.turn: view.file for view in views}
    assert f"_t{first:03}_" in by_class[0]
    assert "_t011_" in by_class[1]
    assert "_t348_" in by_class[30]


def test_two_renders_of_one_view_are_refused() -> None:
    twice = [*names(), name_of("a", 99, 20, 360)]

    with pytest.raises(DataError, match=r"image_099_p020_t360_r096\.png shows the same view as"):
        parse(twice, Path("x.tar"))


def test_an_unknown_elevation_is_refused() -> None:
    with pytest.raises(DataError, match="elevation 25 is none of"):
        parse([name_of("a", 1, 25, 0)], Path("x.tar"))


def test_chairs_with_other_views_are_listed_in_one_line(
    tmp_path: Path, renders: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    lacking = name_of("b200", 1, 20, 0)
    some = {name: data for name, data in renders.items() if name != lacking}
    pack(tmp_path / "rendered_chairs.tar", some)

    with caplog.at_level(logging.WARNING, logger="gantk"):
        data = rendered_chairs(tmp_path, 6, "none", None)

    assert len(data) == 23
    (record,) = caplog.records
    assert "1 of 3 chairs have other views than the 8 of the rest: b200" in record.getMessage()


class TestConformance(DatasetConformance):
    of = "dataset rendered_chairs"

    @pytest.fixture(autouse=True)
    def files(self, tmp_path: Path, renders: dict[str, bytes]) -> None:
        self.root = tmp_path / "data"
        unpack(self.root, renders)

    def make(self) -> Dataset:
        return rendered_chairs(self.root, 30, "none", None)
