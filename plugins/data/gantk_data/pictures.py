"""Decoding strangers' pictures with Pillow: guarded, and without guessing what pixels mean.

| Pillow's mode | becomes |
|---|---|
| 1, L | grey |
| RGB | colour |
| P | the colours of its palette |
| LA, PA, RGBA, or a transparent colour is named | colour, composed on the background |
| CMYK, YCbCr | colour, without colour management |
| I;16 and kin; I when a PNG or PNM says 16 bits | grey, v >> 8 |
| anything else (32-bit integers, floats, Lab) | refused: no range is stated |

16-bit colour is brought to 8 bits by Pillow itself, which drops the low byte too. Colour profiles
(ICC) are ignored: numbers mean what the file says without them.
"""

from __future__ import annotations

import io
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "PPM")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
BACKGROUNDS = {"white": (255, 255, 255), "grey": (128, 128, 128), "black": (0, 0, 0)}
MAX_PIXELS = 64_000_000
_WORKERS = 8
_BUNDLE = 16
_PNG_END = b"IEND\xaeB`\x82"
_PLAIN = (b"P1", b"P2", b"P3")

Work = TypeVar("Work")
Result = TypeVar("Result")


class BadPictureError(ValueError):
    """A file can't be used as a picture; the text says why, without its name."""


def decode(
    file: Path | IO[bytes],
    background: str = "white",
    max_pixels: int = MAX_PIXELS,
    at_least: int | None = None,
    only: tuple[int, int] | None = None,
) -> Image.Image:
    """Return the picture as mode L or RGB, turned as its EXIF says.

    With `only`, pictures of another width and height are bad, before anything is decoded.

    With `at_least`, a JPEG may come 2, 4 or 8 times smaller, if that divides its sides and leaves
    the shorter one so many pixels. The decoder then leaves out high frequencies instead of
    computing them to be averaged away: 178x218 to 64x64 takes 0.35 ms instead of 0.75. Brought to
    `at_least` pixels, photographs differ from the full decode by up to 3.7 levels of 255 on
    average when nothing is left to shrink, by 1.7 at 1.5 times the size, by 1 at twice.

    Raises BadPictureError, whatever the decoder raised.
    """
    try:
        data = _contents(file)
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check(image, max_pixels)
            if only is not None and image.size != only:
                found = f"{image.width}x{image.height}"
                raise BadPictureError(f"it is {found}, expected {only[0]}x{only[1]}")
            _check_end(image, data)
            if at_least is not None:
                _shrink(image, at_least)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _flatten(image, BACKGROUNDS[background])
    except BadPictureError:
        raise
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise BadPictureError(f"not a picture of a known format ({known})") from error
    except Exception as error:  # damaged bytes make decoders raise almost anything
        raise BadPictureError(f"{type(error).__name__}: {error}") from error


def stream_pictures(
    work: Callable[[Work], Result], items: Iterable[Work], ahead: int = 256
) -> Iterator[Result]:
    """Yield `work`, which decodes, of each item, in order; several threads keep at it.

    About `ahead` items are taken before their turn, never more, so that a million need no more
    memory than a thousand. Whatever ends the loop, an error, Ctrl-C or `close`, drops the rest.
    A warning of Pillow is an error meanwhile: it warns of files it doesn't trust.
    """
    workers = min(_WORKERS, os.cpu_count() or 1)
    # Handing over costs as much as a tenth of a small picture; a bundle shares that.
    bundle = max(1, min(_BUNDLE, ahead // (2 * workers)))
    bundles = _bundles(items, bundle)
    pool = ThreadPoolExecutor(workers)
    with warnings.catch_warnings():
        # Set here and not for each picture: filters are shared by all threads. Of Pillow only,
        # because the code between two results runs under them too.
        warnings.filterwarnings("error", module=r"PIL\.")
        try:
            first = islice(bundles, max(1, ahead // bundle))
            waiting = deque(pool.submit(_several, work, some) for some in first)
            while waiting:
                results = waiting.popleft().result()
                waiting.extend(pool.submit(_several, work, some) for some in islice(bundles, 1))
                yield from results
        finally:
            pool.shutdown(cancel_futures=True)


def to_square(image: Image.Image, size: int, policy: str, background: str) -> Image.Image:
    """Return a picture of `size` x `size`: cut, padded or stretched; or refuse any other."""
    if image.size == (size, size):
        return image
    filtering = Image.Resampling.LANCZOS
    if policy == "crop":
        return ImageOps.fit(image, (size, size), filtering)
    if policy == "pad":
        colour = BACKGROUNDS[background]
        ground = colour[0] if image.mode == "L" else colour
        return ImageOps.pad(image, (size, size), filtering, color=ground)
    if policy == "stretch":
        return image.resize((size, size), filtering)
    raise BadPictureError(f"it is {image.width}x{image.height}, expected {size}x{size}")


def pixels(image: Image.Image, channels: int) -> NDArray[np.uint8]:
    """Return (channels, H, W); grey of a coloured picture is its luma."""
    mode = "L" if channels == 1 else "RGB"
    array = np.asarray(image if image.mode == mode else image.convert(mode))
    return array[None] if channels == 1 else array.transpose(2, 0, 1)


def _check(image: Image.Image, max_pixels: int) -> None:
    count = image.width * image.height
    if count > max_pixels:
        raise BadPictureError(f"{count:,} pixels, the limit is {max_pixels:,}")
    # The further pictures of a JPEG are previews; elsewhere they are frames or pages.
    if image.format not in {"JPEG", "MPO"} and getattr(image, "is_animated", False):
        raise BadPictureError("it holds several pictures")


def _contents(file: Path | IO[bytes]) -> bytes:
    try:
        data = file.read_bytes() if isinstance(file, Path) else file.read()
    except OSError as error:
        raise BadPictureError(f"it can't be read: {error.strerror or error}") from error
    if not data:
        raise BadPictureError("the file is empty")
    return data


def _check_end(image: Image.Image, data: bytes) -> None:
    """Refuse the cut files that Pillow accepts because it has all pixels, or thinks so."""
    if image.format == "PNG" and data.rfind(_PNG_END) < 0:
        raise BadPictureError("it is cut: a PNG ends in IEND")
    if image.format == "PPM" and data[:2] in _PLAIN and not data[-1:].isspace():
        raise BadPictureError("it may be cut within its last number; a PNM ends in a line break")


def _shrink(image: Image.Image, at_least: int) -> None:
    for scale in (8, 4, 2):
        sides = (image.width // scale, image.height // scale)
        # A side that isn't a multiple would gain a row made up by the decoder, and with it a
        # scale of its own: 7 levels of 255 off.
        exact = (sides[0] * scale, sides[1] * scale) == image.size
        if exact and min(sides) >= at_least:
            image.draft(None, sides)
            return


def _flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    # In files of these formats mode I holds 16 bits; in others, any number of them.
    wide = image.format in {"PNG", "PPM"}
    if image.mode.startswith("I;16") or (image.mode == "I" and wide):
        return _from_sixteen_bits(image)
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    if image.mode in {"L", "RGB"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"P", "CMYK", "YCbCr"}:
        return image.convert("RGB")
    raise BadPictureError(f"mode {image.mode} does not say its range; convert it to 8 bits")


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    if "transparency" in image.info:
        raise BadPictureError("16-bit grey with a transparent value is not supported")
    values: NDArray[Any] = np.asarray(image)
    return Image.fromarray((values >> 8).astype(np.uint8))


def _bundles(items: Iterable[Work], size: int) -> Iterator[list[Work]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _several(work: Callable[[Work], Result], items: list[Work]) -> list[Result]:
    return [work(item) for item in items]
