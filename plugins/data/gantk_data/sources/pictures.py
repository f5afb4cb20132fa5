"""Sets of photographs, and your own pictures."""

from __future__ import annotations

from gan_toolkit import Source, SourceFile
from gantk_data.sources.downloads import DOWNLOADS

_CIFAR = "A. Krizhevsky: Learning multiple layers of features from tiny images, 2009"

SOURCES = (
    Source(
        component="cifar10",
        title="CIFAR-10",
        what="50,000 + 10,000 photographs in ten classes, 32x32 in colour (the binary version)",
        origin=_CIFAR,
        licence="terms of the data: check",
        how=(
            "`gantk data fetch cifar10`, or put cifar-10-binary.tar.gz into <root>, unpacked or not"
        ),
        folders=("<root>/cifar-10-batches-bin", "<root>"),
        files=(SourceFile("cifar-10-binary.tar.gz", md5="c32a1d4ab5d03f1284b67883e8d87530"),),
        copies=(
            ("cifar-10-binary.tar.gz",),
            (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"),
        ),
        downloads=DOWNLOADS["cifar10"],
    ),
    Source(
        component="cifar100",
        title="CIFAR-100",
        what=(
            "50,000 + 10,000 photographs in 100 classes of 20 kinds, 32x32 in colour (the binary "
            "version)"
        ),
        origin=_CIFAR,
        licence="terms of the data: check",
        how=(
            "`gantk data fetch cifar100`, or put cifar-100-binary.tar.gz into <root>, unpacked or "
            "not"
        ),
        folders=("<root>/cifar-100-binary", "<root>"),
        files=(SourceFile("cifar-100-binary.tar.gz", md5="03b5dce01913d631647c71ecec9e9cb8"),),
        copies=(("cifar-100-binary.tar.gz",), ("train.bin", "test.bin")),
        downloads=DOWNLOADS["cifar100"],
    ),
    Source(
        component="svhn",
        title="SVHN",
        what=(
            "73,257 + 26,032 + 531,131 house numbers cropped to digits of ten classes, 32x32 in "
            "colour"
        ),
        origin="Y. Netzer and others: Reading digits in natural images, 2011; Stanford",
        licence="non-commercial use only (unverified); terms of the data: check",
        how="`gantk data fetch svhn`, or put the .mat files (format 2) into <root>",
        folders=("<root>", "<root>/SVHN", "<root>/svhn"),
        files=(
            SourceFile("train_32x32.mat", md5="e26dedcc434d2e4c54c9b2d4a06d8373"),
            SourceFile("test_32x32.mat", md5="eb5a983be6a315427106f1b164d9cef3"),
            SourceFile("extra_32x32.mat", md5="a93ce644f1a588dc4d68dda5feec44a7"),
        ),
        copies=(("train_32x32.mat", "test_32x32.mat"),),
        downloads=DOWNLOADS["svhn"],
    ),
    Source(
        component="image_folder",
        title="your own images",
        what="your own pictures: PNG, JPEG, WebP, BMP, TIFF or PNM, in a folder, zip or tar",
        origin="your own",
        licence="terms of the data: check",
        how="put the pictures below data.root; folders or a table beside them can name classes",
        folders=("<root>",),
    ),
    Source(
        component="celeba",
        title="CelebA",
        what=(
            "202,599 aligned photographs of 10,177 people, 178x218, with 40 attributes and 5 "
            "landmarks"
        ),
        origin="Z. Liu, P. Luo, X. Wang, X. Tang: Deep learning face attributes, ICCV 2015",
        licence="non-commercial research only (unverified); terms of the data: check",
        how=(
            "get img_align_celeba.zip and the text files from the authors' page (Large-scale "
            "CelebFaces Attributes, MMLAB, CUHK) and put them into <root>/celeba/, unpacked or not"
        ),
        folders=("<root>/celeba", "<root>"),
        files=(
            SourceFile("img_align_celeba.zip", md5="00d2c5bc6d35e252742224ab0c1e8fcb"),
            SourceFile("list_eval_partition.txt", md5="d32c9cbf5e040fd4025c592c306e6668"),
            SourceFile("list_attr_celeba.txt", md5="75e246fa4810816ffd6ee81facbd244c"),
            SourceFile("list_landmarks_align_celeba.txt", md5="cc24ecafdb5b50baae59b03474781f8c"),
        ),
        copies=tuple(
            (pictures, "list_eval_partition.txt")
            for pictures in ("img_align_celeba.zip", "img_align_celeba/000001.jpg")
        ),
    ),
    Source(
        component="huggingface",
        title="your own Hugging Face data set",
        what="a data set with a column of images, as `datasets` saves it to disk",
        origin="your own",
        licence="terms of the data: check",
        how=(
            "save it by dataset.save_to_disk(folder) and name the folder in data.root; reading it "
            "takes datasets: pip install 'gan-toolkit[huggingface]'"
        ),
        folders=("<root>",),
    ),
    Source(
        component="webdataset",
        title="your own shards",
        what="your own pictures in tars, with .cls or .json of the same name: WebDataset's layout",
        origin="your own",
        licence="terms of the data: check",
        how="name the tars in data.root",
        folders=("<root>",),
    ),
    Source(
        component="arrays",
        title="your own arrays",
        what="your own images or points, as numpy saves them: .npy or .npz, never with objects",
        origin="your own",
        licence="terms of the data: check",
        how="name the file in data.file",
        folders=("<file>",),
    ),
)
