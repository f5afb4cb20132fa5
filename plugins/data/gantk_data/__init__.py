"""Readers of real data sets: the files people have, in the folders they have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gan_toolkit import Registry, hookimpl
from gantk_data.options import (
    ArraysOptions,
    Cars3dOptions,
    CelebaOptions,
    Cifar10Options,
    Cifar100Options,
    DcignFacesOptions,
    DigitsOptions,
    DspritesOptions,
    EmnistOptions,
    FashionMnistOptions,
    HuggingfaceOptions,
    ImageFolderOptions,
    KmnistOptions,
    MnistOptions,
    Mpi3dOptions,
    RenderedChairsOptions,
    Shapes3dOptions,
    SmallnorbOptions,
    SvhnOptions,
    WebdatasetOptions,
)
from gantk_data.sources import SOURCES

if TYPE_CHECKING:
    import click

_READERS = (
    ("mnist", "mnist", MnistOptions, "MNIST: handwritten digits, 28x28 grey"),
    ("fashion_mnist", "mnist", FashionMnistOptions, "Fashion-MNIST: clothing, 28x28 grey"),
    ("kmnist", "mnist", KmnistOptions, "Kuzushiji-MNIST: cursive kana, 28x28 grey"),
    ("emnist", "emnist", EmnistOptions, "EMNIST: handwritten letters and digits, 28x28 grey"),
    ("digits", "digits", DigitsOptions, "scikit-learn's real digits, 8x8 grey; nothing to get"),
    ("cifar10", "cifar", Cifar10Options, "CIFAR-10: photographs of 10 kinds of things, 32x32"),
    ("cifar100", "cifar", Cifar100Options, "CIFAR-100: photographs of 100 things, 32x32"),
    ("svhn", "svhn", SvhnOptions, "SVHN: house numbers cropped to a digit, 32x32 in colour"),
    ("image_folder", "image_folder", ImageFolderOptions, "any pictures in a folder, zip or tar"),
    ("arrays", "arrays", ArraysOptions, "images or points in a .npy or .npz file"),
    ("webdataset", "webdataset", WebdatasetOptions, "images in shards, as WebDataset packs them"),
    ("huggingface", "huggingface", HuggingfaceOptions, "a data set of `datasets` saved to disk"),
    (
        "rendered_chairs",
        "rendered_chairs",
        RenderedChairsOptions,
        "3D Chairs: the real renders, grey, with model, azimuth and elevation",
    ),
    ("celeba", "celeba", CelebaOptions, "CelebA: faces with 40 attributes and landmarks"),
    (
        "dsprites",
        "dsprites",
        DspritesOptions,
        "the dSprites set: white shapes, five factors, 64x64",
    ),
    ("mpi3d", "mpi3d", Mpi3dOptions, "MPI3D: objects in a robot's hand, seven factors, 64x64"),
    ("shapes3d", "shapes3d", Shapes3dOptions, "3D Shapes: an object in a room, six factors, 64x64"),
    (
        "smallnorb",
        "smallnorb",
        SmallnorbOptions,
        "smallNORB: toys from all sides, grey stereo pairs",
    ),
    ("cars3d", "cars3d", Cars3dOptions, "Cars3D: 183 car models from all sides, in colour"),
    ("dcign_faces", "dcign_faces", DcignFacesOptions, "DC-IGN faces: renders of heads, grey"),
)


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the readers; each is the function of its name in the module beside it."""
    for name, module, options, summary in _READERS:
        registry.add(
            "dataset",
            name,
            options=options,
            build=f"gantk_data.readers.{module}:{name}",
            summary=summary,
            source=SOURCES.get(name),
            trial={"limit": 64} if name == "digits" else None,  # the only one that is at hand
        )


@hookimpl
def gantk_commands(cli: click.Group) -> None:
    """Add `gantk data check`."""
    from gantk_data.commands import check

    cli.add_command(check, "data check")
