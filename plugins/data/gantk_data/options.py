"""What a recipe may say about each data set."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gan_toolkit import Options, RecipePath

Split = Literal["train", "test", "all"]
Resize = Literal["crop", "pad", "stretch", "refuse"]
Background = Literal["white", "grey", "black"]
Crop = Literal["none", "box"]
Limit = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=1, le=1024)]
FactorKind = Literal["discrete", "continuous"]


class MnistOptions(Options):
    """Options of `mnist`."""

    root: RecipePath | None = None
    """Folder that holds `MNIST/raw/` or the files; without it `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which images: 60,000 (the other 10,000 are then the held-out ones), 10,000, or all."""
    limit: Limit | None = None
    """Use only the first n images."""


class FashionMnistOptions(Options):
    """Options of `fashion_mnist`."""

    root: RecipePath | None = None
    """Folder that holds `FashionMNIST/raw/` or the files; without it `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which images: 60,000 (the other 10,000 are then the held-out ones), 10,000, or all."""
    limit: Limit | None = None
    """Use only the first n images."""


class KmnistOptions(Options):
    """Options of `kmnist`."""

    root: RecipePath | None = None
    """Folder that holds `KMNIST/raw/` or the files; without it `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which images: 60,000 (the other 10,000 are then the held-out ones), 10,000, or all."""
    limit: Limit | None = None
    """Use only the first n images."""


EmnistVariant = Literal["letters", "digits", "balanced", "byclass", "bymerge", "mnist"]


class EmnistOptions(Options):
    """Options of `emnist`."""

    root: RecipePath | None = None
    """Folder that holds `EMNIST/raw/`, the files or `gzip.zip`; without it `GANTK_DATA`, else
    `data`."""
    variant: EmnistVariant = "letters"
    """26 letters whatever their case; 10 digits; 47 classes, as many images of each; all images
    in 62 classes; the same in 47, where cases look alike; or MNIST's own numbers of images."""
    split: Split = "train"
    """Which images: the training part (the test part is then held out), the test part, or all."""
    limit: Limit | None = None
    """Use only the first n images."""


class Cifar10Options(Options):
    """Options of `cifar10`."""

    root: RecipePath | None = None
    """Folder that holds `cifar-10-batches-bin/`, its files or `cifar-10-binary.tar.gz`; without
    it `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which images: 50,000 (the other 10,000 are then the held-out ones), 10,000, or all."""
    limit: Limit | None = None
    """Use only the first n images."""


Cifar100Labels = Literal["fine", "coarse"]


class Cifar100Options(Options):
    """Options of `cifar100`."""

    root: RecipePath | None = None
    """Folder that holds `cifar-100-binary/`, its files or `cifar-100-binary.tar.gz`; without it
    `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which images: 50,000 (the other 10,000 are then the held-out ones), 10,000, or all."""
    labels: Cifar100Labels = "fine"
    """Which labels are the classes: 100 things, or the 20 kinds of things they belong to."""
    limit: Limit | None = None
    """Use only the first n images."""


SvhnSplit = Literal["train", "test", "extra", "train+extra"]


class SvhnOptions(Options):
    """Options of `svhn`."""

    root: RecipePath | None = None
    """Folder that holds the `.mat` files or `SVHN/`; without it `GANTK_DATA`, else `data`."""
    split: SvhnSplit = "train"
    """Which images: 73,257, 26,032, 531,131 easier ones, or the first and these. The test images
    are held out from training, if they are there."""
    limit: Limit | None = None
    """Use only the first n images."""


class DigitsOptions(Options):
    """Options of `digits`."""

    split: Split = "train"
    """Which images: 1,438 (the other 359 are then the held-out ones), 359, or all 1,797."""
    limit: Limit | None = None
    """Use only the first n images."""


class ImageFolderOptions(Options):
    """Options of `image_folder`."""

    root: RecipePath
    """A folder, zip or tar; pictures are looked for at every depth, hidden files left out."""
    size: Size
    """Height and width of the samples in pixels."""
    channels: Literal[1, 3] = 3
    """3 for colour; 1 for grey, the luma of coloured pictures."""
    classes: bool = False
    """Whether the first level of sub-folders names the class of each picture."""
    labels: RecipePath | None = None
    """A table, `.csv` or `.json`, with a row for each picture; its first column names the files."""
    label: str | None = None
    """The table's column of classes; without it the one named `label` or `class`, if there is."""
    factors: dict[str, FactorKind] | None = None
    """The table's columns that are factors; without it all others: numbers continuous, texts
    discrete."""
    resize: Resize = "crop"
    """Cut the centre square and scale it; scale and pad; scale without keeping proportions; or
    take pictures of exactly this size only."""
    background: Background = "white"
    """What shows through transparent pixels, and what is padded with."""
    skip_bad: bool = False
    """Whether files that can't be decoded are left out, with a warning, instead of refused."""
    max_pixels: Annotated[int, Field(ge=1, le=89_478_485)] = 64_000_000
    """Larger pictures are bad files: a small file can claim a picture that fills the memory.
    Pillow's own limit is the bound."""


Layout = Literal["auto", "NHW", "NHWC", "NCHW"]


class ArraysOptions(Options):
    """Options of `arrays`."""

    file: RecipePath
    """A `.npy` or `.npz`: images (N, H, W), (N, H, W, C) or (N, C, H, W), or points (N, D) of
    floats."""
    images: str | None = None
    """The array of an `.npz` that holds the samples; unless it is the only one."""
    layout: Layout = "auto"
    """What the axes of images are; found by itself where exactly one can be 1 or 3 channels."""
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    """The values of black and white, for images of another type than uint8."""
    labels: str | None = None
    """Labels (N,), whole numbers or texts: an array of the `.npz`, or a `.npy` beside the file."""
    classes: list[str] | None = None
    """Names of the classes 0, 1, 2 …; without it the labels' own values."""
    factors: str | None = None
    """Factors (N, K), likewise: whole numbers are discrete, others continuous."""
    factor_names: list[str] | None = None
    """Names of the K factors."""
    limit: Limit | None = None
    """Use only the first n samples."""


class WebdatasetOptions(Options):
    """Options of `webdataset`."""

    root: RecipePath
    """A tar of samples, many as `train-{000..012}.tar`, or a folder of them."""
    size: Size
    """Height and width of the samples in pixels."""
    channels: Literal[1, 3] = 3
    """3 for colour; 1 for grey, the luma of coloured pictures."""
    label: str | None = None
    """The key of each sample's `.json` that is its class; without it the `.cls`, if there is."""
    factors: dict[str, FactorKind] | None = None
    """Keys of each sample's `.json` that are factors."""
    resize: Resize = "crop"
    """Cut the centre square and scale it; scale and pad; scale without keeping proportions; or
    take pictures of exactly this size only."""
    background: Background = "white"
    """What shows through transparent pixels, and what is padded with."""
    skip_bad: bool = False
    """Whether images that can't be decoded are left out, with a warning, instead of refused."""
    max_pixels: Annotated[int, Field(ge=1, le=89_478_485)] = 64_000_000
    """Larger pictures are bad: a small file can claim a picture that fills the memory."""


class HuggingfaceOptions(Options):
    """Options of `huggingface`."""

    root: RecipePath
    """The folder that `save_to_disk` wrote."""
    split: str | None = None
    """Which split; without it `train`, or the only one."""
    held_out: str | None = None
    """A split that is held out from training, such as `test`."""
    image: str | None = None
    """The column of images, unless there is one only."""
    label: str | None = None
    """The column that is the class; without it the column of class labels, if there is one."""
    factors: dict[str, FactorKind] | None = None
    """Columns that are factors."""
    size: Size
    """Height and width of the samples in pixels."""
    channels: Literal[1, 3] = 3
    """3 for colour; 1 for grey, the luma of coloured pictures."""
    resize: Resize = "crop"
    """Cut the centre square and scale it; scale and pad; scale without keeping proportions; or
    take pictures of exactly this size only."""
    background: Background = "white"
    """What shows through transparent pixels, and what is padded with."""
    skip_bad: bool = False
    """Whether images that can't be decoded are left out, with a warning, instead of refused."""
    max_pixels: Annotated[int, Field(ge=1, le=89_478_485)] = 64_000_000
    """Larger pictures are bad: a small file can claim a picture that fills the memory."""


class RenderedChairsOptions(Options):
    """Options of `rendered_chairs`."""

    root: RecipePath | None = None
    """Folder that holds `rendered_chairs.tar` or `rendered_chairs/`, or is the latter; without it
    `GANTK_DATA`, else `data`."""
    size: Size = 64
    """Height and width of the samples in pixels."""
    crop: Crop = "none"
    """The whole render, scaled bilinearly (as InfoGAN's authors did); or its box (100, 100, 500,
    500) by Lanczos, where chairs are larger (as later loaders do)."""
    limit: Limit | None = None
    """Use only the first n images: 62 a chair, chairs in the order of their folders' names."""


CelebaSplit = Literal["train", "valid", "test", "all"]
CelebaCrop = Literal["108", "128", "140", "178", "progressive", "none"]
CelebaScored = Literal["claimed", "all"]


class CelebaOptions(Options):
    """Options of `celeba`."""

    root: RecipePath | None = None
    """Folder that holds `celeba/` or its contents; without it `GANTK_DATA`, else `data`."""
    split: CelebaSplit = "train"
    """Which images, by `list_eval_partition.txt`: 162,770 (the test images are then the held-out
    ones), 19,867, 19,962, or all."""
    size: Size = 32
    """Height and width of the samples in pixels."""
    crop: CelebaCrop = "128"
    """What is cut from the 178x218 pixels before scaling: the centre square of 108 (DCGAN), 128
    (InfoGAN-CR), 140 or 178 (the full width); the 128 around the face that Progressive GAN took;
    or nothing (stretched). What InfoGAN's authors cut is not known."""
    scored: CelebaScored = "claimed"
    """Which attributes measures ask for: the seven that the InfoGAN paper's claims are about
    (glasses, hair, smile), or all 40."""
    limit: Limit | None = None
    """Use only the first n images."""


class DspritesOptions(Options):
    """Options of `dsprites`."""

    root: RecipePath | None = None
    """Folder that holds the `.npz` or `dsprites/`; without it `GANTK_DATA`, else `data`."""
    subset: Limit | None = None
    """Use only n of the 737,280 images, spread over all combinations, for ever the same."""


Mpi3dVariant = Literal["toy", "realistic", "real", "real_complex"]


class Mpi3dOptions(Options):
    """Options of `mpi3d`."""

    root: RecipePath | None = None
    """Folder that holds the `.npz` or `mpi3d/`; without it `GANTK_DATA`, else `data`."""
    variant: Mpi3dVariant = "toy"
    """Simple renders, realistic renders, photographs of simple objects, or of complex ones."""
    size: Size = 64
    """Height and width of the samples in pixels; the files have 64."""
    subset: Limit | None = None
    """Use only n of the 1,036,800 images (460,800 of `real_complex`), spread over all
    combinations, for ever the same. All of them take 12.7 GB of prepared data."""


class Shapes3dOptions(Options):
    """Options of `shapes3d`."""

    root: RecipePath | None = None
    """Folder that holds `3dshapes.h5`, `shapes3d/` or `3dshapes/`; without it `GANTK_DATA`, else
    `data`."""
    size: Size = 64
    """Height and width of the samples in pixels; the file has 64."""
    subset: Limit | None = None
    """Use only n of the 480,000 images, spread over all combinations, for ever the same. All of
    them take 5.9 GB of prepared data."""


Camera = Literal["left", "right", "both"]


class SmallnorbOptions(Options):
    """Options of `smallnorb`."""

    root: RecipePath | None = None
    """Folder that holds the six `.mat` files, plain or `.gz`, or `smallnorb/`; without it
    `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which pairs: 24,300 (24,300 of other toys are then the held-out ones), the latter, or all."""
    camera: Camera = "left"
    """Which picture of each pair; `both` makes two samples of it."""
    size: Size = 64
    """Height and width of the samples in pixels; the files have 96."""
    limit: Limit | None = None
    """Use only the first n images."""


class Cars3dOptions(Options):
    """Options of `cars3d`."""

    root: RecipePath | None = None
    """Folder that holds `nips2015-analogy-data.tar.gz`, `data/cars/`, `cars/` or `cars3d/` with
    one of them; without it `GANTK_DATA`, else `data`."""
    size: Size = 64
    """Height and width of the samples in pixels; the files have 128."""
    limit: Limit | None = None
    """Use only the first n images: 96 a car, in the order of `list.txt`."""


FaceVariation = Literal["azimuth", "elevation", "light", "shape"]


def _azimuth_alone() -> list[FaceVariation]:
    return ["azimuth"]


class DcignFacesOptions(Options):
    """Options of `dcign_faces`."""

    root: RecipePath | None = None
    """Folder that holds `th_AZ_VARIED/` and its like, `dcign_faces/` or the zip of them; without
    it `GANTK_DATA`, else `data`."""
    split: Split = "train"
    """Which batches: FT_training (those of FT_test are then the held-out ones), FT_test, or all."""
    variations: list[FaceVariation] = Field(default_factory=_azimuth_alone, min_length=1)
    """What varies within the batches to use; InfoGAN's authors took the azimuth set."""
    size: Size = 32
    """Height and width of the samples in pixels; the files have 150."""
    limit: Limit | None = None
    """Use only the first n images: 20 a batch."""
