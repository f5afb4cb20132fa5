from __future__ import annotations

import io
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from gantk_data.pictures import (
    BadPictureError,
    decode,
    pixels,
    stream_pictures,
    to_square,
)


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def photograph() -> bytes:
    """640x424, full of roof tiles: hard to shrink."""
    whole = Image.open(files("sklearn.datasets") / "images" / "china.jpg")
    return encoded(whole.crop((0, 0, 640, 424)), quality=92).getvalue()


def square(data: bytes, size: int, at_least: int | None) -> np.ndarray:
    image = decode(io.BytesIO(data), at_least=at_least)
    return pixels(to_square(image, size, "crop", "white"), 3).astype(int)


# --- JPEGs decoded smaller -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "at_least", "most"), [(53, 53, 3.7), (70, 70, 1.7), (106, 212, 1.1), (53, 106, 1.1)]
)
def test_a_jpeg_decoded_smaller_stays_close_to_the_whole_one(
    size: int, at_least: int, most: float
) -> None:
    data = photograph()
    assert min(decode(io.BytesIO(data), at_least=at_least).size) < 424

    difference = np.abs(square(data, size, at_least) - square(data, size, None))

    assert 0 < difference.mean() < most


@pytest.mark.parametrize(
    ("size", "at_least", "expected"),
    [
        ((178, 218), 64, (89, 109)),
        ((178, 218), 89, (89, 109)),
        ((178, 218), 90, (178, 218)),
        ((4000, 3000), 64, (500, 375)),
        ((4000, 3000), 500, (1000, 750)),
        ((500, 375), 32, (500, 375)),  # an odd side has no exact half
        ((8, 800), 1, (1, 100)),
        ((8, 8), 64, (8, 8)),
    ],
)
def test_the_shorter_side_keeps_as_many_pixels_as_asked(
    size: tuple[int, int], at_least: int, expected: tuple[int, int]
) -> None:
    assert decode(encoded(Image.new("RGB", size)), at_least=at_least).size == expected


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_every_mode_of_a_jpeg_can_be_decoded_smaller(mode: str) -> None:
    grey = Image.new("RGB", (64, 64), (90, 90, 90)).convert(mode)

    image = decode(encoded(grey), at_least=8)

    assert image.size == (8, 8)
    assert abs(int(np.asarray(image).mean()) - 90) <= 1


def test_a_turned_jpeg_is_decoded_smaller_and_upright() -> None:
    upright = np.zeros((64, 32, 3), dtype=np.uint8)
    upright[:16] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    stored = encoded(Image.fromarray(np.rot90(upright).copy()), exif=exif, quality=95)

    image = decode(stored, at_least=8)

    assert image.size == (8, 16)
    assert image.getpixel((4, 1))[0] > 250
    assert image.getpixel((4, 6)) < (5, 5, 5)


def test_other_formats_come_whole() -> None:
    assert decode(encoded(Image.new("L", (64, 64)), "PNG"), at_least=8).size == (64, 64)


@pytest.mark.parametrize("share", range(1, 100, 7))
def test_a_cut_jpeg_is_refused_when_decoded_smaller(share: int) -> None:
    data = photograph()

    with pytest.raises(BadPictureError):
        decode(io.BytesIO(data[: len(data) * share // 100]), at_least=50)


# --- many at once ----------------------------------------------------------------------------


def test_results_come_in_the_order_of_the_items() -> None:
    def work(number: int) -> int:
        time.sleep(0.002 * (number % 3))
        return number

    assert list(stream_pictures(work, range(100))) == list(range(100))
    assert list(stream_pictures(work, [])) == []


@pytest.mark.parametrize("ahead", [1, 5, 64, 1000])
def test_a_stream_takes_no_more_than_it_was_allowed_ahead(ahead: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(3000):
            taken += 1
            yield number

    most = 0
    for done, number in enumerate(stream_pictures(abs, items(), ahead)):
        assert number == done
        most = max(most, taken - done)

    assert taken == 3000
    assert ahead / 2 <= most <= ahead + 16


def fail() -> None:
    raise OSError("at 40")


def press_ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """A shell that starts tests in the background lets them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_counts")
@pytest.mark.parametrize(("event", "ends_as"), [(fail, OSError), (press_ctrl_c, KeyboardInterrupt)])
def test_whatever_ends_a_stream_drops_what_was_waiting(
    event: Callable[[], None], ends_as: type[BaseException]
) -> None:
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.001)
        if number == 40:
            event()

    with pytest.raises(ends_as):
        for _ in stream_pictures(work, range(1_000_000), ahead=512):
            pass

    assert len(begun) < 400
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


def test_closing_a_stream_drops_the_rest() -> None:
    begun = []
    stream = stream_pictures(begun.append, iter(range(1_000_000)), ahead=64)
    next(stream)

    stream.close()

    assert len(begun) <= 64 + 16
    assert not [thread for thread in threading.enumerate() if "ThreadPool" in thread.name]


@pytest.mark.filterwarnings("default")
def test_only_warnings_of_pillow_become_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    large = encoded(Image.new("L", (4, 4)), "PNG").getvalue()

    def work(data: bytes) -> str:
        warnings.warn("of somebody else", stacklevel=1)
        try:
            decode(io.BytesIO(data))
        except BadPictureError as error:
            return str(error)
        return ""

    before = list(warnings.filters)

    with pytest.warns(UserWarning, match="of somebody else"):
        (complaint,) = stream_pictures(work, [large])

    assert complaint.startswith("DecompressionBombWarning")
    assert list(warnings.filters) == before
