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


class DigitsOptions(Options):
    """Options of `digits`."""

    split: Split = "train"
    """Which images: 1,438 (the other 359 are then the held-out ones), 359, or all 1,797."""
    limit: Limit | None = None
    """Use only the first n images."""


class ImageFolderOptions(Options):
    """Options of `image_folder`."""

    root: RecipePath
    """The folder; pictures are looked for at every depth, hidden files and folders left out."""
    size: Size
    """Height and width of the samples in pixels."""
    channels: Literal[1, 3] = 3
    """3 for colour; 1 for grey, the luma of coloured pictures."""
    classes: bool = False
    """Whether the first level of sub-folders names the class of each picture."""
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
