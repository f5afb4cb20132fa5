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

16-bit colour is brought to 8 bits by Pillow itself, which drops the low byte too.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
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

Work = TypeVar("Work")
Result = TypeVar("Result")


class BadPictureError(ValueError):
    """A file can't be used as a picture; the text says why, without its name."""


def decode(
    file: Path | IO[bytes], background: str = "white", max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Return the picture as mode L or RGB, turned as its EXIF says.

    Raises BadPictureError, whatever the decoder raised.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check(image, max_pixels)
            image.load()
            turned = ImageOps.exif_transpose(image)
            # Only a file knows its format; the turned copy has forgotten it.
            wide = image.format in {"PNG", "PPM"}
            return _flatten(turned, BACKGROUNDS[background], wide)
    except BadPictureError:
        raise
    except UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise BadPictureError(f"not a picture of a known format ({known})") from error
    except Exception as error:  # damaged bytes make decoders raise almost anything
        raise BadPictureError(f"{type(error).__name__}: {error}") from error


def map_pictures(work: Callable[[Work], Result], items: Iterable[Work]) -> list[Result]:
    """Apply `work`, which decodes, to all items on several threads; results come in order.

    A warning of Pillow is an error meanwhile: it warns of files it doesn't trust.
    """
    with warnings.catch_warnings():
        # Set here and not for each picture: filters are shared by all threads.
        warnings.simplefilter("error")
        with ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1)) as pool:
            return list(pool.map(work, items))


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
    array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return array[None] if channels == 1 else array.transpose(2, 0, 1)


def _check(image: Image.Image, max_pixels: int) -> None:
    count = image.width * image.height
    if count > max_pixels:
        raise BadPictureError(f"{count:,} pixels, the limit is {max_pixels:,}")
    # The further pictures of a JPEG are previews; elsewhere they are frames or pages.
    if image.format not in {"JPEG", "MPO"} and getattr(image, "is_animated", False):
        raise BadPictureError("it holds several pictures")


def _flatten(image: Image.Image, background: tuple[int, int, int], wide: bool) -> Image.Image:
    """Return mode L or RGB; `wide` says that mode I of this format holds 16 bits."""
    if image.mode.startswith("I;16") or (image.mode == "I" and wide):
        return _from_sixteen_bits(image)
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, background)
        return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")
    if image.mode in {"1", "L"}:
        return image.convert("L")
    if image.mode in {"RGB", "P", "CMYK", "YCbCr"}:
        return image.convert("RGB")
    raise BadPictureError(f"mode {image.mode} does not say its range; convert it to 8 bits")


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    if "transparency" in image.info:
        raise BadPictureError("16-bit grey with a transparent value is not supported")
    values: NDArray[Any] = np.asarray(image)
    return Image.fromarray((values >> 8).astype(np.uint8))
