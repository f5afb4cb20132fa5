"""Pictures as text: what stands in a page in place of a file."""

from __future__ import annotations

import base64
from io import BytesIO

from PIL import Image, features

LOSSLESS_PIXELS = 6_000_000
"""Larger pictures are not even tried without loss: that alone would take seconds."""
LONGEST_SIDE = 16_383
"""Of a WebP."""
QUALITY = 82


class DataUri(str):
    """A picture in the form `data:image/…;base64,…`: letters, digits and `+/=` only."""

    __slots__ = ("size",)

    size: int
    """Bytes of the picture itself."""

    def __new__(cls, kind: str, content: bytes) -> DataUri:
        """Encode a picture."""
        text = base64.b64encode(content).decode("ascii")
        made = super().__new__(cls, f"data:image/{kind};base64,{text}")
        made.size = len(content)
        return made


def data_uri(picture: Image.Image, allowance: float | None = None) -> DataUri:
    """Return a picture as text: to the bit if that takes at most `allowance` bytes.

    Without an allowance the smaller one counts. The same picture gives the same text.
    """
    if max(picture.size) > LONGEST_SIDE:
        raise ValueError(f"a picture of {picture.width}x{picture.height} is too large for a page")
    if not features.check("webp"):
        return DataUri("png", _encoded(picture, "PNG", optimize=True))
    exact = b""
    if picture.width * picture.height <= LOSSLESS_PIXELS:
        exact = _encoded(picture, "WEBP", lossless=True, quality=60, method=3)
        if allowance is not None and len(exact) <= allowance:
            return DataUri("webp", exact)
    lossy = _encoded(picture, "WEBP", quality=QUALITY, method=4)
    smaller = exact if exact and len(exact) <= len(lossy) else lossy
    return DataUri("webp", smaller)


def _encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    content = BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()
