"""Sets of small grey pictures: digits, letters, clothes."""

from __future__ import annotations

from gan_toolkit import Source, SourceFile
from gantk_data.sources.downloads import DOWNLOADS, IDX_NAMES, PACKAGES

_MNIST_SIZES = (47_040_016, 60_008, 7_840_016, 10_008)


def _idx_files(*sums: str) -> tuple[SourceFile, ...]:
    return tuple(map(SourceFile, IDX_NAMES, _MNIST_SIZES, sums))


def _emnist(variant: str) -> tuple[str, ...]:
    kinds = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")
    return tuple(f"emnist-{variant}-{kind}-ubyte" for kind in kinds)


SOURCES = (
    Source(
        component="mnist",
        title="MNIST",
        what="60,000 + 10,000 handwritten digits, 28x28 grey, white on black",
        origin="Y. LeCun, C. Cortes, C. J. C. Burges: the MNIST database of handwritten digits",
        licence="terms of the data: check (often stated as CC BY-SA 3.0)",
        how="`gantk data fetch mnist`, or put the four files into <root>/MNIST/raw/",
        folders=("<root>/MNIST/raw", "<root>"),
        files=_idx_files(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        downloads=DOWNLOADS["mnist"],
        packages=PACKAGES["mnist"],
    ),
    Source(
        component="fashion_mnist",
        title="Fashion-MNIST",
        what="60,000 + 10,000 pictures of clothing in ten classes, 28x28 grey",
        origin="H. Xiao, K. Rasul, R. Vollgraf, 2017; Zalando SE",
        licence="MIT",
        how=(
            "`gantk data fetch fashion_mnist`, or put the four files into <root>/FashionMNIST/raw/"
        ),
        folders=("<root>/FashionMNIST/raw", "<root>"),
        files=_idx_files(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        downloads=DOWNLOADS["fashion_mnist"],
        packages=PACKAGES["fashion_mnist"],
    ),
    Source(
        component="kmnist",
        title="Kuzushiji-MNIST",
        what="60,000 + 10,000 cursive kana in ten classes, 28x28 grey, white on black",
        origin="T. Clanuwat and others: Deep learning for classical Japanese literature, 2018",
        licence="CC BY-SA 4.0",
        how="`gantk data fetch kmnist`, or put the four files into <root>/KMNIST/raw/",
        folders=("<root>/KMNIST/raw", "<root>"),
        files=_idx_files("", "", "", ""),
        downloads=DOWNLOADS["kmnist"],
    ),
    Source(
        component="emnist",
        title="EMNIST",
        what=(
            "814,255 handwritten letters and digits, 28x28 grey, white on black, in six variants; "
            "stored transposed, read upright"
        ),
        origin="G. Cohen, S. Afshar, J. Tapson, A. van Schaik, 2017; from NIST SD 19",
        licence="terms of the data: check (often stated as public domain)",
        how=(
            "`gantk data fetch emnist`, or put NIST's gzip.zip, or the four files of a variant, "
            "into <root>/EMNIST/raw/"
        ),
        folders=("<root>/EMNIST/raw", "<root>", "<root>/EMNIST"),
        files=(
            SourceFile("gzip.zip", md5="58c8d27c78d21e728a6bc7b3cc06412e"),
            *map(SourceFile, _emnist("<variant>")),
        ),
        copies=(
            ("gzip.zip",),
            *map(_emnist, ("letters", "digits", "balanced", "byclass", "bymerge", "mnist")),
        ),
        downloads=DOWNLOADS["emnist"],
    ),
    Source(
        component="digits",
        title="digits 8x8 (UCI optdigits)",
        what="1,797 handwritten digits, 8x8 grey, white on black",
        origin="E. Alpaydin, C. Kaynak: UCI optical recognition of handwritten digits",
        licence="CC BY 4.0 at UCI (unverified); the copy in scikit-learn is BSD-3",
        how="nothing to do: scikit-learn ships it",
    ),
)
