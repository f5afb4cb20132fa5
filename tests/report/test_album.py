"""Each tile is what the generator makes of its values, and an album keeps its budget."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from gan_toolkit.interfaces import Grid, Latent
from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import to_uint8
from gan_toolkit.report import images
from gan_toolkit.report.album import Album, Budget, Source, draw
from gan_toolkit.report.images import DataUri, data_uri
from gan_toolkit.report.layout import LEVELS
from gan_toolkit.report.tiles import PointTiles

Painter = Callable[..., Source]


def opened(uri: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))


def tile(album: Album, held: Mapping[str, int], row: int) -> np.ndarray[Any, Any]:
    """Cut a tile out of the sheet on which just these codes are held."""
    names = [code.name for code in album.codes]
    (sheet,) = [s for s in album.sheets if {code.name for code in s.held} == set(held)]
    values = [held[code.name] for code in sheet.held]
    column = values[0] if values else 0
    line = (values[1] if len(values) > 1 else 0) * album.rows + row
    y, x = line * album.height, column * album.width
    assert set(held) <= set(names)
    return opened(sheet.image)[y : y + album.height, x : x + album.width]


@pytest.mark.parametrize(
    "held", [{}, {"dial": 0}, {"dial": 24}, {"pick": 2}, {"dial": 3, "pick": 1}]
)
@pytest.mark.parametrize("row", [0, 5])
def test_a_tile_is_what_the_generator_makes(
    painter: Painter, held: dict[str, int], row: int
) -> None:
    source = painter()
    album = draw(source)

    latent = source.space.sample(album.rows, torch.Generator().manual_seed(0))
    for name, value in held.items():
        (code,) = [code for code in album.codes if code.name == name]
        latent[:, source.space.columns(name)] = code.grid.values[value]
    wanted = to_uint8(source.generate(latent))[row, 0].numpy()

    assert np.array_equal(tile(album, held, row), wanted)


def test_the_same_generator_gives_the_same_album(painter: Painter) -> None:
    albums = [draw(painter(), work=lambda: 0.0) for _ in range(2)]

    assert albums[0].to_json() == albums[1].to_json()
    assert [s.image for s in albums[0].sheets] == [s.image for s in albums[1].sheets]


def test_little_room_gives_fewer_values_then_fewer_pairs(painter: Painter) -> None:
    tile_pixels = 64
    whole = draw(painter(), Budget(pixels=tile_pixels * 1_000), work=lambda: 0.0)
    small = draw(painter(), Budget(pixels=tile_pixels * 250), work=lambda: 0.0)
    least = draw(painter(), Budget(pixels=tile_pixels * 20), work=lambda: 0.0)

    assert (len(whole.codes[0]), whole.rows) == LEVELS[0]
    assert len(small.codes[0]) < len(whole.codes[0])
    assert len(small.sheets) == len(whole.sheets) == 4
    assert (len(least.codes[0]), least.rows) == LEVELS[-1]
    assert len(least.sheets) == 3
    assert least.notes == ["no room for 1 of 1 pairs of codes"]


def test_pairs_with_a_number_come_before_pairs_of_choices(painter: Painter) -> None:
    whole = painter()
    space = LatentSpace({**whole.space, "other": whole.space["pick"]})
    names = ("pick", "other", "dial")

    album = draw(Source(space, names, whole.generate), work=lambda: 0.0)

    pairs = [[code.name for code in s.held] for s in album.sheets if len(s.held) == 2]
    assert pairs == [["pick", "dial"], ["other", "dial"], ["pick", "other"]]


def test_a_slow_generator_gives_fewer_values(painter: Painter) -> None:
    ticks = iter([0.0, 64.0 * 0.1])  # a tenth of a second a sample

    album = draw(painter(), Budget(seconds=20.0), work=lambda: next(ticks))

    assert len(album.codes[0]) < LEVELS[0][0]


def test_pairs_are_left_out_when_it_takes_far_too_long(painter: Painter) -> None:
    clock = iter([0.0, *[1e9] * 9])

    album = draw(painter(), work=lambda: 0.0, clock=lambda: next(clock))

    assert album.notes == ["no time for dial with pick"]
    assert len(album.sheets) == 3


def test_what_takes_too_many_bytes_is_left_out_and_named(painter: Painter) -> None:
    album = draw(painter(), Budget(bytes=300))

    assert 0 < sum(sheet.image.size for sheet in album.sheets) <= 300
    assert "no room for dial with pick" in album.notes


class Broken(Latent):
    width = 1

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.zeros(count, 1)

    def grid(self, count: int) -> Grid:
        raise ValueError("it has no order")


def test_a_code_that_can_not_be_traversed_is_named(painter: Painter) -> None:
    whole = painter()
    space = LatentSpace({**whole.space, "odd": Broken()})
    source = Source(space, (*whole.codes, "odd"), whole.generate)

    album = draw(source)

    assert [code.name for code in album.codes] == ["dial", "pick"]
    assert album.notes == ["odd: it has no order"]


def test_without_codes_there_are_samples(painter: Painter) -> None:
    whole = painter()

    album = draw(Source(whole.space, (), whole.generate))

    assert [sheet.held for sheet in album.sheets] == [()]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda z: torch.full((len(z), 1, 4, 4), torch.nan), "numbers that are not finite"),
        (lambda z: torch.full((len(z), 2), torch.nan), "numbers that are not finite"),
        (lambda z: torch.zeros(len(z), 5, 4, 4), "samples of shape 5x4x4 can't be drawn"),
        (lambda z: torch.zeros(len(z), 1), "samples of shape 1 can't be drawn"),
    ],
)
def test_what_can_not_be_drawn_is_told(
    painter: Painter, make: Callable[[Tensor], Tensor], text: str
) -> None:
    whole = painter()

    with pytest.raises(ValueError, match=text):
        draw(Source(whole.space, whole.codes, make))


def test_a_circle_closes_and_a_line_does_not(painter: Painter) -> None:
    class Angle(Broken):
        width = 2

        def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
            return torch.zeros(count, 2)

        def grid(self, count: int) -> Grid:
            turns = torch.arange(count) / count * 2 * torch.pi
            points = torch.stack([turns.cos(), turns.sin()], dim=1)
            return Grid(points, [str(i) for i in range(count)], [True] * count)

    whole = painter()
    space = LatentSpace({**whole.space, "angle": Angle()})

    codes = draw(Source(space, [*space][1:], whole.generate), work=lambda: 0.0).codes

    found = {code.name: (code.closed, len(code)) for code in codes}
    values = LEVELS[0][0]
    assert found == {"dial": (False, values), "pick": (False, 3), "angle": (True, values - 1)}


def test_points_are_dots_where_they_are_held_over_grey_ones(painter: Painter) -> None:
    space = painter().space

    def points(latent: Tensor) -> Tensor:
        return torch.stack([latent[:, 1], torch.zeros(len(latent))], dim=1)

    album = draw(Source(space, ("dial",), points))
    ends = [tile(album, {"dial": value}, 0) for value in (0, 12, 24)]

    assert (album.rows, album.points) == (1, PointTiles.draws)
    middle = album.height // 2
    dark = [np.flatnonzero(end[middle] < 120) for end in ends]
    assert dark[0].size == 0  # beyond what the generator makes when nothing is held
    assert abs(dark[1].mean() - middle) < 2
    assert (ends[1][middle] < 220).sum() > album.width * 0.7  # the grey line of all samples


# --- pictures as text -----------------------------------------------------------------------


def noise(side: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8))


def test_a_picture_is_exact_if_that_is_allowed() -> None:
    picture = noise(40)

    exact, close = data_uri(picture, allowance=1e6), data_uri(picture, allowance=100)

    assert np.array_equal(opened(exact), np.asarray(picture))
    assert close.size < exact.size


def test_without_webp_a_picture_is_a_png(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.features, "check", lambda _: False)
    picture = noise(12)

    uri = data_uri(picture)

    assert uri.startswith("data:image/png;base64,")
    assert np.array_equal(opened(uri), np.asarray(picture))


def test_a_picture_as_text_has_no_letter_that_means_anything_in_a_page() -> None:
    assert set(DataUri("png", bytes(range(256)))) & set("<>&\"' ") == set()


def test_a_picture_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="20000x1 is too large for a page"):
        data_uri(Image.new("L", (20_000, 1)))


@pytest.mark.slow
def test_an_album_of_pure_noise_keeps_its_bytes(painter: Painter) -> None:
    whole = painter()

    def static(latent: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(len(latent))
        return torch.rand(len(latent), 3, 64, 64, generator=rng) * 2 - 1

    album = draw(Source(whole.space, whole.codes, static), work=lambda: 0.0)

    assert sum(sheet.image.size for sheet in album.sheets) <= Budget().bytes
