"""Sets of photographs, and your own pictures."""

from __future__ import annotations

from gan_toolkit import Source

SOURCES = (
    Source(
        component="image_folder",
        title="a folder of images",
        what="your own pictures: PNG, JPEG, WebP, BMP, TIFF or PNM, in nested folders",
        origin="your own",
        licence="terms of the data: check",
        how="put the pictures below data.root; the first level of sub-folders can be classes",
        folders=("<root>",),
    ),
)
